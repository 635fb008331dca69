// The blocking call: verdicts, its last try, and that it asks after the dead. Times are waited for, never asserted from above.

#include "support/catch.hpp"
#include "support/watchdog.hpp"
#include "support/workers.hpp"

#include <strait/wait/blocking.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

using namespace strait;
using namespace strait::wait;
using namespace std::chrono_literals;

namespace {

// A call of until() whose parts can be counted.
struct Call {
  std::atomic<std::uint32_t> signal{0};
  platform::Park park = platform::Park::of_this_process();
  WaitPolicy policy{};
  int attempts = 0;
  int fenced = 0;
  int asked = 0;
  int slept = 0;
  bool fenced_announced = false;

  template <class Attempt>
  Waited run(Timeout timeout, Attempt attempt, AfterSlice answer = AfterSlice::go_on) {
    return until(
        OnSignal(signal, park), policy, timeout,
        [&] {
          ++attempts;
          return attempt();
        },
        [&] {
          ++fenced;
          fenced_announced = (signal.load() & may_sleep) != 0;
        },
        [&] {
          ++asked;
          return answer;
        },
        [&] { ++slept; });
  }
};

}  // namespace

TEST_CASE("what is there at once is had without a sleep") {
  const test::Watchdog watchdog;
  for (const Timeout timeout : {no_wait, Timeout(1ms), forever}) {
    Call call;
    CHECK(call.run(timeout, [] { return true; }) == Waited::done);
    CHECK(call.attempts == 1);
    CHECK(call.slept == 0);
    CHECK(call.asked == 0);
    CHECK(call.signal.load() == 0);
  }
}

TEST_CASE("no_wait tries once") {
  Call call;
  CHECK(call.run(no_wait, [] { return false; }) == Waited::timed_out);
  CHECK(call.attempts == 1);
  CHECK(call.slept == 0);
}

TEST_CASE("at the deadline the dead are asked after, and there is a last try") {
  const test::Watchdog watchdog;
  for (const bool may_park : {true, false}) {
    Call call;
    call.policy.park = may_park;
    const auto before = std::chrono::steady_clock::now();
    CHECK(call.run(5ms, [] { return false; }) == Waited::timed_out);
    CHECK(std::chrono::steady_clock::now() - before >= 5ms);
    CHECK(call.asked >= 1);
    Call lucky;
    lucky.policy.park = may_park;
    CHECK(lucky.run(5ms, [&] { return lucky.asked > 0; }) == Waited::done);
  }
}

TEST_CASE("a call that is told to stop stops, after a last try") {
  const test::Watchdog watchdog;
  for (const bool may_park : {true, false}) {
    Call call;
    call.policy.park = may_park;
    CHECK(call.run(forever, [] { return false; }, AfterSlice::stop) == Waited::stopped);
    CHECK(call.asked == 1);
    Call lucky;
    lucky.policy.park = may_park;
    CHECK(lucky.run(forever, [&] { return lucky.asked == 1; }, AfterSlice::stop) == Waited::done);
  }
}

TEST_CASE("whoever announced looks again before it sleeps") {
  const test::Watchdog watchdog;
  Call call;
  call.policy.spin = 0ns;
  // True from the announcement on: if it slept first, nobody would wake it for a slice, and `slept` would tell.
  CHECK(call.run(forever, [&] { return (call.signal.load() & may_sleep) != 0; }) == Waited::done);
  CHECK(call.slept == 0);
}

TEST_CASE("whoever announced fences before it looks again") {
  const test::Watchdog watchdog;
  Call call;
  call.policy.spin = 0ns;
  CHECK(call.run(forever, [&] { return call.fenced == 1; }) == Waited::done);
  CHECK(call.fenced_announced);
  CHECK(call.slept == 0);
}

TEST_CASE("a sleeper is woken, whoever sleeps beside it") {
  const test::Watchdog watchdog;
  std::atomic<std::uint32_t> signal{0};
  std::atomic<int> things{0};
  std::atomic<int> had{0};
  platform::Park park = platform::Park::of_this_process();
  WaitPolicy policy{};
  policy.spin = 0ns;
  test::Workers workers;
  for (int i = 0; i < 4; ++i) {
    workers.run([&] {
      const auto waited = until(
          OnSignal(signal, park), policy, forever,
          [&] {
            int seen = things.load();
            while (seen > 0) {
              if (things.compare_exchange_strong(seen, seen - 1)) return true;
            }
            return false;
          },
          [] {}, [] { return AfterSlice::go_on; }, [] {});
      if (waited == Waited::done) ++had;
    });
  }
  for (int i = 0; i < 4; ++i) {
    ++things;
    wake(signal, park);
  }
  CHECK(workers.join() == "");
  CHECK(had == 4);
}
