// Chaos on a struct: 4 writers change 4 KiB with a checksum, 4 readers load them, and both are killed at random instants and replaced.
//
//   C1  no load is torn, and none is older than one before it.
//   C3  a writer finds in its update what the last finished change left: whole, and as many changes as the version says.
//   C4  everybody goes on after every kill.
//
// STRAIT_CHAOS_SECONDS says how long (see chaos.hpp).

#include "chaos.hpp"
#include "crash.hpp"

#include <strait/shared_struct.hpp>

#include <array>
#include <atomic>
#include <cstdio>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::SharedStruct;

namespace {

constexpr std::size_t sides = 4;
constexpr std::size_t places = 2 * sides;

struct Block {
  std::uint64_t changes;
  std::array<std::uint64_t, 510> parts;
  std::uint64_t checksum;

  void change() {
    ++changes;
    std::uint64_t sum = changes;
    for (std::size_t i = 0; i < parts.size(); ++i) sum = sum * 31 + (parts[i] = changes * 0x9e3779b97f4a7c15ull + i);
    checksum = sum;
  }
  bool is_whole() const {
    std::uint64_t sum = changes;
    for (const std::uint64_t part : parts) sum = sum * 31 + part;
    return checksum == sum;
  }
};
static_assert(sizeof(Block) == 4096);

struct Common {
  std::atomic<std::uint32_t> stop;
  alignas(64) std::atomic<std::uint64_t> torn;     // against C1
  std::atomic<std::uint64_t> backwards;            // against C1
  std::atomic<std::uint64_t> torn_under_the_lock;  // against C3
  std::atomic<std::uint64_t> wrong_count;          // against C3
  struct alignas(64) Line {
    std::atomic<std::uint64_t> count;
  } progress[places];
};

// Arguments: name, record, place.
const ChildFunction party{"chaos: struct", [](std::span<const std::string> arguments) -> int {
                            const std::size_t place = std::stoul(arguments[2]);
                            const Record shared(arguments[1], 0, sizeof(Common));
                            auto& common = shared.at<Common>(0);
                            if (place % 4 >= 2) dawdle(512, 300us);
                            strait::OpenOptions options;
                            options.lock_timeout = strait::forever;
                            SharedStruct<Block> block(arguments[0], options);
                            std::uint64_t last = 0;
                            while (common.stop.load() == 0) {
                              if (place < sides) {
                                block.update([&](Block& value) {
                                  if (!value.is_whole()) common.torn_under_the_lock.fetch_add(1);
                                  if (value.changes != block.version()) common.wrong_count.fetch_add(1);
                                  value.change();
                                });
                              } else {
                                const Block now = block.load();
                                if (!now.is_whole()) common.torn.fetch_add(1);
                                if (now.changes < last) common.backwards.fetch_add(1);
                                last = now.changes;
                              }
                              common.progress[place].count.fetch_add(1);
                            }
                            return 0;
                          }};

}  // namespace

TEST_CASE("chaos on a struct: whoever is killed whenever, no load of 4 KiB is ever torn, and changes go on", "[chaos]") {
  const ChaosRun run("chaos on a struct", 5);
  NameGuard name("chaos");
  SharedStruct<Block> owner(name, Block{});  // all zero is whole
  const Record record(sizeof(Common));
  auto& common = record.at<Common>(0);
  Crowd crowd("chaos: struct", name.str(), record, places);
  crowd.storm(run, [&] {
    wait_for_progress(common.progress, 0, sides);
    wait_for_progress(common.progress, sides, sides);
  });
  common.stop = 1;
  crowd.end();

  CHECK(common.torn.load() == 0);
  CHECK(common.backwards.load() == 0);
  CHECK(common.torn_under_the_lock.load() == 0);
  CHECK(common.wrong_count.load() == 0);
  CHECK(owner.load().is_whole());
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;
  for (std::size_t place = 0; place < places; ++place) (place < sides ? writes : reads) += common.progress[place].count.load();
  // A writer may be killed between its change and its count.
  CHECK(owner.version() >= writes);
  CHECK(owner.version() <= writes + crowd.kills);
  CHECK(owner.load().changes == owner.version());
  std::printf("  %llu kills, %llu changes, %llu loads\n", static_cast<unsigned long long>(crowd.kills),
              static_cast<unsigned long long>(writes), static_cast<unsigned long long>(reads));
  print_pauses("writers and readers", crowd.pauses);
}
