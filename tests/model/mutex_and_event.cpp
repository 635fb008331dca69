// Every interleaving of the mutex's and the event's own source, up to a bound of preemptions, and at random beyond.

#include "support/catch.hpp"

#include "event_model.hpp"
#include "exploring.hpp"
#include "mutex_model.hpp"

using namespace strait::model;

TEST_CASE(
    "a mutex has one holder, nobody waits for ever, the first in line is next, and a death is always told, whoever dies at "
    "whatever step") {
  const Effort effort = Effort::chosen();
  for (const SeatedScenario& scenario : mutex_scenarios())
    CHECK(explore_one<MutexModel>(scenario, effort, scenario.deaths > 1 ? 2 : 3) == "");
}

TEST_CASE("a mutex keeps its promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const SeatedScenario& scenario : mutex_scenarios()) CHECK(sample_one<MutexModel>(scenario, effort) == "");
}

TEST_CASE("sets made while threads wait let each of them go, whoever comes, gives up or dies at whatever step") {
  const Effort effort = Effort::chosen();
  for (const EventScenario& scenario : event_scenarios())
    CHECK(explore_one<EventModel>(scenario, effort, scenario.actors.size() > 3 ? 2 : 3) == "");
}

TEST_CASE("an event keeps its promises in schedules drawn at random") {
  const Effort effort = Effort::chosen();
  for (const EventScenario& scenario : event_scenarios()) CHECK(sample_one<EventModel>(scenario, effort) == "");
}
