// Every interleaving of the lock's own source, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "exploring.hpp"
#include "lock_model.hpp"

using namespace strait::model;

TEST_CASE("a writer is alone, nobody waits for ever, and an abandoned lock is always told, whoever dies at whatever step") {
  const Effort effort = Effort::chosen();
  for (const SeatedScenario& scenario : lock_scenarios()) {
    CHECK(explore_one<LockModel>(scenario, effort, scenario.actors.size() > 3 || scenario.deaths > 1 ? 2 : 3) == "");
  }
}

TEST_CASE("the lock keeps its promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const SeatedScenario& scenario : lock_scenarios()) CHECK(sample_one<LockModel>(scenario, effort) == "");
}
