// Every interleaving of an endpoint's threads as they take turns at receiving, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "attendance_model.hpp"
#include "exploring.hpp"

using namespace strait::model;

TEST_CASE("whatever user code does, somebody receives, every request is served, and nobody sleeps on") {
  const Effort effort = Effort::chosen();
  for (const AttendanceScenario& scenario : attendance_scenarios()) CHECK(explore(scenario, effort, scenario.preemptions) == "");
}

TEST_CASE("receiving is handed on in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const AttendanceScenario& scenario : attendance_scenarios()) CHECK(sample(scenario, effort) == "");
}
