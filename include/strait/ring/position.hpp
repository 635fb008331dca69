#pragma once
// A position in a ring (lap and index), and the cursor in which a handle remembers where it last was.

#include <strait/layout/node_word.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace strait::ring {

struct Position {
  std::uint64_t lap;
  std::uint64_t index;

  friend constexpr bool operator==(Position, Position) = default;
};

// The arithmetic of positions in a ring of `node_count` nodes, any number from 2.
class Geometry {
 public:
  explicit constexpr Geometry(std::uint64_t node_count) noexcept
      : node_count_(node_count), index_bits_(std::max(16, static_cast<int>(std::bit_width(node_count)))) {}

  constexpr std::uint64_t node_count() const noexcept { return node_count_; }

  constexpr Position next(Position p) const noexcept {
    if (++p.index == node_count_) return {(p.lap + 1) & layout::lap_mask, 0};
    return p;
  }
  static constexpr Position laps_on(Position p, std::uint64_t laps) noexcept { return {(p.lap + laps) & layout::lap_mask, p.index}; }
  static constexpr Position lap_back(Position p) noexcept { return {(p.lap - 1) & layout::lap_mask, p.index}; }

  // Both numbers in one word, which is never all ones: threads that share a handle's cursors must not see half a position. Rings
  // of more than 65,535 nodes lose the upper bits of the lap here; those would take 2^64 messages to be reached.
  constexpr std::uint64_t pack(Position p) const noexcept { return p.lap << index_bits_ | p.index; }
  constexpr Position unpack(std::uint64_t packed) const noexcept {
    return {packed >> index_bits_ & layout::lap_mask, packed & ((std::uint64_t{1} << index_bits_) - 1)};
  }

  // Is `a` past `b`? Both lie within half of all laps of each other.
  static constexpr bool past(Position a, Position b) noexcept {
    const auto ahead = layout::laps_ahead(a.lap, b.lap);
    if (ahead == 0) return a.index > b.index;
    return ahead < layout::lap_mask / 2;
  }

 private:
  std::uint64_t node_count_;
  int index_bits_;
};

}  // namespace strait::ring
