#pragma once
// The payload of an event's segment.
//
//     0       8        16           20      24         64
//     | state | orders | entry_used | manual | zero    | entries, 8 bytes each ...
//
// state:  | sets : 63 | set : 1 |     how often it was set, for those who wait for a manual event; and whether it is set now
// entry:  | order : 49 | seat : 13 | state : 2 |     one thread that waits for an automatic event, 0 = free
//
// Entries are used from the front; those from `entry_used` on never were.

#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace strait::layout {

enum class EntryState : std::uint64_t { free = 0, waiting = 1, released = 2 };

struct EventEntry {
  std::uint64_t bits;

  static constexpr EventEntry of(EntryState state, std::uint64_t order, Seat seat) noexcept {
    return {order << (2 + seat_bits) | std::uint64_t{seat} << 2 | static_cast<std::uint64_t>(state)};
  }

  constexpr EntryState state() const noexcept { return static_cast<EntryState>(bits & 3); }
  constexpr Seat seat() const noexcept { return static_cast<Seat>(bits >> 2 & nobody); }
  constexpr std::uint64_t order() const noexcept { return bits >> (2 + seat_bits); }
  constexpr EventEntry released() const noexcept { return of(EntryState::released, order(), seat()); }
};

struct EventBlock {
  alignas(64) std::atomic<std::uint64_t> state;
  alignas(8) std::atomic<std::uint64_t> orders;
  std::atomic<std::uint32_t> entry_used;
  std::uint32_t manual;  // written by the creator
};

inline constexpr std::uint64_t event_is_set = 1;
inline constexpr std::uint64_t event_entry_size = 8;
inline constexpr std::uint64_t event_block_entries = 8;  // the block takes the room of so many entries
inline constexpr std::uint32_t event_entries_per_seat = 8;

static_assert(sizeof(EventBlock) == event_block_entries * event_entry_size && std::is_standard_layout_v<EventBlock>);
static_assert(offsetof(EventBlock, orders) == 8 && offsetof(EventBlock, entry_used) == 16 && offsetof(EventBlock, manual) == 20);
static_assert(EventEntry::of(EntryState::waiting, 9, 3).seat() == 3 && EventEntry::of(EntryState::waiting, 9, 3).order() == 9);

}  // namespace strait::layout
