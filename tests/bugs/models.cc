// The model's scenarios without Catch2, for run.sh: ends with 1 and prints the first violation. Not part of the test program.

#include "../model/broadcast_model.hpp"
#include "../model/cell_model.hpp"
#include "../model/event_model.hpp"
#include "../model/exploring.hpp"
#include "../model/first_thread_model.hpp"
#include "../model/life_model.hpp"
#include "../model/lock_model.hpp"
#include "../model/mutex_model.hpp"
#include "../model/pair_model.hpp"
#include "../model/ring_scenarios.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

using namespace strait::model;

int main(int argc, char** argv) {
  Effort effort = Effort::chosen();
  effort.most = 2'000'000;
  const std::string group = argc > 1 ? argv[1] : "all";
  const auto judge = [](const std::string& failure) {
    if (failure.empty()) return;
    std::printf("CAUGHT %s\n", failure.c_str());
    std::exit(1);
  };
  const auto rings = [&](const char* name, const std::vector<RingScenario>& scenarios) {
    if (group != name && group != "all") return;
    for (int preemptions = 0; preemptions <= 2; ++preemptions) {
      for (const RingScenario& scenario : scenarios) {
        for (const Position start : {Position{5, 0}, just_before_the_wrap(scenario.nodes)}) {
          RingModel model(scenario, start);
          judge(told(scenario.name, scheduler.explore(model, {preemptions, scenario.deaths}, 400'000), false, 0));
        }
      }
    }
  };
  rings("undisturbed", undisturbed());
  rings("exclusive", exclusive());
  rings("closing", closing());
  rings("late", late(undisturbed()));
  rings("late", late(exclusive()));
  rings("late", late(closing()));
  rings("shared_handle", shared_handle());
  rings("one_death", one_death());
  rings("two_deaths", two_deaths());
  if (group == "lock" || group == "all") {
    for (const SeatedScenario& scenario : lock_scenarios()) judge(explore_one<LockModel>(scenario, effort, 2));
  }
  if (group == "attendance" || group == "all") {
    for (const AttendanceScenario& scenario : attendance_scenarios()) judge(explore(scenario, effort, std::min(scenario.preemptions, 2)));
  }
  if (group == "mutex" || group == "all") {
    for (const SeatedScenario& scenario : mutex_scenarios()) judge(explore_one<MutexModel>(scenario, effort, 2));
  }
  if (group == "event" || group == "all") {
    for (const EventScenario& scenario : event_scenarios()) judge(explore_one<EventModel>(scenario, effort, 2));
  }
  if (group == "cell" || group == "all") {
    for (const CellScenario& scenario : cell_scenarios()) judge(explore_one<CellModel>(scenario, effort, 2));
  }
  if (group == "broadcast" || group == "all") {
    effort.random = 20'000;
    for (const BroadcastScenario& scenario : broadcast_scenarios()) {
      judge(explore_one<BroadcastModel>(scenario, effort, 1));
      judge(sample_one<BroadcastModel>(scenario, effort));
    }
  }
  if (group == "first_thread" || group == "all") {
    for (const FirstThreadScenario& scenario : first_thread_scenarios()) judge(explore_one<FirstThreadModel>(scenario, effort, std::min(scenario.preemptions, 2)));
  }
  if (group == "pair" || group == "all") {
    for (const ScriptedScenario& scenario : pair_scenarios()) judge(explore_one<PairModel>(scenario, effort, 2));
  }
  if (group == "life" || group == "all") {
    for (const ScriptedScenario& scenario : life_scenarios()) judge(explore_one<LifeModel>(scenario, effort, 3));
  }
  std::printf("SURVIVED\n");
  return 0;
}
