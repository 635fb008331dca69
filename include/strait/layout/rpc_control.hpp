#pragma once
// The payload of an RPC channel: two places, and two rings, one each way.
//
//     0             64            128                        640                        1152
//     | place 0     | place 1     | control block of ring 0  | control block of ring 1  | nodes of ring 0 | nodes of ring 1 |
//     | master      | slave       | master -> slave          | slave -> master          |
//
// Place:  | epoch : 32 | reserved : 15 | before : 2 | state : 2 | seat : 13 |
//
//     empty(0) --join--> occupied(e + 1) --leave--> closed(e + 1) --join--> occupied(e + 2)
//                             | mend of a dead seat
//                             v
//                          lost(e + 1) --join--> occupied(e + 2)
//
// An endpoint's life is its place's epoch; every packet carries the epochs of its sender and of the one it is meant for, so that
// nothing of an old life is taken for the new one's. `before` is how the previous life ended: a survivor that was not looking
// meanwhile can still say so.
//
// `full` is the epoch of the life in this place that has as many requests waiting for a thread as it keeps, or anything else: the
// other side begins no further request as long as it is that of its peer. A life that ends takes its word with it.
//
// A ring's readers' side belongs to the endpoint at its end, and changes hands with the place.

#include <strait/layout/control.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace strait::layout {

enum class PlaceState : std::uint64_t { empty = 0, occupied = 1, closed = 2, lost = 3 };

struct PlaceWord {
  std::uint64_t bits;

  static constexpr PlaceWord of(std::uint32_t epoch, PlaceState state, PlaceState before, Seat seat = nobody) noexcept {
    return {std::uint64_t{epoch} << 32 | static_cast<std::uint64_t>(before) << 15 | static_cast<std::uint64_t>(state) << seat_bits | seat};
  }

  constexpr std::uint32_t epoch() const noexcept { return static_cast<std::uint32_t>(bits >> 32); }
  constexpr PlaceState state() const noexcept { return static_cast<PlaceState>(bits >> seat_bits & 3); }
  constexpr PlaceState before() const noexcept { return static_cast<PlaceState>(bits >> 15 & 3); }
  constexpr Seat seat() const noexcept { return static_cast<Seat>(bits & nobody); }
  constexpr bool is_occupied() const noexcept { return state() == PlaceState::occupied; }

  friend constexpr bool operator==(PlaceWord, PlaceWord) = default;
};

struct PlaceLine {
  alignas(64) std::atomic<std::uint64_t> word;
  std::atomic<std::uint32_t> full;
};

struct RpcControl {
  PlaceLine places[2];    // master, slave
  ControlBlock rings[2];  // ring i is written from place i and read from the other
};

// A channel's shape: elements are nodes, as in a ring; element_count is one ring's.
constexpr std::optional<std::uint64_t> rpc_payload_size(std::uint64_t node_buffer_size, std::uint64_t node_count) noexcept {
  const auto stride = node_stride(node_buffer_size);
  const auto ring = stride ? core::checked_multiply(*stride, node_count) : std::nullopt;
  const auto both = ring ? core::checked_multiply(*ring, 2) : std::nullopt;
  return both ? core::checked_add(*both, sizeof(RpcControl)) : std::nullopt;
}

static_assert(sizeof(RpcControl) == 1152 && std::is_standard_layout_v<RpcControl>);
static_assert(offsetof(RpcControl, rings) == 128 && offsetof(PlaceLine, full) == 8);
static_assert(PlaceWord::of(7, PlaceState::occupied, PlaceState::lost, 5).epoch() == 7);
static_assert(PlaceWord::of(7, PlaceState::occupied, PlaceState::lost, 5).before() == PlaceState::lost);
static_assert(PlaceWord::of(7, PlaceState::occupied, PlaceState::lost, 5).seat() == 5);

}  // namespace strait::layout
