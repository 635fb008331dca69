// The signal, one thread, no kernel: what each step leaves in the word, and who is woken.

#include "support/catch.hpp"

#include <strait/wait/signal.hpp>

#include <atomic>
#include <cstdint>

using namespace strait::wait;

namespace {

struct CountingPark {
  int wakes = 0;
  void wake_all(std::atomic<std::uint32_t>&, std::uint32_t) noexcept { ++wakes; }
};

// An atomic that somebody else changes just before a compare-and-swap.
class Contended {
 public:
  std::uint32_t value = 0;
  int disturbances = 0;
  std::uint32_t disturbed_to = 0;

  std::uint32_t load(std::memory_order) const { return value; }
  bool compare_exchange_strong(std::uint32_t& expected, std::uint32_t desired, std::memory_order, std::memory_order) {
    if (disturbances > 0) {
      --disturbances;
      value = disturbed_to;
    }
    if (value != expected) {
      expected = value;
      return false;
    }
    value = desired;
    return true;
  }
};

struct ContendedPark {
  int wakes = 0;
  void wake_all(Contended&, std::uint32_t) noexcept { ++wakes; }
};

}  // namespace

TEST_CASE("a wake makes no system call and no store while nobody may sleep") {
  for (const std::uint32_t word : {0u, 2u, 0xFFFFFFFEu}) {
    std::atomic<std::uint32_t> signal{word};
    CountingPark park;
    wake(signal, park);
    CHECK(signal.load() == word);
    CHECK(park.wakes == 0);
  }
}

TEST_CASE("an announcement sets the bit and says on which word to park") {
  std::atomic<std::uint32_t> signal{6};
  CHECK(announce(signal) == 7);
  CHECK(signal.load() == 7);
  CHECK(announce(signal) == 7);  // a second sleeper parks on the same word
}

TEST_CASE("a wake clears the bit, goes on to the next number and wakes all once") {
  std::atomic<std::uint32_t> signal{6};
  CountingPark park;
  static_cast<void>(announce(signal));
  wake(signal, park);
  CHECK(signal.load() == 8);
  CHECK(park.wakes == 1);
  wake(signal, park);
  CHECK(park.wakes == 1);
}

TEST_CASE("what was announced before a wake is never the word again after it") {
  std::atomic<std::uint32_t> signal{0};
  CountingPark park;
  const auto first = announce(signal);
  wake(signal, park);
  const auto second = announce(signal);
  CHECK(first != second);
  CHECK(signal.load() != first);
}

TEST_CASE("the number wraps") {
  std::atomic<std::uint32_t> signal{0xFFFFFFFE};
  CountingPark park;
  CHECK(announce(signal) == 0xFFFFFFFF);
  wake(signal, park);
  CHECK(signal.load() == 0);
  CHECK(park.wakes == 1);
}

TEST_CASE("of two wakers one wakes, and the other is done when it sees that") {
  Contended signal;
  signal.value = 7;
  signal.disturbances = 1;
  signal.disturbed_to = 8;  // the other was faster
  ContendedPark park;
  wake(signal, park);
  CHECK(signal.value == 8);
  CHECK(park.wakes == 0);
}

TEST_CASE("a waker that lost to another and a new announcement wakes again") {
  Contended signal;
  signal.value = 7;
  signal.disturbances = 1;
  signal.disturbed_to = 9;  // woken, and announced anew
  ContendedPark park;
  wake(signal, park);
  CHECK(signal.value == 10);
  CHECK(park.wakes == 1);
}

TEST_CASE("a sleeper that died costs one needless wake") {
  std::atomic<std::uint32_t> signal{0};
  CountingPark park;
  static_cast<void>(announce(signal));  // and nobody parks
  wake(signal, park);
  wake(signal, park);
  wake(signal, park);
  CHECK(park.wakes == 1);
}
