// Every interleaving of the C# library's ring as our own sides use it, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "dotnet_model.hpp"
#include "exploring.hpp"

using namespace strait::model;

TEST_CASE("dotnet: among our own sides each message comes once and in order, no node is lost, and nobody sleeps for ever") {
  const Effort effort = Effort::chosen();
  for (const DotnetScenario& scenario : dotnet_scenarios()) CHECK(explore_one<DotnetModel>(scenario, effort, scenario.preemptions) == "");
  for (const DotnetScenario& scenario : dotnet_less_than_a_lap()) CHECK(explore_one<DotnetModel>(scenario, effort, scenario.preemptions) == "");
}

TEST_CASE("dotnet: our own sides keep their promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const DotnetScenario& scenario : dotnet_crowds()) CHECK(sample_one<DotnetModel>(scenario, effort) == "");
}

TEST_CASE("dotnet: where writers or readers do not take turns, as C# ones do not, the model finds that cursors cross") {
  const Effort effort = Effort::chosen();
  for (const DotnetScenario& scenario : dotnet_without_turns()) {
    CHECK(explore_one<DotnetModel>(scenario, effort, 4) != "");
  }
}
