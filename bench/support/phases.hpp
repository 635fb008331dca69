// Warm-up and repeats, the same for every workload: all parties meet at a barrier, run one phase, meet again. The leader
// lengthens the warm-up phases until one takes long enough, sets the number of operations so that a timed phase lasts as long
// as asked for, and then announces the timed phases. What the parties share for that is a `Schedule`.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "barrier.hpp"

namespace strait::bench {

struct Plan {
  unsigned repeats = 5;
  std::uint64_t phase_ns = 400'000'000;
  std::uint64_t fixed_count = 0;  // operations per phase; 0: found in the warm-up
  std::uint64_t first_count = 5'000;
  std::uint64_t multiple = 1;  // counts are multiples of this (every reader gets as many)
};

struct PhaseResult {
  std::uint64_t elapsed_ns = 0;
  std::uint64_t operations = 0;  // per writer; filled in by the schedule
  std::uint32_t p50 = 0, p99 = 0, p999 = 0, least = 0;  // round trips only, ns
};

constexpr unsigned max_repeats = 64;

struct Schedule {
  Barrier barrier;
  std::uint64_t count = 0;
  bool warm_up = true;
  bool over = false;
  unsigned done = 0;
  std::array<PhaseResult, max_repeats> results{};

  void start(const Plan& plan) noexcept {
    count = plan.fixed_count != 0 ? plan.fixed_count : plan.first_count;
    count = rounded(count, plan);
  }

  /// The leader, alone, between the barrier that ends a phase and the one that begins the next.
  void conclude(const Plan& plan, const PhaseResult& result) noexcept {
    if (!warm_up) {
      results[done] = result;
      results[done++].operations = count;
      over = done >= std::min(plan.repeats, max_repeats);
      return;
    }
    const double elapsed = static_cast<double>(std::max<std::uint64_t>(result.elapsed_ns, 1));
    const double wanted = static_cast<double>(plan.phase_ns);
    if (plan.fixed_count != 0) {
      warm_up = false;
    } else if (elapsed < wanted / 4) {
      count = static_cast<std::uint64_t>(static_cast<double>(count) * std::clamp(wanted / 2 / elapsed, 1.5, 16.0)) + 1;
    } else {
      count = static_cast<std::uint64_t>(static_cast<double>(count) * wanted / elapsed) + 1;
      warm_up = false;
    }
    count = rounded(count, plan);
  }

 private:
  static std::uint64_t rounded(std::uint64_t count, const Plan& plan) noexcept {
    return (count + plan.multiple - 1) / plan.multiple * plan.multiple;
  }
};

}  // namespace strait::bench
