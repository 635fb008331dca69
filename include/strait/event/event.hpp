#pragma once
// An event, over plain words: the steps of which setting it and waiting for it are made. No OS call, no waiting.
//
// A manual event is a bit, and a count of how often it was set: a waiter is let go when the bit is set or the count has changed
// since it came, so that a set followed at once by a reset lets go everybody who waited.
//
// An automatic event lets one waiter go for each set. Each waiting thread has an entry; a set releases the oldest entry that is
// still waiting, and only where it finds none, the bit is set, for the next one who comes. So N sets made while N wait release
// those N, whoever else comes meanwhile, and sets with nobody waiting count once.
//
//     waiter:  take the bit, or: enter: free -> waiting          look at entry and bit           released: -> free, done
//     setter:  oldest waiting -> released, or: set the bit       then wake everybody
//
//   E1  an entry is released by one set, and a set releases one entry or sets the bit.
//   E2  a waiter whose time is over and who was released meanwhile has been let go: no set is lost to a time-out.
//   E3  the entry of a dead waiter is freed; if it was released, its set goes on to another waiter, or into the bit. A mender
//       that dies between the two makes the set count twice; it never counts less than once.
//
// A waiter enters before it looks at the bit, and a setter looks at the entries before it sets the bit, and wakes afterwards:
// whoever comes second sees the other.
//
// Memory (a policy): state(), orders(), entry_used(), entry(index), entry_count(), wake().

#include <strait/core/death_point.hpp>
#include <strait/layout/event.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace strait::event {

using layout::EntryState;
using layout::event_is_set;
using layout::EventEntry;
using layout::Seat;

template <class Memory>
class Event {
 public:
  // Where a thread waits, and what stands there while it does.
  struct Place {
    std::uint32_t index;
    EventEntry entry;
  };

  explicit Event(Memory memory) noexcept : memory_(memory) {}

  // SYNC event: seq_cst against the entries and the announcement of a waiter.
  std::uint64_t state() noexcept { return memory_.state().load(std::memory_order_seq_cst); }

  void reset() noexcept { take(); }

  // ---- manual --------------------------------------------------------------------------------------------------------

  void set_manual() noexcept {
    if (raise()) memory_.wake();
  }

  // `since`: the state when the wait began.
  bool is_let_go(std::uint64_t since) noexcept {
    const auto now = state();
    return (now & event_is_set) != 0 || now >> 1 != since >> 1;
  }

  // ---- automatic -----------------------------------------------------------------------------------------------------

  void set_automatic() noexcept {
    if (!release_oldest()) raise();
    // DEATH here: set, and nobody woken: who was let go sees it when its slice ends.
    core::death_point("event: set");
    memory_.wake();
  }

  // Takes the bit, if it is set.
  bool take() noexcept {
    auto seen = state();
    for (std::uint32_t tries = 0; (seen & event_is_set) != 0 && tries < most_tries; ++tries) {
      // SYNC event: what was done before the set is seen.
      if (memory_.state().compare_exchange_strong(seen, seen & ~event_is_set, std::memory_order_seq_cst,
                                                  std::memory_order_seq_cst))
        return true;
    }
    return false;
  }

  // Nothing: every entry is in use.
  std::optional<Place> enter(Seat me) noexcept {
    const auto order = memory_.orders().fetch_add(1, std::memory_order_relaxed);  // relaxed: a number, no more
    const EventEntry ours = EventEntry::of(EntryState::waiting, order, me);
    for (std::uint32_t index = 0; index < memory_.entry_count(); ++index) {
      if (memory_.entry(index).load(std::memory_order_relaxed) != 0) continue;  // relaxed: the CAS decides
      use(index);
      std::uint64_t free = 0;
      // SYNC event: before the look at the bit.
      if (!memory_.entry(index).compare_exchange_strong(free, ours.bits, std::memory_order_seq_cst, std::memory_order_relaxed))
        continue;
      // DEATH here: waiting: the mend frees the entry.
      core::death_point("event: waiting");
      return Place{index, ours};
    }
    return std::nullopt;
  }

  // True: let go, and the entry is free again.
  bool try_leave(Place place) noexcept {
    // SYNC event: acquires what was done before the set.
    if (memory_.entry(place.index).load(std::memory_order_seq_cst) == place.entry.released().bits) {
      // DEATH here: released, and killed before it went on: the mend gives the set to another waiter.
      core::death_point("event: released");
      free(place);
      return true;
    }
    if (!take()) return false;
    // DEATH here: the bit is taken and the entry stands: the mend frees the entry, and the set is used up.
    core::death_point("event: bit taken");
    if (!withdraw(place)) set_automatic();  // released as well: one of the two sets is not ours
    return true;
  }

  // The time is over. True: it was let go at the last moment.
  bool leave(Place place) noexcept { return !withdraw(place); }

  // The mend of a dead seat: only by the one mender of that seat. Everybody is woken by it afterwards.
  void mend(Seat dead) noexcept {
    const auto used = in_use();
    for (std::uint32_t index = 0; index < used; ++index) {
      // SYNC event: what the dead one did.
      const EventEntry seen{memory_.entry(index).load(std::memory_order_seq_cst)};
      if (seen.state() == EntryState::free || seen.seat() != dead) continue;
      const Place place{index, EventEntry::of(EntryState::waiting, seen.order(), dead)};
      if (seen.state() == EntryState::waiting && withdraw_waiting(place)) continue;
      if (!release_oldest()) raise();
      // DEATH here: the set of a dead waiter is given on and its entry stands: the next mender gives it on again.
      core::death_point("event: given on");
      free(place);
    }
  }

 private:
  // Among honest parties a try fails because another's succeeded, and a search because another waiter was released or left: these
  // numbers are far beyond what happens. They are an end for words that somebody keeps scribbling over.
  static constexpr std::uint32_t most_tries = 1u << 20;
  static constexpr std::uint32_t most_searches = 1u << 14;

  // True: nobody had released it.
  bool withdraw(Place place) noexcept {
    if (withdraw_waiting(place)) return true;
    free(place);
    return false;
  }

  bool withdraw_waiting(Place place) noexcept {
    auto expected = place.entry.bits;
    // SYNC event: a set that comes later finds no entry here.
    return memory_.entry(place.index).compare_exchange_strong(expected, 0, std::memory_order_seq_cst, std::memory_order_seq_cst);
  }

  // Only the thread that waits here, or its mender.
  void free(Place place) noexcept {
    // SYNC event: the entry is the next one's.
    memory_.entry(place.index).store(0, std::memory_order_seq_cst);
  }

  // True: it was not set before.
  bool raise() noexcept {
    auto seen = state();
    for (std::uint32_t tries = 0; (seen & event_is_set) == 0 && tries < most_tries; ++tries) {
      // SYNC event: releases what was done before the set; before the wake.
      if (memory_.state().compare_exchange_strong(seen, (seen + 2) | event_is_set, std::memory_order_seq_cst,
                                                  std::memory_order_seq_cst))
        return true;
    }
    return false;
  }

  // E1. Who waited when this began is found: an entry that is not waiting at its turn was released by another set.
  bool release_oldest() noexcept {
    for (std::uint32_t tries = 0; tries < most_searches; ++tries) {
      const auto used = in_use();
      Place oldest{used, {0}};
      for (std::uint32_t index = 0; index < used; ++index) {
        // SYNC event: before the bit is set.
        const EventEntry seen{memory_.entry(index).load(std::memory_order_seq_cst)};
        if (seen.state() == EntryState::waiting && (oldest.index == used || seen.order() < oldest.entry.order()))
          oldest = {index, seen};
      }
      if (oldest.index == used) return false;
      auto expected = oldest.entry.bits;
      // SYNC event: releases what was done before the set.
      if (memory_.entry(oldest.index)
              .compare_exchange_strong(expected, oldest.entry.released().bits, std::memory_order_seq_cst,
                                       std::memory_order_seq_cst)) {
        return true;
      }
    }
    return false;
  }

  // Another process's number: never beyond the entries that are there.
  std::uint32_t in_use() noexcept {
    // SYNC event: an entry counts as used before somebody waits in it.
    const auto used = memory_.entry_used().load(std::memory_order_seq_cst);
    return used < memory_.entry_count() ? used : memory_.entry_count();
  }

  void use(std::uint32_t index) noexcept {
    auto used = memory_.entry_used().load(std::memory_order_relaxed);  // relaxed: the CAS decides
    for (std::uint32_t tries = 0; used <= index && tries < most_tries; ++tries) {
      // SYNC event: before the entry is occupied.
      if (memory_.entry_used().compare_exchange_strong(used, index + 1, std::memory_order_seq_cst, std::memory_order_relaxed))
        return;
    }
  }

  Memory memory_;
};

}  // namespace strait::event
