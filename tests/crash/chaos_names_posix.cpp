// Chaos on one name: 8 processes create, open and close segments of one name as fast as they can, and are killed at random
// instants and replaced.
//
//   S1  a living handle's name refers to its object, from its opening to its close. So two living handles share one object.
//   S2  a handle never meets a half-made object: its sizes are those asked for, its bytes those of a party of this test.
//   S3  at the end there is no name, or one that nobody holds and the next party removes; and no descriptor is left open.

#include "chaos.hpp"
#include "crash.hpp"

#include <strait/shared_array.hpp>

#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <dirent.h>
#include <iostream>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::Errc;
using strait::open_or_create;
using strait::SharedArray;

namespace {

constexpr std::size_t places = 8;
constexpr std::size_t elements = 700;  // more than a page: a half-made object would be cut short
constexpr std::uint64_t pattern = 0x5354524149543A00ull;

struct Common {
  std::atomic<std::uint32_t> stop;
  alignas(64) std::atomic<std::uint64_t> created;
  std::atomic<std::uint64_t> opened;
  std::atomic<std::uint64_t> refused;       // already_exists, not_found: a correct answer
  std::atomic<std::uint64_t> unnamed;       // against S1
  std::atomic<std::uint64_t> half_made;     // against S2
  std::atomic<std::uint64_t> other_errors;
  std::atomic<std::uint64_t> leaks;         // against S3
  std::atomic<std::uint32_t> last_error;
  struct alignas(64) Line {
    std::atomic<std::uint64_t> count;
  } progress[places];
};

// Has an open shared object of this process lost its name?
bool has_an_object_without_name() {
  struct stat folder {};
  ::stat("/dev/shm", &folder);
  bool found = false;
  DIR* const open_files = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(open_files)) {
    struct stat status {};
    const int descriptor = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && ::fstat(descriptor, &status) == 0 && status.st_dev == folder.st_dev && status.st_nlink == 0) found = true;
  }
  ::closedir(open_files);
  return found;
}

// Only the handles' own descriptors are on /dev/shm's device; the record's file lives on another.
void use(SharedArray<std::uint64_t>& array, Common& common, std::mt19937_64& random) {
  common.unnamed.fetch_add(has_an_object_without_name());
  common.half_made.fetch_add(array.size() != elements);
  for (std::size_t i = 0; i < array.size(); ++i) {
    const auto seen = std::atomic_ref(array[i]).load();
    common.half_made.fetch_add(seen != 0 && seen != pattern + i % 256);
  }
  for (int k = 0; k < 16; ++k) {
    const auto i = static_cast<std::size_t>(random() % array.size());
    std::atomic_ref(array[i]).store(pattern + i % 256);
  }
  if (random() % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
  common.unnamed.fetch_add(has_an_object_without_name());
}

// Arguments: name, record, place.
const ChildFunction party{"chaos: names", [](std::span<const std::string> arguments) -> int {
  const std::size_t place = std::stoul(arguments[2]);
  const Record shared(arguments[1], 0, sizeof(Common));
  auto& common = shared.at<Common>(0);
  std::mt19937_64 random(std::random_device{}());
  strait::OpenOptions options;
  options.open_timeout = 60s;
  const auto descriptors = descriptors_in_use();
  dawdle(6, 300us);
  while (common.stop.load() == 0) {
    try {
      switch (random() % 4) {
        case 0: {
          SharedArray<std::uint64_t> array(arguments[0], elements, options);
          common.created.fetch_add(1);
          use(array, common, random);
          break;
        }
        case 1: {
          SharedArray<std::uint64_t> array(arguments[0], options);
          common.opened.fetch_add(1);
          use(array, common, random);
          break;
        }
        default: {
          SharedArray<std::uint64_t> array(open_or_create, arguments[0], elements, options);
          common.opened.fetch_add(1);
          use(array, common, random);
        }
      }
    } catch (const strait::Error& error) {
      if (error.code() == Errc::already_exists || error.code() == Errc::not_found) {
        common.refused.fetch_add(1);
      } else {
        std::cerr << error.what() << std::endl;
        common.last_error = static_cast<std::uint32_t>(error.code().value());
        common.other_errors.fetch_add(1);
      }
    }
    common.progress[place].count.fetch_add(1);
    // Mostly outside, so that the name comes and goes.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
  }
  if (descriptors_in_use() != descriptors) common.leaks.fetch_add(1);
  return 0;
}};

}  // namespace

TEST_CASE("chaos on a name: whoever is killed whenever, a handle's name is its object's, and at the end there is no name", "[chaos]") {
  const ChaosRun run("chaos on a name", 5);
  NameGuard name("chaos");
  const Record record(sizeof(Common));
  auto& common = record.at<Common>(0);
  Crowd crowd("chaos: names", name.str(), record, places);
  crowd.storm(run, [&] {
    wait_for_progress(common.progress, 0, places);
  });
  common.stop = 1;
  crowd.end();
  INFO("the last other error was number " << common.last_error.load());
  CHECK(common.unnamed.load() == 0);
  CHECK(common.half_made.load() == 0);
  CHECK(common.other_errors.load() == 0);
  CHECK(common.leaks.load() == 0);
  CHECK(caught([&] { SharedArray<std::uint64_t> last(name); }) == Errc::not_found);
  CHECK_FALSE(shm_exists(name));
  std::printf("  %llu kills, %llu created, %llu opened or created, %llu refused as they should be\n", static_cast<unsigned long long>(crowd.kills),
              static_cast<unsigned long long>(common.created.load()), static_cast<unsigned long long>(common.opened.load()),
              static_cast<unsigned long long>(common.refused.load()));
  print_pauses("the others", crowd.pauses);
}
