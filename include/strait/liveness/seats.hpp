#pragma once
// Sitting down and getting up. A handle holds the presence of its seat for as long as it sits there.
//
// Memory (a policy): as for the repair, and try_hold(s), drop(s) for the presence.

#include <strait/core/death_point.hpp>
#include <strait/layout/seat.hpp>
#include <strait/liveness/repair.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace strait::liveness {

// One seat, if it can be had. With `of_the_dead`, also one whose holder died: it is mended first, by us.
template <class Memory>
bool try_sit(Memory& memory, Seat seat, bool of_the_dead) noexcept {
  if (!memory.try_hold(seat)) return false;
  // DEATH here: the presence goes with us, the seat is as it was.
  core::death_point("sit: presence held");
  // SYNC seat: acquires what the last one here did.
  SeatWord seen{memory.seat_word(seat).load(std::memory_order_acquire)};
  const SeatWord ours = SeatWord::of(SeatState::occupied, seen.generation() + 1);

  if (seen.state() == SeatState::free) {
    // SYNC seat: ours from here on.
    if (memory.seat_word(seat).compare_exchange_strong(seen.bits, ours.bits, std::memory_order_seq_cst, std::memory_order_relaxed)) return true;
  } else if (of_the_dead && (seen.state() == SeatState::occupied || seen.mender() == seat || memory.is_dead(seen.mender()))) {
    // We hold the presence, so whoever sat here is dead; and so is a newcomer that was mending it under this same presence.
    const SeatWord mending = SeatWord::of(SeatState::mending, seen.generation() + 1, seat);
    // SYNC seat: one mender goes on.
    if (memory.seat_word(seat).compare_exchange_strong(seen.bits, mending.bits, std::memory_order_seq_cst, std::memory_order_relaxed)) {
      repair(memory, seat);
      auto expected = mending.bits;
      // SYNC seat: mended, and ours.
      if (memory.seat_word(seat).compare_exchange_strong(expected, ours.bits, std::memory_order_seq_cst, std::memory_order_relaxed)) return true;
    }
  }
  memory.drop(seat);
  return false;
}

// Free seats first; the dead are asked after only when none is left. Nothing: all seats are taken by the living.
template <class Memory>
std::optional<Seat> sit(Memory& memory) noexcept {
  for (const bool of_the_dead : {false, true}) {
    for (Seat seat = 0; seat < memory.seat_count(); ++seat) {
      // SYNC seat: a hint which seats are worth a system call.
      const SeatWord seen{memory.seat_word(seat).load(std::memory_order_acquire)};
      if (!of_the_dead && seen.state() != SeatState::free) continue;
      if (try_sit(memory, seat, of_the_dead)) return seat;
    }
  }
  return std::nullopt;
}

// The caller has finished its claims, locks and sides.
template <class Memory>
void leave(Memory& memory, Seat me) noexcept {
  // relaxed: nobody else changes an occupied seat whose presence is held
  SeatWord seen{memory.seat_word(me).load(std::memory_order_relaxed)};
  // SYNC seat: whoever sits down here next finds nothing of ours.
  memory.seat_word(me).compare_exchange_strong(seen.bits, SeatWord::of(SeatState::free, seen.generation()).bits, std::memory_order_seq_cst,
                                               std::memory_order_relaxed);
  // DEATH here: the seat is free already; the presence goes with us.
  core::death_point("leave: seat free");
  memory.drop(me);
}

}  // namespace strait::liveness
