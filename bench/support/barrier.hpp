// A barrier for processes in shared memory: spins, and gives the processor away when it takes long (several processes may
// share one). The parent watches the time; a barrier itself never gives up.

#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "clock.hpp"

namespace strait::bench {

class Barrier {
 public:
  void arrive(unsigned parties) noexcept {
    const std::uint32_t round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (unsigned spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
      relax();
      if (spins > 2000) ::sched_yield();
    }
  }

 private:
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

}  // namespace strait::bench
