#pragma once
// The word of a ring's node: the only truth about that node.
//
//     63                              16 15    13 12            0
//     |             lap : 48            | phase:3 |   seat : 13  |
//
// The position of a message is lap x N + the node's index; the index is not in the word, because it is the node's place. The
// seat is the holder's while somebody holds the node, `nobody` otherwise. Laps wrap: of two laps only "the same", "exactly one
// older" and "newer by d" are told apart.

#include <cstdint>

namespace strait::layout {

enum class Phase : std::uint64_t { free = 0, claimed = 1, published = 2, skipped = 3, reading = 4 };

using Seat = std::uint32_t;

inline constexpr unsigned seat_bits = 13;
inline constexpr Seat nobody = (1u << seat_bits) - 1;
inline constexpr std::uint32_t max_seats = nobody;  // seats 0 .. 8190
inline constexpr std::uint64_t lap_mask = (std::uint64_t{1} << 48) - 1;

struct NodeWord {
  std::uint64_t bits;

  static constexpr NodeWord of(std::uint64_t lap, Phase phase, Seat seat = nobody) noexcept {
    return {(lap & lap_mask) << 16 | static_cast<std::uint64_t>(phase) << seat_bits | seat};
  }

  constexpr std::uint64_t lap() const noexcept { return bits >> 16; }
  constexpr Phase phase() const noexcept { return static_cast<Phase>(bits >> seat_bits & 7); }
  constexpr Seat seat() const noexcept { return static_cast<Seat>(bits & nobody); }

  friend constexpr bool operator==(NodeWord, NodeWord) = default;
};

// By how many laps `word` is ahead of `reference`, modulo 2^48; `one_lap_behind` means the word is older.
inline constexpr std::uint64_t one_lap_behind = lap_mask;
constexpr std::uint64_t laps_ahead(std::uint64_t word, std::uint64_t reference) noexcept { return (word - reference) & lap_mask; }

static_assert(sizeof(NodeWord) == 8);
static_assert(NodeWord::of(lap_mask, Phase::reading, 5).lap() == lap_mask);
static_assert(NodeWord::of(7, Phase::reading, 5).phase() == Phase::reading && NodeWord::of(7, Phase::reading, 5).seat() == 5);
static_assert(laps_ahead(0, lap_mask) == 1 && laps_ahead(lap_mask, 0) == one_lap_behind);

}  // namespace strait::layout
