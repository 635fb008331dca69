#pragma once
// A value that changes as a whole, over plain bytes: the steps of reading and changing it. No OS call, no waiting.
//
//     writer, under the lock:   value -> journal;   begin;   change the value's bytes;   finish
//     reader, without a lock:   state;  copy the value, or, while somebody writes, the journal;  state again
//     mend of a dead writer:    if it had begun: journal -> value;  undone
//
//   C1  a reader returns a value that was whole at some moment of its call, with that value's version.
//   C2  a reader waits for nobody, but for a few microseconds once: while somebody writes it returns what was before. It begins
//       again only when a change began while it was copying the value, or two changes began while it was copying the journal.
//   C3  the version grows by exactly one with each change; a change whose writer died before `finish` never was.
//   C4  the journal that a reader may be copying is not touched before two changes later: there are two, used by turns.
//
// The value's bytes are stored with release and loaded with acquire: whoever sees a byte of a change sees that it has begun.
// Foreign programs that write the value directly are seen by a reader, and are as torn as they are.
//
// Memory (a policy): state(), keep(journal) (value -> journal), put_back(journal) (journal -> value), settled(bits): the state, acquired,
// as soon as it is another than `bits`, or those after a moment.

#include <strait/core/config.hpp>
#include <strait/core/death_point.hpp>
#include <strait/layout/cell.hpp>

#include <atomic>
#include <cstdint>

namespace strait::cell {

using layout::CellState;

// Where a copy is taken from: the value, or one of the two journals.
enum class Place : std::uint8_t { journal_0 = 0, journal_1 = 1, value = 2 };

template <class Memory>
class Cell {
 public:
  explicit Cell(Memory memory) noexcept : memory_(memory) {}

  // Calls `copy(Place)` until what it copied is whole (C1); the version of that. Any thread, any process.
  template <class Copy>
  STRAIT_HOT std::uint64_t read(Copy copy) {
    const CellState seen = now();
    if (!seen.is_writing()) [[likely]] {
      copy(Place::value);
      if (same(seen)) [[likely]]
        return seen.version();
    }
    return read_again(copy);
  }

  std::uint64_t version() noexcept { return now().version(); }

  // SYNC cell-change: seq_cst, for a waiter after its announcement.
  std::uint64_t version_after_announcement() noexcept {
    return CellState{memory_.state().load(std::memory_order_seq_cst)}.version();
  }

  // ---- writers: the lock is held -------------------------------------------------------------------------------------------

  // The version that `finish` will give.
  std::uint64_t next_version() noexcept { return mine().version() + 1; }

  void begin() noexcept {
    const CellState seen = mine();
    memory_.keep(seen.journal());
    // DEATH here: the old value is kept and nothing is changed: the mend frees the lock.
    core::death_point("cell: kept");
    // SYNC cell: after the journal. SYNC cell-bytes: before the value's bytes, which release it.
    memory_.state().store(seen.begun().bits, std::memory_order_release);
    // DEATH here: changing: readers return the old value from the journal, and the mend puts it back.
    core::death_point("cell: begun");
  }

  void finish() noexcept {
    // DEATH here: changed and not finished: the mend puts the old value back.
    core::death_point("cell: changed");
    // SYNC cell: releases the value. SYNC cell-change: before the look at who sleeps.
    memory_.state().exchange(mine().finished().bits, std::memory_order_seq_cst);
    // DEATH here: finished, and nobody woken: sleepers see it when their slice ends, the mend frees the lock.
    core::death_point("cell: finished");
  }

  // ---- the mend of a dead writer: only by the one mender of its seat, while the lock still names it --------------------------

  void mend() noexcept {
    const CellState seen = mine();
    if (!seen.is_writing()) return;
    memory_.put_back(seen.journal());
    // DEATH here: put back and not said: the next mender puts it back again.
    core::death_point("cell: put back");
    // SYNC cell: releases the old value.
    memory_.state().exchange(seen.undone().bits, std::memory_order_seq_cst);
  }

 private:
  template <class Copy>
  STRAIT_COLD std::uint64_t read_again(Copy copy) {
    for (bool patient = true;; patient = false) {
      CellState seen = now();
      // A small change is done sooner than its journal would be copied, and the writer would have to fetch that back afterwards.
      if (seen.is_writing() && patient) seen = {memory_.settled(seen.bits)};
      if (!seen.is_writing()) {
        copy(Place::value);
        if (same(seen)) return seen.version();
        seen = now();
        if (!seen.is_writing()) continue;
      }
      copy(static_cast<Place>(seen.journal()));
      if (is_kept(seen)) return seen.version();
    }
  }

  // SYNC cell: acquires the value, or the journal, that belongs to this state.
  CellState now() noexcept { return {memory_.state().load(std::memory_order_acquire)}; }

  // relaxed: the lock's holder, or its mender, is the only one who changes it
  CellState mine() noexcept { return {memory_.state().load(std::memory_order_relaxed)}; }

  // relaxed: the bytes were loaded with acquire, so this comes after them (SYNC cell-bytes)
  bool same(CellState seen) noexcept { return CellState{memory_.state().load(std::memory_order_relaxed)} == seen; }

  // C4: the change under way, its end, and the next change as long as it is not finished.
  bool is_kept(CellState seen) noexcept {
    const CellState after{memory_.state().load(std::memory_order_relaxed)};  // relaxed: as above
    if (after == seen) return true;
    const CellState ended{after.bits & ~std::uint64_t{1}};
    return ended == seen.finished() || ended == seen.undone();
  }

  Memory memory_;
};

}  // namespace strait::cell
