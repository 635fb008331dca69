#pragma once
// How far the explorations go, and what they print.
//
//     STRAIT_MODEL_PREEMPTIONS   schedules with up to so many preemptions, or `all` (default 1 to 3, by scenario)
//     STRAIT_MODEL_SCHEDULES     at most so many of each scenario and bound (default 8000000), and a hundredth of it at random
//     STRAIT_MODEL_SEED          the first seed of the random schedules (default 1)

#include "attendance_model.hpp"
#include "ring_model.hpp"

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace strait::model {

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Effort {
  int asked_preemptions = -1;  // -1: what the test says
  std::uint64_t most = 8'000'000;
  std::uint64_t random = 60'000;
  std::uint64_t seed = 1;

  static Effort chosen() {
    Effort effort;
    if (const char* const text = std::getenv("STRAIT_MODEL_PREEMPTIONS")) {
      effort.asked_preemptions = std::strcmp(text, "all") == 0 ? unbounded : std::atoi(text);
    }
    if (std::getenv("STRAIT_MODEL_SCHEDULES") != nullptr) {
      effort.most = from_environment("STRAIT_MODEL_SCHEDULES", effort.most);
      effort.random = effort.most / 100;
    }
    effort.seed = from_environment("STRAIT_MODEL_SEED", effort.seed);
    if (slow_switch) {  // under AddressSanitizer
      if (effort.asked_preemptions < 0) effort.asked_preemptions = 1;
      effort.random /= 20;
    }
    return effort;
  }

  int preemptions(int as_the_test_says) const { return asked_preemptions < 0 ? as_the_test_says : asked_preemptions; }
};

// Where a ring begins, so that the wrap of the laps, the last index and index 0 lie inside a scenario.
inline Position just_before_the_wrap(int nodes) { return {layout::lap_mask, static_cast<std::uint64_t>(nodes - 1)}; }
inline std::vector<Position> every_start(int nodes) {
  std::vector<Position> all;
  for (const std::uint64_t lap : {std::uint64_t{0}, std::uint64_t{5}, layout::lap_mask - 1, layout::lap_mask}) {
    for (int index = 0; index < nodes; ++index) all.push_back({lap, static_cast<std::uint64_t>(index)});
  }
  return all;
}

// Prints one line; empty if all is well, otherwise what went wrong and how to see it again.
inline std::string told(const std::string& name, const Scheduler::Report& report, bool at_random, std::uint64_t seed) {
  std::string how = at_random ? "random from seed " + std::to_string(seed)
                    : report.preemptions == unbounded ? std::string("all")
                    : report.complete ? "all with up to " + std::to_string(report.preemptions) + " preemptions"
                                      : "up to " + std::to_string(report.preemptions) + " preemptions complete";
  std::printf("  %-72s %9" PRIu64 " schedules, %s%s\n", name.c_str(), report.schedules, how.c_str(), report.failure.empty() ? "" : "  FAILED");
  std::fflush(stdout);
  if (report.failure.empty()) return {};
  return name + ": " + report.failure + "\n" + report.replay + "\n" + report.trace;
}

inline std::string explore(const RingScenario& scenario, Position start, const Effort& effort, int preemptions, bool quietly = false) {
  RingModel model(scenario, start);
  const auto report = scheduler.explore(model, {effort.preemptions(std::min(preemptions, scenario.preemptions)), scenario.deaths}, effort.most);
  if (quietly && report.failure.empty()) {
    std::printf("  %-72s %9" PRIu64 " schedules from lap %lld, index %d\n", scenario.name.c_str(), report.schedules,
                static_cast<long long>(start.lap << 16) >> 16, static_cast<int>(start.index));
    return {};
  }
  return told(scenario.name, report, false, 0);
}

inline std::string sample(const RingScenario& scenario, Position start, const Effort& effort) {
  RingModel model(scenario, start);
  return told(scenario.name, scheduler.sample(model, {unbounded, scenario.deaths}, effort.random, effort.seed), true, effort.seed);
}

inline std::string explore(const AttendanceScenario& scenario, const Effort& effort, int preemptions) {
  AttendanceModel model(scenario);
  return told(scenario.name, scheduler.explore(model, {effort.preemptions(preemptions), 0}, effort.most), false, 0);
}

inline std::string sample(const AttendanceScenario& scenario, const Effort& effort) {
  AttendanceModel model(scenario);
  return told(scenario.name, scheduler.sample(model, {unbounded, 0}, effort.random, effort.seed), true, effort.seed);
}

template <class AModel, class Scenario>
std::string explore_one(const Scenario& scenario, const Effort& effort, int preemptions) {
  AModel model(scenario);
  return told(scenario.name, scheduler.explore(model, {effort.preemptions(preemptions), scenario.deaths}, effort.most), false, 0);
}

template <class AModel, class Scenario>
std::string sample_one(const Scenario& scenario, const Effort& effort) {
  AModel model(scenario);
  return told(scenario.name, scheduler.sample(model, {unbounded, scenario.deaths}, effort.random, effort.seed), true,
              effort.seed);
}

}  // namespace strait::model
