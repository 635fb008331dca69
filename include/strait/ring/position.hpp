#pragma once
// A position in a ring (lap and index), and the cursor in which a handle remembers where it last was.

#include <strait/layout/node_word.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>

namespace strait::ring {

struct Position {
  std::uint64_t lap;
  std::uint64_t index;

  friend constexpr bool operator==(Position, Position) = default;
};

// The arithmetic of positions in a ring of `node_count` nodes, any number from 2.
//
// Consecutive positions do not lie side by side: from 64 nodes on, each step goes about 0.618 of the ring further (of 1,024 nodes,
// if there are more), by a number without a common divisor, so that a lap still visits every node once. Side by side, the
// processor's prefetcher fetches for a reader the very nodes that a writer is about to claim, and they change owner once more.
class Geometry {
 public:
  explicit constexpr Geometry(std::uint64_t node_count) noexcept
      : node_count_(node_count), step_(step_of(node_count)), ahead_(16 * step_ % node_count), index_bits_((std::max)(16, static_cast<int>(std::bit_width(node_count)))) {}

  constexpr std::uint64_t node_count() const noexcept { return node_count_; }

  constexpr Position next(Position p) const noexcept {
    p.index += step_;
    if (p.index >= node_count_) p.index -= node_count_;
    if (p.index == 0) p.lap = (p.lap + 1) & layout::lap_mask;
    return p;
  }

  // The index that a writer at `p` comes to 16 claims later, to be fetched in advance.
  constexpr std::uint64_t index_ahead(Position p) const noexcept {
    const std::uint64_t index = p.index + ahead_;
    return index >= node_count_ ? index - node_count_ : index;
  }

  // Of the position with this number, counted from 0.
  constexpr std::uint64_t index_of(std::uint64_t number) const noexcept { return number % node_count_ * step_ % node_count_; }
  constexpr std::uint64_t next_index(std::uint64_t index) const noexcept {
    index += step_;
    return index >= node_count_ ? index - node_count_ : index;
  }

  static constexpr Position laps_on(Position p, std::uint64_t laps) noexcept { return {(p.lap + laps) & layout::lap_mask, p.index}; }
  static constexpr Position lap_back(Position p) noexcept { return {(p.lap - 1) & layout::lap_mask, p.index}; }

  // Both numbers in one word, which is never all ones: threads that share a handle's cursors must not see half a position. Rings
  // of more than 65,535 nodes lose the upper bits of the lap here; those would take 2^64 messages to be reached.
  constexpr std::uint64_t pack(Position p) const noexcept { return p.lap << index_bits_ | p.index; }
  constexpr Position unpack(std::uint64_t packed) const noexcept {
    return {packed >> index_bits_ & layout::lap_mask, packed & ((std::uint64_t{1} << index_bits_) - 1)};
  }

  // Is `a` past `b`? Both lie within half of all laps of each other. Rarely asked: it counts steps.
  constexpr bool past(Position a, Position b) const noexcept {
    const auto ahead = layout::laps_ahead(a.lap, b.lap);
    if (ahead != 0) return ahead < layout::lap_mask / 2;
    if (a.index == b.index || a.index == 0) return false;
    for (Position p = next(b); p.index != 0; p = next(p)) {
      if (p.index == a.index) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint64_t step_of(std::uint64_t node_count) noexcept {
    if (node_count < 64) return 1;
    std::uint64_t step = std::min<std::uint64_t>(node_count, 1024) * 618 / 1000;
    while (std::gcd(step, node_count) != 1) ++step;
    return step;
  }

  std::uint64_t node_count_;
  std::uint64_t step_;
  std::uint64_t ahead_;
  int index_bits_;
};

}  // namespace strait::ring
