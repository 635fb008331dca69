#pragma once
// Asymmetric fences by membarrier(2): the rare side makes the kernel run a fence on every processor that runs a thread of this
// process, or of any process that has joined. Where the kernel refuses (old, or emulated), both sides use real fences.

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

// From here on fence_everybody() reaches the threads of this process. False: the system refuses. Said again after each fork and
// exec, and cheap where it was said before.
inline bool join_fences() noexcept {
  const long offered = ::syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  return offered > 0 && (offered & MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0 &&
         ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

// SYNC sleep, close: the partner of what writers and readers leave out after they have changed a node's word.
inline void fence_everybody() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
}

}  // namespace strait::platform

#endif
