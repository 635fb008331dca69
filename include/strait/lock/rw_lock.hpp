#pragma once
// The robust reader-writer lock, over plain words: the steps of which taking and releasing it are made. No OS call, no waiting.
//
//     lock word         | abandoned : 1 | writer's seat + 1 : 31 |     writer part 0 = nobody
//     readers[seat]     read locks held from that seat, on that seat's own cache line
//
// A reader counts first and looks at the word afterwards; a writer takes the word first and looks at all counts afterwards:
// whichever comes second sees the other. Readers never touch each other's lines.
//
// The abandoned bit is owed from the death of any owner of the word until a writer unlocks: it may report a death that never
// reached the section, it never misses one. Only the mender of a seat clears that seat's word and count; a waiter that did it
// itself would free a living writer's lock after the seat is reused.
//
// Two signals: `lock_freed` (the word became nobody's) and `reader_left` (a count fell). With one for both, refused readers
// would wake each other for ever.
//
// Memory (a policy): lock(), readers(seat), seat_count(), wake(SignalName).

#include <strait/layout/control.hpp>
#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstdint>

namespace strait::lock {

using layout::lock_abandoned;
using layout::Seat;
using layout::SignalName;

template <class Memory>
class RwLock {
 public:
  explicit RwLock(Memory memory) noexcept : memory_(memory) {}

  // ---- readers -------------------------------------------------------------------------------------------------------

  // SYNC lock: seq_cst with the announcement of a waiter, which looks again after it.
  bool is_free() noexcept { return nobody(memory_.lock().load(std::memory_order_seq_cst)); }

  // False: a writer has the word; wait on `lock_freed` until it is free.
  bool try_lock_shared(Seat me) noexcept {
    if (!is_free()) return false;
    // SYNC readers: counted before the word is looked at; a writer takes the word before it looks at the counts.
    memory_.readers(me).fetch_add(1, std::memory_order_seq_cst);
    if (is_free()) return true;
    unlock_shared(me);
    return false;
  }

  void unlock_shared(Seat me) noexcept {
    // SYNC readers: our reads come before the writer that sees the count fall.
    memory_.readers(me).fetch_sub(1, std::memory_order_seq_cst);
    memory_.wake(SignalName::reader_left);
  }

  // ---- writers: take the word, then wait on `reader_left` until every seat's count is zero, one's own included -----------

  bool try_take_word(Seat me) noexcept {
    auto seen = memory_.lock().load(std::memory_order_relaxed);  // relaxed: the CAS decides
    if (!nobody(seen)) return false;
    // SYNC lock: acquires the last writer's section. SYNC readers: before the counts are looked at.
    return memory_.lock().compare_exchange_strong(seen, (me + 1) | (seen & lock_abandoned), std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  // SYNC readers: after the word was taken; acquires what the readers released.
  bool has_readers(Seat seat) noexcept { return memory_.readers(seat).load(std::memory_order_seq_cst) != 0; }

  // The first seat from `first` on that holds read locks; seat_count() if there is none.
  Seat next_reader(Seat first) noexcept {
    while (first < memory_.seat_count() && !has_readers(first)) ++first;
    return first;
  }

  void unlock() noexcept { set_word(0); }

  // Gives the word back without saying that the data is whole: an unfinished wait, or a write of part of the data.
  void unlock_keeping_mark() noexcept {
    set_word(memory_.lock().load(std::memory_order_relaxed) & lock_abandoned);  // relaxed: the word is ours
  }

  // A thread that exits, or a handle that closes, with the lock held.
  void unlock_abandoned() noexcept { set_word(lock_abandoned); }

  // relaxed: the holder's own word, or a hint
  bool is_abandoned() noexcept { return (memory_.lock().load(std::memory_order_relaxed) & lock_abandoned) != 0; }

  // ---- the mend of a dead seat: only by the one mender of that seat. The signals are woken by it afterwards. ---------------

  void mend(Seat dead) noexcept {
    // SYNC readers: the dead hold nothing; a writer that waits for this count may go on.
    memory_.readers(dead).store(0, std::memory_order_seq_cst);
    auto seen = memory_.lock().load(std::memory_order_relaxed);  // relaxed: only the dead seat's own mender changes this value
    if ((seen & ~lock_abandoned) == dead + 1) {
      // SYNC lock: one step, so that a mender that dies here has either told everything or nothing.
      memory_.lock().compare_exchange_strong(seen, lock_abandoned, std::memory_order_seq_cst, std::memory_order_relaxed);
    }
  }

 private:
  static bool nobody(std::uint32_t word) noexcept { return (word & ~lock_abandoned) == 0; }

  void set_word(std::uint32_t value) noexcept {
    // SYNC lock: releases the section to the next holder. SYNC sleep: a look at the signal follows.
    memory_.lock().exchange(value, std::memory_order_seq_cst);
    memory_.wake(SignalName::lock_freed);
  }

  Memory memory_;
};

}  // namespace strait::lock
