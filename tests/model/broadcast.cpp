// Every interleaving of the source of broadcast/, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "broadcast_model.hpp"
#include "exploring.hpp"

using namespace strait::model;

TEST_CASE("no lossless subscriber loses a message and no lossy one loses count, whoever joins, leaves and dies at whatever step") {
  const Effort effort = Effort::chosen();
  for (const BroadcastScenario& scenario : broadcast_scenarios())
    CHECK(explore_one<BroadcastModel>(scenario, effort, scenario.deaths > 0 || scenario.actors.size() > 2 ? 1 : 2) == "");
}

TEST_CASE("a publisher's ring keeps its promises in schedules drawn at random") {
  Effort effort = Effort::chosen();
  effort.random /= 4;
  for (const BroadcastScenario& scenario : broadcast_scenarios()) CHECK(sample_one<BroadcastModel>(scenario, effort) == "");
}
