#pragma once
// A robust mutex, over plain words: the steps of which taking and releasing it are made. No OS call, no waiting.
//
//     lock word     as in lock/rw_lock.hpp, of which only the writer's side is used
//     first         | token : 32 | seat + 1 : 32 |     the one waiter that nobody may overtake
//
// Whoever comes while it is free gets it, so that a busy holder does not pay a wake-up for each unlock. A waiter that was
// overtaken for long enough makes itself `first`; from then on all others are refused until it has had its turn. So nobody starves.
//
// Only the mender of a seat clears what names that seat. An unlock wakes `lock_freed`; so does a `first` that gives up, because
// those it refused may sleep although the mutex is free.
//
// Memory (a policy): lock(), first(), wake(SignalName).

#include <strait/layout/control.hpp>
#include <strait/layout/mutex.hpp>
#include <strait/lock/rw_lock.hpp>

#include <atomic>
#include <cstdint>

namespace strait::lock {

using layout::FirstInLine;

template <class Memory>
class Mutex {
 public:
  explicit Mutex(Memory memory) noexcept : memory_(memory), word_(memory) {}

  // False: somebody holds it, or another is first. Wait on `lock_freed`.
  bool try_lock(FirstInLine me, Seat seat) noexcept {
    // SYNC first: before the word, and again after each announcement of a waiter.
    const FirstInLine first{memory_.first().load(std::memory_order_seq_cst)};
    if (!first.is_nobody() && first != me) return false;
    if (!word_.is_free() || !word_.try_take_word(seat)) return false;
    if (first == me) clear_first(me);
    return true;
  }

  // False: somebody else is first already. Try again afterwards: it may have become free before this was seen.
  bool become_first(FirstInLine me) noexcept {
    std::uint64_t nobody = 0;
    // SYNC first: an unlock that comes later finds us awake or announced.
    return memory_.first().compare_exchange_strong(nobody, me.bits, std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  // A `first` whose time is over.
  void give_up_first(FirstInLine me) noexcept {
    clear_first(me);
    memory_.wake(SignalName::lock_freed);
  }

  void unlock() noexcept { word_.unlock(); }
  void unlock_abandoned() noexcept { word_.unlock_abandoned(); }
  bool is_abandoned() noexcept { return word_.is_abandoned(); }

  // The mend of a dead seat: only by the one mender of that seat, before the lock word, and followed by a wake.
  void mend(Seat dead) noexcept {
    FirstInLine first{
        memory_.first().load(std::memory_order_relaxed)};  // relaxed: the dead seat's own value is no longer changed by others
    if (first.is_of(dead)) clear_first(first);
  }

 private:
  void clear_first(FirstInLine me) noexcept {
    auto expected = me.bits;
    // SYNC first: those who look from here on may come in.
    memory_.first().compare_exchange_strong(expected, 0, std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  Memory memory_;
  RwLock<Memory> word_;
};

}  // namespace strait::lock
