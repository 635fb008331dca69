#pragma once
// The lock of a segment, as one handle uses it: the steps (lock/rw_lock.hpp), their waits, and who may take which.

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/held_locks.hpp>
#include <strait/lock/rw_lock.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace strait::handle {

class LockHandle {
 public:
  using Session = segment::Session;
  using SharedSession = std::shared_ptr<Session>;

  // It does not own the session, which ends when the handle is closed: every call but the next three is made inside a visit.
  explicit LockHandle(Session& session) : session_(&session), id_(session.id()), lock_(Session::LockWords(session)) {}

  Held held_by_this_thread() const noexcept { return HeldLocks::held(id_); }

  // This thread held a lock when the handle was closed, which released it: nothing is left to release but the memory of it.
  bool forget_if_held() const noexcept {
    if (held_by_this_thread() == Held::nothing) return false;
    HeldLocks::remove(id_);
    return true;
  }

  bool is_abandoned() noexcept { return lock_.is_abandoned(); }

  // False: timed out. Throws would_deadlock where this thread holds either lock, closed where the handle is closed meanwhile.
  bool lock_shared(const SharedSession& session, const Gate& gate, Timeout timeout) {
    prepare();
    if (!wait(SignalName::lock_freed, gate, timeout, [this] { return lock_.try_lock_shared(session_->seat()); })) return false;
    // DEATH here: counted as a reader; the mend clears the count and writers go on.
    core::death_point("lock shared: held");
    HeldLocks::add(session, Held::shared);
    return true;
  }

  bool lock(const SharedSession& session, const Gate& gate, Timeout timeout) {
    prepare();
    if (!timeout.is_no_wait()) give_readers_their_turn();
    const core::Deadline deadline(timeout);
    if (!wait(SignalName::lock_freed, gate, timeout, [this] { return lock_.try_take_word(session_->seat()); })) return false;
    // DEATH here: the word names us; the mend frees it and marks it abandoned.
    core::death_point("lock: word taken");
    if (!wait_for_readers(gate, deadline.left())) {
      lock_.unlock_keeping_mark();
      return false;
    }
    // DEATH here: the lock is held and nothing is written: the mend frees it and marks it abandoned.
    core::death_point("lock: held");
    HeldLocks::add(session, Held::exclusive);
    return true;
  }

  void unlock_shared() {
    require(Held::shared, "a read lock");
    HeldLocks::remove(id_);
    lock_.unlock_shared(session_->seat());
  }

  // `whole`: the data is as it should be, so that an earlier abandonment is settled.
  void unlock(bool whole = true) {
    require(Held::exclusive, "the write lock");
    HeldLocks::remove(id_);
    readers_were_refused_.store(session_->somebody_may_sleep(SignalName::lock_freed), std::memory_order_relaxed);  // relaxed: a courtesy
    // DEATH here: written and not unlocked; the mend frees the word and marks it abandoned, though the data is whole.
    core::death_point("unlock: written");
    if (whole) {
      lock_.unlock();
    } else {
      lock_.unlock_keeping_mark();
    }
  }

 private:
  using SignalName = layout::SignalName;

  void prepare() {
    if (session_->read_only()) throw Error(Errc::permission_denied, name(), "it was opened read_only: no lock can be taken");
    if (held_by_this_thread() != Held::nothing) {
      throw Error(Errc::would_deadlock, name(), "this thread holds a lock of this handle already; locks are neither recursive nor upgraded");
    }
    if (!HeldLocks::has_room()) throw Error(Errc::too_large, name(), "this thread holds " + std::to_string(HeldLocks::most) + " locks, which is all it can");
  }

  void require(Held held, const char* what) const {
    if (held_by_this_thread() != held) {
      throw Error(Errc::not_held, name(), std::string("this thread does not hold ") + what + " of this handle");
    }
  }

  template <class Step>
  bool wait(SignalName signal, const Gate& gate, Timeout timeout, Step step) {
    bool closing = false;
    const auto waited = session_->wait(signal, timeout, Session::For::anybody, [&] {
      if (step()) return true;
      closing = gate.is_closing();
      return closing;
    });
    if (closing) Gate::throw_closed(name());
    // What a dead party held may be all that stood in the way: pollers mend too.
    return waited == wait::Waited::done || (session_->mend_now_and_then() && step());
  }

  bool wait_for_readers(const Gate& gate, Timeout timeout) {
    layout::Seat seat = 0;
    const auto all_left = [&] {
      seat = lock_.next_reader(seat);
      return seat == session_->segment().seat_count();
    };
    try {
      return wait(SignalName::reader_left, gate, timeout, all_left);
    } catch (...) {
      lock_.unlock_keeping_mark();
      throw;
    }
  }

  // Back-to-back writers would starve the readers they refuse: whoever unlocked while somebody slept lets the woken get to the
  // lock first, for a bounded time. It only delays this call; safety does not depend on it.
  void give_readers_their_turn() noexcept {
    if (!readers_were_refused_.exchange(0, std::memory_order_relaxed)) return;  // relaxed: a courtesy
    const auto end = core::Clock::now() + std::chrono::microseconds(200);
    while (core::Clock::now() < end && lock_.is_free() && lock_.next_reader(0) == session_->segment().seat_count()) std::this_thread::yield();
  }

  const std::string& name() const noexcept { return session_->segment().name(); }

  Session* session_;
  std::uint64_t id_;
  lock::RwLock<Session::LockWords> lock_;
  std::atomic<std::uint32_t> readers_were_refused_{0};  // not a bool: some processors exchange whole words only
};

}  // namespace strait::handle
