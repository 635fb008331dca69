#pragma once
// The asymmetric fence by membarrier(2): the rare side makes the kernel run a fence on every processor that runs a thread of
// this process. Where the kernel refuses (old, or emulated), both sides use real fences.

#include <strait/core/config.hpp>

#if STRAIT_LINUX

#include <atomic>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace strait::platform {

inline const bool has_membarrier = ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;

inline void light_fence() noexcept {
  if (has_membarrier) {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // SYNC asymmetric: for the compiler; the kernel does the rest
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // SYNC asymmetric
  }
}

// SYNC asymmetric: the partner of light_fence.
inline void heavy_fence() noexcept {
  if (!has_membarrier || ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // SYNC asymmetric
  }
}

}  // namespace strait::platform

#endif
