#pragma once
// A fence whose cost lies on one side. The frequent side stores a word of its own and then loads another with only
// light_fence() in between; the rare side stores the other word, calls heavy_fence() and then loads the first. One of the
// two sees the other's store. Between threads of one process only.

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

}  // namespace strait::platform

#endif
