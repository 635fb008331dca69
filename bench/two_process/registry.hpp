// The list of what can be run: a workload with a subject, and the function that runs it.

#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "../support/phases.hpp"
#include "../support/subject.hpp"
#include "bandwidth.hpp"
#include "one_way.hpp"
#include "round_trip.hpp"

namespace strait::bench {

enum class Unit { million_per_second, gigabytes_per_second, nanoseconds };

struct Settings {
  Plan plan;
  std::vector<unsigned> cpus;
  std::chrono::seconds deadline{60};
  std::size_t nodes = 0;  // 0: the workload's own
  unsigned idle_handles = 0;
  bool probe = false;
};

struct Entry {
  std::string workload;
  std::string subject;
  Kind kind;
  Unit unit;
  Shape shape;
  std::function<std::vector<PhaseResult>(const Shape&, const Settings&)> run;
};

using Registry = std::vector<Entry>;

constexpr Shape small_messages{1024, 64, 1, 1, 0};
constexpr Shape two_and_two{1024, 64, 2, 2, 0};
constexpr Shape large_blocks{20, std::size_t{1} << 20, 1, 1, 0};
constexpr Shape small_blocks{256, 1024, 1, 1, 0};

template <class Subject>
void add_one_way(Registry& registry) {
  registry.push_back({"w1", Subject::name, Subject::kind, Unit::million_per_second, small_messages,
                      [](const Shape& shape, const Settings& s) { return run_one_to_one<Subject>(shape, s.plan, s.cpus, s.deadline); }});
}

template <class Subject>
void add_alone(Registry& registry) {
  registry.push_back({"alone", Subject::name, Subject::kind, Unit::million_per_second, small_messages,
                      [](const Shape& shape, const Settings& s) { return run_alone<Subject>(shape, s.plan, s.cpus, s.deadline); }});
}

/// "w5": the writers on the first processor and the readers on the second; "w5-mixed": one of each on both.
template <class Subject>
void add_many(Registry& registry) {
  for (const bool mixed : {false, true})
    registry.push_back({mixed ? "w5-mixed" : "w5", Subject::name, Subject::kind, Unit::million_per_second, two_and_two,
                        [mixed](const Shape& shape, const Settings& s) {
                          std::vector<unsigned> cpus;
                          for (unsigned i = 0; i < shape.writers; ++i) cpus.push_back(s.cpus[mixed ? i % 2 : 0]);
                          for (unsigned i = 0; i < shape.readers; ++i) cpus.push_back(s.cpus[mixed ? i % 2 : 1]);
                          Plan plan = s.plan;
                          plan.multiple = shape.readers;
                          return run_many_to_many<Subject>(shape, plan, cpus, s.deadline);
                        }});
}

template <class Subject>
void add_blocks(Registry& registry, const Shape& blocks) {
  const std::string workload = blocks.node_bytes == large_blocks.node_bytes ? "w2-1m" : "w2-1k";
  for (const Source source : {Source::hot, Source::random})
    registry.push_back({workload + (source == Source::hot ? "-hot" : "-random"), Subject::name, Subject::kind, Unit::gigabytes_per_second, blocks,
                        [source](const Shape& shape, const Settings& s) {
                          Plan plan = s.plan;
                          plan.first_count = 2 * shape.nodes;
                          plan.multiple = 16;  // a subject may hand over as many at once
                          return run_bandwidth<Subject>(source, shape, plan, s.cpus, s.deadline);
                        }});
}

template <class Subject>
void add_in_place(Registry& registry, const Shape& blocks) {
  const std::string workload = blocks.node_bytes == large_blocks.node_bytes ? "w2-1m-in-place" : "w2-1k-in-place";
  registry.push_back({workload, Subject::name, Subject::kind, Unit::gigabytes_per_second, blocks, [](const Shape& shape, const Settings& s) {
                        Plan plan = s.plan;
                        plan.first_count = 2 * shape.nodes;
                        plan.multiple = 16;
                        return run_in_place<Subject>(shape, plan, s.cpus, s.deadline);
                      }});
}

constexpr Plan round_trip_plan(Plan plan) noexcept {
  plan.first_count = 200;
  return plan;
}

constexpr std::uint64_t think_ns = 40'000;  // more than it takes to fall asleep

/// "w3": back at once; "w3-parked": the other side is asleep each time.
template <class Subject>
void add_round_trip(Registry& registry) {
  registry.push_back({"w3", Subject::name, Subject::kind, Unit::nanoseconds, small_messages, [](const Shape& shape, const Settings& s) {
                        return run_message_round_trips<Subject>(shape, round_trip_plan(s.plan), s.cpus, s.deadline);
                      }});
}

template <class Subject>
void add_parked_round_trip(Registry& registry) {
  registry.push_back({"w3-parked", Subject::name, Subject::kind, Unit::nanoseconds, small_messages, [](const Shape& shape, const Settings& s) {
                        return run_message_round_trips<Subject>(shape, round_trip_plan(s.plan), s.cpus, s.deadline, think_ns);
                      }});
}

template <class Subject>
void add_bare_round_trip(Registry& registry, bool parked) {
  registry.push_back({parked ? "w3-parked" : "w3", Subject::name, Subject::kind, Unit::nanoseconds, small_messages,
                      [parked](const Shape& shape, const Settings& s) {
                        return run_bare_round_trips<Subject>(shape, round_trip_plan(s.plan), s.cpus, s.deadline, parked ? think_ns : 0);
                      }});
}

// Each in a file of its own; which of them exist was found at configuration.
void add_limits(Registry&);
void add_system_peers(Registry&);
void add_boost_peers(Registry&);
void add_zeromq(Registry&);
void add_iceoryx(Registry&);

/// Strait's own subjects are each compiled alone: how much of a call the compiler inlines depends on what else there is to
/// inline in the same source file, and a program has a few calls, not a hundred. They enter themselves here.
class StraitCase {
 public:
  using Adder = void (*)(Registry&);
  explicit StraitCase(Adder adder) { all().push_back(adder); }
  static std::vector<Adder>& all() {
    static std::vector<Adder> adders;
    return adders;
  }
};

}  // namespace strait::bench
