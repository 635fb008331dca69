#pragma once
// A mutex in a segment, as one handle uses it: the steps (lock/mutex.hpp), their waits, and which thread holds it.

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/held_locks.hpp>
#include <strait/layout/mutex.hpp>
#include <strait/lock/mutex.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace strait::handle {

class MutexHandle {
 public:
  using Session = segment::Session;
  using SharedSession = std::shared_ptr<Session>;

  // It does not own the session, which ends when the handle is closed.
  MutexHandle(Session& session, std::atomic<std::uint64_t>& first)
      : session_(&session), id_(session.id()), mutex_(Words(session, first)) {}

  bool is_held_by_this_thread() const noexcept { return HeldLocks::held(id_) != Held::nothing; }

  // The handle was closed while this thread held it, which let go of it: nothing is left to release but the memory of it.
  bool forget_if_held() const noexcept {
    if (!is_held_by_this_thread()) return false;
    HeldLocks::remove(id_);
    return true;
  }

  // False: timed out. Throws would_deadlock where this thread holds it, closed where the handle is closed meanwhile.
  bool lock(const SharedSession& session, const Gate& gate, Timeout timeout) {
    if (is_held_by_this_thread()) {
      throw Error(Errc::would_deadlock, name(), "this thread holds it already, through this handle; it is not recursive");
    }
    if (!HeldLocks::has_room())
      throw Error(Errc::too_large, name(),
                  "this thread holds " + std::to_string(HeldLocks::most) + " locks, which is all it can");
    const auto me =
        layout::FirstInLine::of(session_->seat(), next_token_.fetch_add(1, std::memory_order_relaxed));  // relaxed: a number
    if (!mutex_.try_lock(me, session_->seat()) && !wait(gate, timeout, me)) return false;
    // DEATH here: the mutex is held: the mend frees it and tells the next holder.
    core::death_point("mutex: held");
    HeldLocks::add(session, Held::exclusive);
    return true;
  }

  // Of the thread that holds it.
  void unlock() {
    if (!is_held_by_this_thread()) throw Error(Errc::not_held, name(), "this thread does not hold it through this handle");
    HeldLocks::remove(id_);
    // DEATH here: about to be unlocked: the mend frees it and tells the next holder, though its work was done.
    core::death_point("mutex: unlocking");
    mutex_.unlock();
  }

  // Did its last holder die, or end, holding it? For the holder: stands until it unlocks.
  bool is_abandoned() noexcept { return mutex_.is_abandoned(); }

  // In the mend of a dead seat, before the lock word.
  static void mend(std::atomic<std::uint64_t>& first, layout::Seat dead) noexcept {
    lock::Mutex<FirstWord>(FirstWord{&first}).mend(dead);
  }

 private:
  using SignalName = layout::SignalName;

  // A waiter that others overtook for so long is next. Each such turn may cost a wake-up of a sleeper, during which nobody works.
  static constexpr std::chrono::milliseconds patience{1};

  class Words {
   public:
    Words(const Session& session, std::atomic<std::uint64_t>& first) noexcept : session_(&session), first_(&first) {}
    std::atomic<std::uint32_t>& lock() noexcept { return session_->control().lock; }
    std::atomic<std::uint64_t>& first() noexcept { return *first_; }
    void wake(SignalName name) const noexcept { session_->wake(name); }

   private:
    const Session* session_;
    std::atomic<std::uint64_t>* first_;
  };

  // What the mend touches; the lock word is the session's.
  struct FirstWord {
    std::atomic<std::uint64_t>* word;
    std::atomic<std::uint64_t>& first() noexcept { return *word; }
  };

  bool wait(const Gate& gate, Timeout timeout, layout::FirstInLine me) {
    if (timeout.is_no_wait()) return session_->mend_now_and_then() && mutex_.try_lock(me, session_->seat());
    const auto impatient_at = core::Clock::now() + patience;
    bool is_first = false;
    bool closing = false;
    const auto attempt = [&] {
      if (mutex_.try_lock(me, session_->seat())) return true;
      if (!is_first && core::Clock::now() >= impatient_at) {
        is_first = mutex_.become_first(me);
        // DEATH here: first, and asleep: the mend lets the others in.
        core::death_point("mutex: first");
        if (is_first && mutex_.try_lock(me, session_->seat())) return true;
      }
      closing = gate.is_closing();
      return closing;
    };
    const auto waited = session_->wait(SignalName::lock_freed, timeout, Session::For::anybody, attempt);
    if (waited == wait::Waited::done && !closing) return true;
    if (is_first) mutex_.give_up_first(me);
    if (closing) Gate::throw_closed(name());
    return false;
  }

  const std::string& name() const noexcept { return session_->segment().name(); }

  Session* session_;
  std::uint64_t id_;
  lock::Mutex<Words> mutex_;
  std::atomic<std::uint32_t> next_token_{0};
};

}  // namespace strait::handle
