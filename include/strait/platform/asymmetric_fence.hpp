#pragma once
// Fences whose cost lies on one side. The frequent side stores a word of its own and then loads another with only
// light_fence() in between; the rare side stores the other word, calls heavy_fence() and then loads the first. One of the
// two sees the other's store. This pair is for the threads of one process.
//
// Between processes: the frequent side has called join_fences() once, and only keeps the compiler from reordering; the rare side
// calls fence_everybody(). All parties of a segment must be able to, which its creator finds out and its header records.

#include <strait/core/config.hpp>

#if STRAIT_LINUX
#include <strait/platform/linux/membarrier.hpp>
#else

#include <atomic>

namespace strait::platform {

// SYNC asymmetric: without help from the system both sides pay.
inline void light_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }
// SYNC asymmetric: the partner of light_fence.
inline void heavy_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

inline bool join_fences() noexcept { return false; }
// SYNC sleep, close: never needed where nobody can join.
inline void fence_everybody() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace strait::platform

#endif
