// What strait-bench-publish compares, each in a source file of its own: in one file with all of them the compiler stops inlining.

#pragma once

#include <chrono>
#include <vector>

#include "../support/phases.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

constexpr Shape small_messages{1024, 64, 1, 1, 0};
constexpr Shape large_blocks{20, std::size_t{1} << 20, 1, 1, 0};

using Phases = std::vector<PhaseResult>;
using Cpus = std::vector<unsigned>;

Phases small_topic(const Plan&, const Cpus&, std::chrono::seconds deadline);
Phases small_ring(const Plan&, const Cpus&, std::chrono::seconds deadline);
Phases small_iceoryx(const Plan&, const Cpus&, std::chrono::seconds deadline);
Phases large_topic(const Plan&, const Cpus&, std::chrono::seconds deadline);
Phases large_limit(const Plan&, const Cpus&, std::chrono::seconds deadline);
Phases large_iceoryx(const Plan&, const Cpus&, std::chrono::seconds deadline);

}  // namespace strait::bench
