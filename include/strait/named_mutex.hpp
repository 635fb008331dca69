#pragma once
// NamedMutex: a mutex between processes that survives the death of its holder.

#include <strait/core/name.hpp>
#include <strait/error.hpp>
#include <strait/handle/segment_mutex.hpp>
#include <strait/options.hpp>
#include <strait/platform/kernel_objects.hpp>
#include <strait/timeout.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace strait {

/// Opens the mutex of this name, or creates it. It belongs to the thread that locked it; a second lock by the same thread throws
/// would_deadlock, an unlock by another not_held. Where its holder died, or a thread ended holding it, the next one gets it and
/// `was_abandoned()` tells. A waiter that was overtaken for a millisecond is served next. Works with `std::unique_lock` and
/// `std::scoped_lock`. Movable, not copyable; the destructor closes, which lets go of the mutex. (On Windows it is the system's own
/// mutex: the thread that holds it lets go of it by closing, another cannot.) Any thread, any process.
class NamedMutex {
 public:
  explicit NamedMutex(std::string_view name, const OpenOptions& options = {}) : mutex_(std::make_unique<Mutex>(core::checked_name(name), options)) {}

  const std::string& name() const { return mutex().name(); }

  void lock() { static_cast<void>(mutex().lock(forever)); }
  bool try_lock() { return mutex().lock(no_wait); }

  /// False: timed out.
  bool try_lock_for(Timeout timeout) { return mutex().lock(timeout); }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& when) {
    const auto now = Clock::now();
    return mutex().lock(when <= now ? no_wait : Timeout(when - now));
  }

  void unlock() { mutex().unlock(); }

  /// For the holder: the last one died, or its thread ended, holding it. Stands until the holder unlocks.
  bool was_abandoned() const { return mutex().was_abandoned(); }

  /// Ends this handle; idempotent. Threads that wait through it get Errc::closed.
  void close() {
    if (mutex_) mutex_->close();
  }

 private:
  using Mutex = std::conditional_t<platform::has_kernel_objects, platform::KernelMutex, handle::SegmentMutex>;

  Mutex& mutex() const {
    if (!mutex_) handle::Gate::throw_closed("(moved from)");
    return *mutex_;
  }

  std::unique_ptr<Mutex> mutex_;
};

}  // namespace strait
