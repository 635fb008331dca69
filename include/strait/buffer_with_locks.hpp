#pragma once
// BufferWithLocks: a segment with a robust reader-writer lock. Base of SharedArray and BufferReadWrite.

#include <strait/error.hpp>
#include <strait/handle/lock_handle.hpp>
#include <strait/shared_buffer.hpp>
#include <strait/timeout.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace strait {

/// A lock that excludes everybody else for a writer and is shared by readers, across processes. A lock belongs to the thread that
/// took it, is not recursive and is not upgraded (would_deadlock); releasing what is not held throws not_held. The lock of a
/// holder that died is free, and `was_abandoned()` tells that the data may be half written. Closing the handle releases it too.
/// Works with `std::unique_lock` and `std::shared_lock`. Any thread, any process.
class BufferWithLocks : public SharedBuffer {
 public:
  /// False: timed out.
  bool acquire_read_lock(Timeout timeout = forever) {
    const auto visit = enter();
    return locks().lock.lock_shared(shared_session(), gate(), timeout);
  }
  void release_read_lock() {
    release([](handle::LockHandle& lock) { lock.unlock_shared(); });
  }

  /// False: timed out.
  bool acquire_write_lock(Timeout timeout = forever) {
    const auto visit = enter();
    return locks().lock.lock(shared_session(), gate(), timeout);
  }
  void release_write_lock() {
    release([](handle::LockHandle& lock) { lock.unlock(); });
  }

  // The names of the standard's Lockable and SharedLockable.
  void lock() { static_cast<void>(acquire_write_lock(forever)); }
  bool try_lock() { return acquire_write_lock(no_wait); }
  bool try_lock_for(Timeout timeout) { return acquire_write_lock(timeout); }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& when) {
    return acquire_write_lock(until(when));
  }
  void unlock() { release_write_lock(); }

  void lock_shared() { static_cast<void>(acquire_read_lock(forever)); }
  bool try_lock_shared() { return acquire_read_lock(no_wait); }
  bool try_lock_shared_for(Timeout timeout) { return acquire_read_lock(timeout); }
  template <class Clock, class Duration>
  bool try_lock_shared_until(const std::chrono::time_point<Clock, Duration>& when) {
    return acquire_read_lock(until(when));
  }
  void unlock_shared() { release_read_lock(); }

  /// The last writer died, or its thread exited, holding the lock: the data may be half written. Settled when the next explicit
  /// write lock is released; the bulk writes of the derived classes leave it standing.
  bool was_abandoned() const {
    const auto visit = enter();
    return locks().lock.is_abandoned();
  }

  /// How long bulk reads and writes wait for another holder's lock before they throw timed_out. Default 100 ms.
  std::chrono::milliseconds read_write_timeout() const {
    return std::chrono::milliseconds(locks().read_write_timeout.load(std::memory_order_relaxed));  // relaxed: a number of its own
  }
  void read_write_timeout(std::chrono::milliseconds timeout) {
    if (timeout.count() < 0) throw Error(Errc::invalid_argument, name(), "read_write_timeout is negative; 0 means do not wait");
    locks().read_write_timeout.store(timeout.count(), std::memory_order_relaxed);  // relaxed: a number of its own
  }

 protected:
  BufferWithLocks(const std::shared_ptr<segment::Session>& session, std::uint64_t buffer_size)
      : SharedBuffer(session, buffer_size), locks_(std::make_unique<Locks>(*session)) {}

  /// Runs `f` with the data to itself: under the write lock, or under this thread's own, which passes.
  template <class F>
  void writing(F&& f) {
    const auto visit = enter();
    auto& lock = locks().lock;
    switch (lock.held_by_this_thread()) {
      case handle::Held::exclusive: return std::forward<F>(f)();
      case handle::Held::shared: throw Error(Errc::would_deadlock, name(), "this thread holds the read lock: release it before writing");
      case handle::Held::nothing: break;
    }
    if (!lock.lock(shared_session(), gate(), read_write_timeout())) throw_timed_out("write");
    const Unlock unlock{lock, handle::Held::exclusive};
    std::forward<F>(f)();
  }

  /// Runs `f` while nobody writes: under the read lock, or under either lock of this thread's own.
  template <class F>
  void reading(F&& f) const {
    const auto visit = enter();
    auto& lock = locks().lock;
    if (session().read_only() || lock.held_by_this_thread() != handle::Held::nothing) return std::forward<F>(f)();
    if (!lock.lock_shared(shared_session(), gate(), read_write_timeout())) throw_timed_out("read");
    const Unlock unlock{lock, handle::Held::shared};
    std::forward<F>(f)();
  }

 private:
  struct Locks {
    explicit Locks(segment::Session& session) : lock(session) {}
    handle::LockHandle lock;
    std::atomic<std::chrono::milliseconds::rep> read_write_timeout{100};
  };

  // Closing a handle releases the locks that its threads hold through it: to release one afterwards is not an error, so that
  // guards such as std::unique_lock may end after the handle was closed.
  template <class Unlock>
  void release(Unlock unlock) {
    auto& lock = locks().lock;
    const handle::Gate::Visit visit(gate());
    if (!gate().is_closing()) {
      unlock(lock);
    } else if (!lock.forget_if_held()) {
      handle::Gate::throw_closed(name());
    }
  }

  template <class Clock, class Duration>
  static Timeout until(const std::chrono::time_point<Clock, Duration>& when) {
    const auto now = Clock::now();
    return when <= now ? no_wait : Timeout(when - now);
  }

  // A callback that itself released the lock leaves nothing to do.
  struct Unlock {
    handle::LockHandle& lock;
    handle::Held held;
    ~Unlock() {
      if (lock.held_by_this_thread() != held) return;
      if (held == handle::Held::exclusive) {
        lock.unlock(false);
      } else {
        lock.unlock_shared();
      }
    }
  };

  Locks& locks() const {
    if (!locks_) handle::Gate::throw_closed("(moved from)");
    return *locks_;
  }

  [[noreturn]] void throw_timed_out(const char* what) const {
    throw Error(Errc::timed_out, name(),
                std::string("the ") + what + " waited " + std::to_string(read_write_timeout().count()) +
                    " ms for another holder's lock; see acquire_read_lock, acquire_write_lock and read_write_timeout");
  }

  std::unique_ptr<Locks> locks_;
};

}  // namespace strait
