#pragma once
// The mend of a dead seat: what its holder left half done is finished by whoever notices.
//
//     seat word:   free(g) --sit--> occupied(g + 1) --leave--> free(g + 1)
//                                       | dead: CAS by the mender
//                                       v
//                                   mending(m, g + 1) --after everything else--> free(g + 1)
//                                       | m dead: CAS by the next mender
//                                       v
//                                   mending(n, g + 1)
//
// Only the dead are mended: `is_dead` is the system's word, and a process that is stopped is alive. The mend of a seat is
// exclusive (the compare-and-swap to `mending`), every step of it may be done twice, and a mender that dies is taken over. A
// seat is free only when no node, count, side, lock word or mending entry names it (I11); that is why a node's word needs no
// generation.
//
// Memory (a policy): seat_count(), seat_word(s), given_back(), is_dead(s), mend_contents(s) (nodes, lock, sides), wake_all().

#include <strait/core/death_point.hpp>
#include <strait/layout/seat.hpp>

#include <atomic>
#include <cstdint>

namespace strait::liveness {

using layout::Seat;
using layout::SeatState;
using layout::SeatWord;

// Everything between "this seat is mine to mend" and "it may be used again". For the seat's mender only.
template <class Memory>
void repair(Memory& memory, Seat dead) noexcept {
  // DEATH here: the mender dies before, among or after the contents; the next mender of this seat does them again.
  core::death_point("repair: seat taken");
  memory.mend_contents(dead);
  // DEATH here: the mender dies after the contents: the next mender of this seat does them again.
  core::death_point("repair: contents mended");
  // SYNC given-back: unconditionally, after the nodes: a mender that died may have given back what we then find published.
  memory.given_back().fetch_add(1, std::memory_order_seq_cst);

  // The seats that the dead one was mending go back to `occupied`: still dead, for the next mender.
  for (Seat seat = 0; seat < memory.seat_count(); ++seat) {
    SeatWord seen{memory.seat_word(seat).load(std::memory_order_relaxed)};  // relaxed: only the dead one could change this value
    if (seat != dead && seen.state() == SeatState::mending && seen.mender() == dead) {
      // SYNC seat: what the dead mender did is seen by the next one.
      memory.seat_word(seat).compare_exchange_strong(seen.bits, SeatWord::of(SeatState::occupied, seen.generation()).bits, std::memory_order_seq_cst,
                                                     std::memory_order_relaxed);
    }
  }

  // Unconditionally: the dead may have changed something and not lived to wake those who sleep for it.
  memory.wake_all();
  // DEATH here: the mender dies with everybody awake and the seat not yet free: the next mender of this seat does it again.
  core::death_point("repair: all awake");
}

// Mends `seat` if it is dead. True if this call did it. Any thread of the handle that sits in `me`.
template <class Memory>
bool mend_if_dead(Memory& memory, Seat seat, Seat me) noexcept {
  if (seat == me) return false;  // a question about one's own seat answers "dead"
  // SYNC seat: acquires what the last one to change it did.
  SeatWord seen{memory.seat_word(seat).load(std::memory_order_acquire)};
  switch (seen.state()) {
    case SeatState::occupied:
      if (!memory.is_dead(seat)) return false;
      break;
    case SeatState::mending:
      // A newcomer mends the seat it is about to take under that seat's own presence.
      if (seen.mender() == me || !memory.is_dead(seen.mender())) return false;
      break;
    default: return false;
  }
  const SeatWord ours = SeatWord::of(SeatState::mending, seen.generation(), me);
  // SYNC seat: one mender goes on.
  if (!memory.seat_word(seat).compare_exchange_strong(seen.bits, ours.bits, std::memory_order_seq_cst, std::memory_order_relaxed)) return false;
  repair(memory, seat);
  auto expected = ours.bits;
  // SYNC seat: last; whoever sits down here next finds nothing of its predecessor.
  memory.seat_word(seat).compare_exchange_strong(expected, SeatWord::of(SeatState::free, seen.generation()).bits, std::memory_order_seq_cst,
                                                 std::memory_order_relaxed);
  return true;
}

// Looks at every seat but one's own; how many were mended.
template <class Memory>
std::uint32_t mend_dead(Memory& memory, Seat me) noexcept {
  std::uint32_t mended = 0;
  for (Seat seat = 0; seat < memory.seat_count(); ++seat) mended += mend_if_dead(memory, seat, me);
  return mended;
}

// What came of a look at some of the seats.
struct Looked {
  std::uint32_t mended = 0;
  std::uint32_t asked = 0;
  Seat next = 0;  // to go on with
};

// The same for `most` others at most, from `first` on (any number: it goes round): each question costs the system a walk over the
// locks of all participants.
template <class Memory>
Looked mend_some_dead(Memory& memory, Seat me, Seat first, std::uint32_t most) noexcept {
  Looked looked;
  const Seat count = memory.seat_count();
  Seat i = 0;
  for (; i < count && looked.asked < most; ++i) {
    const Seat seat = (first + i) % count;
    // relaxed: which seats are worth a question
    if (seat == me || SeatWord{memory.seat_word(seat).load(std::memory_order_relaxed)}.state() == SeatState::free) continue;
    ++looked.asked;
    looked.mended += mend_if_dead(memory, seat, me);
  }
  looked.next = (first + i) % count;
  return looked;
}

}  // namespace strait::liveness
