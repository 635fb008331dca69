// Chaos on a struct's name: processes create, open and close structs of one name as fast as they can, and are killed at random
// instants and replaced. A struct is two objects, which come and go one after the other.
//
//   N1  a living handle's name refers to its struct: whoever has one opens another, and finds the same value in it.
//   N2  nobody is told anything but already_exists and not_found.
//   N3  at the end there is no name, and no descriptor is left open.

#include "chaos.hpp"
#include "crash.hpp"

#include <strait/shared_struct.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <iostream>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::Errc;
using strait::open_or_create;
using strait::SharedStruct;

namespace {

constexpr std::size_t places = 6;

struct Tokens {
  std::array<std::uint64_t, 20> all;  // the creator's number, everywhere

  bool is_whole() const {
    for (const std::uint64_t token : all) {
      if (token != all[0]) return false;
    }
    return true;
  }
};

struct Common {
  std::atomic<std::uint32_t> stop;
  alignas(64) std::atomic<std::uint64_t> created;
  std::atomic<std::uint64_t> opened;
  std::atomic<std::uint64_t> refused;
  std::atomic<std::uint64_t> half_made;     // against N1
  std::atomic<std::uint64_t> another;       // against N1
  std::atomic<std::uint64_t> other_errors;  // against N2
  struct alignas(64) Line {
    std::atomic<std::uint64_t> count;
  } progress[places];
};

void use(const std::string& name, const SharedStruct<Tokens>& mine, Common& common) {
  const Tokens now = mine.load();
  common.half_made.fetch_add(!now.is_whole() || now.all[0] == 0);
  const SharedStruct<Tokens> same(name);
  common.another.fetch_add(same.load().all[0] != now.all[0]);
}

// Arguments: name, record, place.
const ChildFunction party{"chaos: struct names", [](std::span<const std::string> arguments) -> int {
                            const std::string& name = arguments[0];
                            const std::size_t place = std::stoul(arguments[2]);
                            const Record shared(arguments[1], 0, sizeof(Common));
                            auto& common = shared.at<Common>(0);
                            std::mt19937_64 random(std::random_device{}());
                            strait::OpenOptions options;
                            options.open_timeout = 60s;
                            dawdle(6, 300us);
                            while (common.stop.load() == 0) {
                              Tokens initial{};
                              initial.all.fill(random() | 1);
                              const auto how = random() % 3;
                              bool is_open = false;
                              try {
                                if (how == 0) {
                                  const SharedStruct<Tokens> created(name, initial, options);
                                  is_open = true;
                                  common.created.fetch_add(1);
                                  use(name, created, common);
                                } else {
                                  const auto opened = how == 1 ? SharedStruct<Tokens>(name, options)
                                                               : SharedStruct<Tokens>(open_or_create, name, initial, options);
                                  is_open = true;
                                  common.opened.fetch_add(1);
                                  use(name, opened, common);
                                }
                              } catch (const strait::Error& error) {
                                if (!is_open && (error.code() == Errc::already_exists || error.code() == Errc::not_found)) {
                                  common.refused.fetch_add(1);
                                } else {
                                  std::cerr << error.what() << std::endl;
                                  common.other_errors.fetch_add(1);
                                }
                              }
                              common.progress[place].count.fetch_add(1);
                              // Mostly outside, so that the name comes and goes.
                              std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
                            }
                            return 0;
                          }};

}  // namespace

TEST_CASE("chaos on a struct's name: whoever is killed whenever, its two objects are found together or not at all", "[chaos]") {
  const ChaosRun run("chaos on a struct's name", 2);
  NameGuard name("chaos");
  const Record record(sizeof(Common));
  auto& common = record.at<Common>(0);
  Crowd crowd("chaos: struct names", name.str(), record, places);
  crowd.storm(run, [&] { wait_for_progress(common.progress, 0, places); });
  common.stop = 1;
  crowd.end();
  CHECK(common.half_made.load() == 0);
  CHECK(common.another.load() == 0);
  CHECK(common.other_errors.load() == 0);
  CHECK(caught([&] { SharedStruct<Tokens> last(name); }) == Errc::not_found);
  CHECK_FALSE(shm_exists(name));
  std::printf("  %llu kills, %llu created, %llu opened or created, %llu refused as they should be\n",
              static_cast<unsigned long long>(crowd.kills), static_cast<unsigned long long>(common.created.load()),
              static_cast<unsigned long long>(common.opened.load()), static_cast<unsigned long long>(common.refused.load()));
}
