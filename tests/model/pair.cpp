// Every interleaving of the life of a struct's two objects, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "exploring.hpp"
#include "pair_model.hpp"

using namespace strait::model;

TEST_CASE(
    "a struct's bytes and its control segment are made, found and removed together, whoever dies at whatever step, and foreign "
    "bytes never") {
  const Effort effort = Effort::chosen();
  for (const ScriptedScenario& scenario : pair_scenarios())
    CHECK(explore_one<PairModel>(scenario, effort, scenario.deaths > 1 ? 2 : 3) == "");
}

TEST_CASE("a struct's two objects keep their promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const ScriptedScenario& scenario : pair_scenarios()) CHECK(sample_one<PairModel>(scenario, effort) == "");
}
