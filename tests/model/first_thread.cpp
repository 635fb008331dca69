// Every interleaving of the source of the lock that threads of a handle share, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "exploring.hpp"
#include "first_thread_model.hpp"

using namespace strait::model;

TEST_CASE("the lock of threads that share a handle has one holder, goes to whoever waits, and shows the next what the last one did") {
  const Effort effort = Effort::chosen();
  for (const FirstThreadScenario& scenario : first_thread_scenarios()) CHECK(explore_one<FirstThreadModel>(scenario, effort, scenario.preemptions) == "");
}

TEST_CASE("the lock of threads that share a handle keeps its promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const FirstThreadScenario& scenario : first_thread_scenarios()) CHECK(sample_one<FirstThreadModel>(scenario, effort) == "");
}
