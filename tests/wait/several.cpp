// Sleeping on several words at once.

#include "support/catch.hpp"
#include "support/watchdog.hpp"
#include "support/workers.hpp"

#include <strait/wait/several.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using namespace strait;
using namespace strait::wait;
using namespace std::chrono_literals;

namespace {

using platform::Park;

// Something that comes when its number is set, and notes what was asked of it.
struct Thing final : Source {
  std::atomic<std::uint32_t> signal{0};
  std::atomic<bool> is_there{false};
  Park park = Park::of_this_process();
  bool is_heard = true;
  AfterSlice answer = AfterSlice::go_on;
  int attempts = 0, fenced = 0, asked = 0, slept = 0;

  bool attempt() override {
    ++attempts;
    return is_there;
  }
  Where where() const noexcept override {
    if (!is_heard) return {};
    return {const_cast<std::atomic<std::uint32_t>*>(&signal), &park};
  }
  WaitPolicy policy() const noexcept override { return {.spin = 0ns}; }
  void fence() noexcept override { ++fenced; }
  AfterSlice after_slice() override {
    ++asked;
    return answer;
  }
  void count_sleep() noexcept override { ++slept; }

  void come() {
    is_there = true;
    wake(signal, park);
  }
};

template <std::size_t n>
Came wait_for(std::array<Thing, n>& things, Timeout timeout) {
  std::array<Source*, n> all{};
  for (std::size_t i = 0; i < n; ++i) all[i] = &things[i];
  return until_any(std::span<Source* const, n>(all), timeout);
}

}  // namespace

TEST_CASE("a sleep on several words ends with the wake of any of them") {
  const test::Watchdog watchdog;
  // More than the system can sleep on at once as well.
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{64}, std::size_t{65}, std::size_t{128}, std::size_t{200}}) {
    CAPTURE(count);
    const Park park = Park::of_this_process();
    std::vector<std::atomic<std::uint32_t>> words(count);
    for (const std::size_t which : {std::size_t{0}, count / 2, count - 1}) {
      std::vector<Park::Spot> spots;
      for (auto& word : words) spots.push_back({&park, &word, announce(word)});
      test::Workers workers;
      workers.run([&] { wake(words[which], park); });
      CHECK(Park::sleep_any(spots, 1h));
      CHECK(workers.join() == "");
    }
  }
}

TEST_CASE("a sleep on several words does not begin where one has changed, and ends when its time is over") {
  const test::Watchdog watchdog;
  const Park park = Park::of_this_process();
  std::array<std::atomic<std::uint32_t>, 3> words{};
  std::vector<Park::Spot> spots;
  for (auto& word : words) spots.push_back({&park, &word, announce(word)});
  CHECK_FALSE(Park::sleep_any(spots, 1ms));
  words[1] = 77;
  CHECK(Park::sleep_any(spots, 1h));
}

TEST_CASE("a wait for several things tells which has come, the first of several") {
  const test::Watchdog watchdog;
  std::array<Thing, 3> things;
  CHECK(wait_for(things, no_wait).waited == Waited::timed_out);
  CHECK(wait_for(things, 1ms).index == 3);
  things[2].is_there = true;
  CHECK(wait_for(things, forever).index == 2);
  things[1].is_there = true;
  CHECK(wait_for(things, forever).index == 1);
}

TEST_CASE("each of several things is announced to, fenced, looked at again and asked after") {
  const test::Watchdog watchdog;
  std::array<Thing, 3> things;
  CHECK(wait_for(things, 1ms).waited == Waited::timed_out);
  for (Thing& thing : things) {
    CHECK((thing.signal.load() & may_sleep) != 0);
    CHECK(thing.fenced >= 1);
    CHECK(thing.slept >= 1);
    CHECK(thing.attempts >= 3);  // at once, after the announcement, at the end
    CHECK(thing.asked >= 1);
  }
}

TEST_CASE("what has lost its peers ends the wait, and something that is there all the same comes first") {
  const test::Watchdog watchdog;
  std::array<Thing, 3> things;
  things[1].answer = AfterSlice::stop;
  const auto lost = wait_for(things, forever);
  CHECK((lost.waited == Waited::stopped && lost.index == 1));
  things[2].is_there = true;
  const auto there = wait_for(things, forever);
  CHECK((there.waited == Waited::done && there.index == 2));
}

TEST_CASE("what cannot be told of sleepers is looked at every now and then") {
  const test::Watchdog watchdog;
  for (const bool both : {false, true}) {
    std::array<Thing, 2> things;
    things[0].is_heard = !both;
    things[1].is_heard = false;
    test::Workers workers;
    workers.run([&] { things[1].is_there = true; });
    CHECK(wait_for(things, forever).index == 1);
    CHECK(workers.join() == "");
  }
}
