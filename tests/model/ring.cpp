// Every interleaving of the ring's own source, up to a bound of preemptions: what ring_scenarios.hpp lists, from just before the
// laps wrap; the same from every other place; and larger parties at random. See exploring.hpp for how to go deeper. No watchdog: a schedule that does not end fails by its count of
// steps, and ctest ends a program that does not.

#include "support/catch.hpp"

#include "exploring.hpp"
#include "ring_scenarios.hpp"

namespace {

using namespace strait::model;

void explore_all(const std::vector<RingScenario>& scenarios, int preemptions) {
  const Effort effort = Effort::chosen();
  for (const RingScenario& scenario : scenarios) CHECK(explore(scenario, just_before_the_wrap(scenario.nodes), effort, preemptions) == "");
}

void sweep(const std::vector<RingScenario>& scenarios) {
  const Effort effort = Effort::chosen();
  for (const RingScenario& scenario : scenarios) {
    for (const Position start : every_start(scenario.nodes)) CHECK(explore(scenario, start, effort, 1, true) == "");
  }
}

}  // namespace

TEST_CASE("messages are delivered once and in order, and no wake-up is lost, whatever the interleaving") { explore_all(undisturbed(), 3); }
TEST_CASE("exclusive sides keep what they hold, with several claims and several takes") { explore_all(exclusive(), 3); }
TEST_CASE("a write that returned ok is never left behind by a reader that returned closed") { explore_all(closing(), 3); }
TEST_CASE("where sleepers fence, a message that others see late wakes them all the same, and none is left behind by the end") {
  explore_all(late(undisturbed()), 2);
  explore_all(late(exclusive()), 2);
  explore_all(late(closing()), 3);
}
TEST_CASE("where sleepers fence, a party may die at any step") { explore_all(late(one_death()), 2); }

TEST_CASE("threads that share a handle's cursors miss no message that was given back") { explore_all(shared_handle(), 2); }
TEST_CASE("a party may die at any step: the others finish, nothing acknowledged is lost, no node and no seat") { explore_all(one_death(), 3); }
TEST_CASE("a mender may die at any step: the next one finishes its work") { explore_all(two_deaths(), 1); }

TEST_CASE("the ring is the same at every index, at the first lap and around the wrap of the laps") {
  sweep(undisturbed());
  sweep(exclusive());
}
TEST_CASE("deaths are mended at every index, at the first lap and around the wrap of the laps") { sweep(one_death()); }

TEST_CASE("larger parties, drawn at random, keep every promise") {
  const Effort effort = Effort::chosen();
  for (const RingScenario& scenario : large()) CHECK(sample(scenario, just_before_the_wrap(scenario.nodes), effort) == "");
  for (const RingScenario& scenario : late(large())) CHECK(sample(scenario, just_before_the_wrap(scenario.nodes), effort) == "");
}
