#pragma once
// A lock that costs its first thread no locked instruction, as long as no other comes. The first to take it marks itself by a plain
// store and a look at `shared`; the second thread that ever comes sets that for good, and pays for the fence
// (platform/asymmetric_fence.hpp). From then on it is a mutex.

#include <strait/core/config.hpp>
#include <strait/platform/asymmetric_fence.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

namespace strait::handle {

class FirstThreadLock {
 public:
  // False also where this thread holds it: ask is_mine().
  STRAIT_HOT bool try_lock() noexcept { return try_first() || try_mutex(); }

  STRAIT_HOT void lock() noexcept {
    if (!try_first()) lock_mutex();
  }

  // Does this thread hold it?
  bool is_mine() noexcept {
    // relaxed, both: only this thread stores what it compares with
    return (is_first() && busy_.load(std::memory_order_relaxed) != 0) || holder_.load(std::memory_order_relaxed) == this_thread();
  }

  STRAIT_HOT void unlock() noexcept {
    // relaxed: only the first thread stores there, and it is 0 while that thread has the mutex
    if (is_first() && busy_.load(std::memory_order_relaxed) != 0) [[likely]] {
      // SYNC first-thread: as above.
      busy_.store(0, std::memory_order_release);
    } else {
      unlock_mutex();
    }
  }

 private:
  static const void* this_thread() noexcept {
    static thread_local char mark;
    return &mark;
  }

  bool is_first() noexcept {
    const void* const me = this_thread();
    const void* seen = first_.load(std::memory_order_relaxed);  // relaxed, both: it matters only whether it is this thread
    if (seen == me) [[likely]] return true;
    return seen == nullptr && first_.compare_exchange_strong(seen, me, std::memory_order_relaxed);
  }

  STRAIT_COLD bool try_mutex() noexcept {
    if (is_mine() || !mutex_.try_lock()) return false;
    if (!is_free_of_first()) {
      mutex_.unlock();
      return false;
    }
    holder_.store(this_thread(), std::memory_order_relaxed);  // relaxed: each thread looks for itself only
    return true;
  }

  STRAIT_COLD void lock_mutex() noexcept {
    mutex_.lock();
    while (!is_free_of_first()) std::this_thread::yield();
    holder_.store(this_thread(), std::memory_order_relaxed);  // relaxed: as above
  }

  STRAIT_COLD void unlock_mutex() noexcept {
    holder_.store(nullptr, std::memory_order_relaxed);  // relaxed: as above
    mutex_.unlock();
  }

  STRAIT_HOT bool try_first() noexcept {
    if (!is_first()) [[unlikely]] {
      share();
      return false;
    }
    if (busy_.load(std::memory_order_relaxed) != 0) [[unlikely]] return false;  // relaxed: this thread's own
    busy_.store(1, std::memory_order_relaxed);  // relaxed: the fence orders it before the look at `shared`
    platform::light_fence();
    if (shared_.load(std::memory_order_relaxed) == 0) [[likely]] return true;  // relaxed: the fences order it
    // SYNC first-thread: what was done under the lock before.
    busy_.store(0, std::memory_order_release);
    return false;
  }

  // Under the mutex.
  bool is_free_of_first() noexcept {
    // SYNC first-thread: acquires what the first thread did.
    return is_first() || busy_.load(std::memory_order_acquire) == 0;
  }

  STRAIT_COLD void share() noexcept {
    // SYNC first-thread: whoever sees it set has the fence behind it.
    if (fenced_.load(std::memory_order_acquire) != 0) return;
    const std::lock_guard lock(sharing_);
    shared_.store(1, std::memory_order_relaxed);  // relaxed: the fence follows
    platform::heavy_fence();
    // SYNC first-thread: as above.
    fenced_.store(1, std::memory_order_release);
  }

  std::atomic<const void*> first_{nullptr};
  std::atomic<std::uint32_t> busy_{0};
  std::atomic<std::uint32_t> shared_{0};
  std::atomic<std::uint32_t> fenced_{0};
  std::mutex mutex_;
  std::atomic<const void*> holder_{nullptr};  // of the mutex
  std::mutex sharing_;
};

}  // namespace strait::handle
