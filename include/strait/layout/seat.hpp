#pragma once
// A seat: one open handle, on a cache line of its own.
//
//     0      8    16         24    28        32         40      48      56        60
//     | word | id | presence | pid | readers | messages | bytes | waits | repairs | redeliveries |
//
// word:  | generation : 49 | mender's seat : 13 | state : 2 |
//
// The statistics belong to the seat, not to who sits in it: they are never reset, so that a segment's totals are the sums over
// all its seats and nothing is lost when a participant dies. Threads that share a handle may lose counts to each other.

#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace strait::layout {

enum class SeatState : std::uint64_t { free = 0, occupied = 1, mending = 2 };

struct SeatWord {
  std::uint64_t bits;

  static constexpr SeatWord of(SeatState state, std::uint64_t generation, Seat mender = nobody) noexcept {
    return {generation << (2 + seat_bits) | static_cast<std::uint64_t>(state == SeatState::mending ? mender : 0) << 2 |
            static_cast<std::uint64_t>(state)};
  }

  constexpr SeatState state() const noexcept { return static_cast<SeatState>(bits & 3); }
  constexpr Seat mender() const noexcept { return static_cast<Seat>(bits >> 2 & nobody); }
  constexpr std::uint64_t generation() const noexcept { return bits >> (2 + seat_bits); }

  friend constexpr bool operator==(SeatWord, SeatWord) = default;
};

struct SeatLine {
  alignas(8) std::atomic<std::uint64_t> word;
  alignas(8) std::atomic<std::uint64_t> id;        // of the handle that sits here, unique across restarts
  alignas(8) std::atomic<std::uint64_t> presence;  // where presence is told by process: pid and start time, 0 = nobody
  std::atomic<std::uint32_t> pid;                  // for people; means nothing in another pid namespace
  std::atomic<std::uint32_t> readers;              // read locks held from this seat
  alignas(8) std::atomic<std::uint64_t> messages;  // published from here
  alignas(8) std::atomic<std::uint64_t> bytes;     // in these messages
  alignas(8) std::atomic<std::uint64_t> waits;     // times a call from here went to sleep
  std::atomic<std::uint32_t> repairs;              // dead seats mended from here
  std::atomic<std::uint32_t> redeliveries;         // messages given back, by their readers here or by a mend from here
};

static_assert(sizeof(SeatLine) == 64);
static_assert(std::is_standard_layout_v<SeatLine>);
static_assert(SeatWord::of(SeatState::mending, 9, 3).mender() == 3 && SeatWord::of(SeatState::mending, 9, 3).generation() == 9);

}  // namespace strait::layout
