// Every interleaving of the fallback's life lock, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "exploring.hpp"
#include "life_model.hpp"

using namespace strait::model;

TEST_CASE(
    "with locks that are converted by letting go, a name means one object as long as anybody living holds it, whoever dies") {
  const Effort effort = Effort::chosen();
  for (const ScriptedScenario& scenario : life_scenarios())
    CHECK(explore_one<LifeModel>(scenario, effort, scenario.deaths > 1 ? 2 : 3) == "");
}

TEST_CASE("the fallback's life lock keeps its promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const ScriptedScenario& scenario : life_scenarios()) CHECK(sample_one<LifeModel>(scenario, effort) == "");
}
