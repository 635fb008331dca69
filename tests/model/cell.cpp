// Every interleaving of the cell's own source, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "cell_model.hpp"
#include "exploring.hpp"

using namespace strait::model;

TEST_CASE(
    "no reader sees half a change, each change is one version, and the old value comes back, whoever dies at whatever step") {
  const Effort effort = Effort::chosen();
  for (const CellScenario& scenario : cell_scenarios())
    CHECK(explore_one<CellModel>(scenario, effort, scenario.actors.size() > 3 ? 2 : 3) == "");
}

TEST_CASE("a cell keeps its promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const CellScenario& scenario : cell_scenarios()) CHECK(sample_one<CellModel>(scenario, effort) == "");
}
