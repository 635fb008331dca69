#pragma once
// A lock that costs its first thread no locked instruction, as long as no other comes. The first to take it marks itself by a plain
// store and a look at `shared`; the second thread that ever comes sets that for good, and pays for the fence
// (platform/asymmetric_fence.hpp). From then on it is a mutex.
//
//   F1  one thread holds it at a time.      F2  it goes to whoever waits, and to whoever tries while nobody has it or is about to.
//   F3  what its last holder did is seen by the next.
//
// Parts (a policy), so that a test can own every interleaving: Atomic<T>, Mutex, Thread (a value for each, Thread{} for none),
// this_thread(), light_fence(), heavy_fence(), and yield(word), before a word is looked at once more.

#include <strait/core/config.hpp>
#include <strait/platform/asymmetric_fence.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

namespace strait::handle {

struct PartsOfProcess {
  template <class T>
  using Atomic = std::atomic<T>;
  using Mutex = std::mutex;
  using Thread = const void*;

  static Thread this_thread() noexcept {
    static thread_local char mark;
    return &mark;
  }
  static void light_fence() noexcept { platform::light_fence(); }
  static void heavy_fence() noexcept { platform::heavy_fence(); }
  template <class Word>
  static void yield(const Word&) noexcept {
    std::this_thread::yield();
  }
};

template <class Parts>
class FirstThreadLockOf {
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
  using Thread = typename Parts::Thread;
  using Flag = typename Parts::template Atomic<std::uint32_t>;

  static Thread this_thread() noexcept { return Parts::this_thread(); }

  bool is_first() noexcept {
    const Thread me = this_thread();
    Thread seen = first_.load(std::memory_order_relaxed);  // relaxed, both: it matters only whether it is this thread
    if (seen == me) [[likely]] return true;
    return seen == Thread{} && first_.compare_exchange_strong(seen, me, std::memory_order_relaxed);
  }

  STRAIT_COLD bool try_mutex() noexcept {
    if (is_mine() || !mutex_.try_lock()) return false;  // no thread may try a std::mutex that it has
    if (!is_free_of_first()) {
      mutex_.unlock();
      return false;
    }
    holder_.store(this_thread(), std::memory_order_relaxed);  // relaxed: each thread looks for itself only
    return true;
  }

  STRAIT_COLD void lock_mutex() noexcept {
    mutex_.lock();
    while (!is_free_of_first()) Parts::yield(busy_);
    holder_.store(this_thread(), std::memory_order_relaxed);  // relaxed: as above
  }

  STRAIT_COLD void unlock_mutex() noexcept {
    holder_.store(Thread{}, std::memory_order_relaxed);  // relaxed: as above
    mutex_.unlock();
  }

  STRAIT_HOT bool try_first() noexcept {
    if (!is_first()) [[unlikely]] {
      share();
      return false;
    }
    if (busy_.load(std::memory_order_relaxed) != 0) [[unlikely]] return false;  // relaxed: this thread's own
    busy_.store(1, std::memory_order_relaxed);  // relaxed: the fence orders it before the look at `shared`
    Parts::light_fence();
    if (shared_.load(std::memory_order_relaxed) == 0) [[likely]] return true;  // relaxed: the fences order it
    // SYNC first-thread: what was done under the lock before.
    busy_.store(0, std::memory_order_release);
    return false;
  }

  // Under the mutex.
  bool is_free_of_first() noexcept {
    // SYNC first-thread: acquires what the first thread did.
    return busy_.load(std::memory_order_acquire) == 0;
  }

  STRAIT_COLD void share() noexcept {
    // SYNC first-thread: whoever sees it set has the fence behind it.
    if (fenced_.load(std::memory_order_acquire) != 0) return;
    const std::lock_guard lock(sharing_);
    shared_.store(1, std::memory_order_relaxed);  // relaxed: the fence follows
    Parts::heavy_fence();
    // SYNC first-thread: as above.
    fenced_.store(1, std::memory_order_release);
  }

  typename Parts::template Atomic<Thread> first_{};
  Flag busy_{};
  Flag shared_{};
  Flag fenced_{};
  typename Parts::Mutex mutex_;
  typename Parts::template Atomic<Thread> holder_{};  // of the mutex
  typename Parts::Mutex sharing_;
};

using FirstThreadLock = FirstThreadLockOf<PartsOfProcess>;

}  // namespace strait::handle
