// The reader-writer lock under threads: a struct whose parts must agree, written by some and read by others.

#include "../support/catch.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/shared_array.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <thread>

using namespace strait::test;

namespace {

struct Checked {
  std::uint64_t version;
  std::array<std::uint64_t, 14> parts;
  std::uint64_t sum;

  // Half done for a while every now and then, so that whoever should not be here has the time to see it.
  void change() {
    ++version;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i] = version * (i + 3);
      if (i == 7 && version % 8 == 0) std::this_thread::yield();
    }
    sum = std::accumulate(parts.begin(), parts.end(), version);
  }
  bool is_whole() const { return sum == std::accumulate(parts.begin(), parts.end(), version); }
};

constexpr int writers = 4;
constexpr int readers = 4;

template <class WithArray>
void hammer(WithArray with_array, std::uint64_t& version) {
  const int rounds = 500 / patience();
  Workers workers;
  std::atomic<int> writing{writers};
  std::atomic<int> ready{0};
  const auto start_together = [&] {
    ++ready;
    while (ready < writers + readers) std::this_thread::yield();
  };
  for (int i = 0; i < writers; ++i) {
    workers.run([&, i] {
      with_array([&](strait::SharedArray<Checked>& array) {
        start_together();
        for (int round = 0; round < rounds; ++round) {
          if ((round + i) % 3 == 0) {
            // A timed attempt that may fail must not leave anything behind.
            while (!array.try_lock_for(std::chrono::microseconds(500))) {
            }
          } else {
            array.lock();
          }
          if (!array[0].is_whole()) workers.fail("a writer saw torn data");
          array[0].change();
          array.unlock();
        }
      });
      --writing;
    });
  }
  for (int i = 0; i < readers; ++i) {
    workers.run([&] {
      with_array([&](strait::SharedArray<Checked>& array) {
        std::uint64_t last = 0;
        start_together();
        do {
          const std::shared_lock lock(array);
          if (!array[0].is_whole()) workers.fail("a reader saw torn data");
          if (last % 8 == 0) std::this_thread::yield();
          if (!array[0].is_whole()) workers.fail("a writer came in while a reader was there");
          if (array[0].version < last) workers.fail("a reader saw time go backwards");
          last = array[0].version;
        } while (writing != 0);
      });
    });
  }
  CHECK(workers.join() == "");
  version = static_cast<std::uint64_t>(rounds) * writers;
}

}  // namespace

TEST_CASE("under one handle's lock no thread sees a half-written struct and no change is lost") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard name("lock");
  strait::SharedArray<Checked> array(name, 1);
  std::uint64_t version = 0;
  hammer([&](auto&& use) { use(array); }, version);
  CHECK(array[0].version == version);
  CHECK(array[0].is_whole());
}

TEST_CASE("under the locks of a handle each no thread sees a half-written struct and no change is lost", "[two-mappings]") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard name("lock");
  const strait::SharedArray<Checked> array(name, 1);
  std::uint64_t version = 0;
  hammer(
      [&](auto&& use) {
        strait::SharedArray<Checked> mine(name);
        use(mine);
      },
      version);
  CHECK(array[0].version == version);
  CHECK(array[0].is_whole());
}
