#pragma once
// The payload of a publisher's ring: written once, read by every subscriber.
//
//     0        64       128                              128 + 64 x seats
//     | head   | bounds | line 0 | line 1 | ...          | node 0 | node 1 | ...
//
// head     written by the publisher with each message:  | claimed u64 | messages u64 |
// bounds   written rarely:                              | limit u64 | publisher's id u64 | history u64 | lines used u32 |
// line     one for each seat, of the subscriber there:  | position u64 | id u64 | state u32 | pid u32 |
// node     | word u64 | message u64 | total u64 | size u32 | flags u32 | payload ...      stride a multiple of 64
// word:    | position : 62 | phase : 2 |
//
// A position is counted from 0 and never begins again. A message is one node or several in a row; `message` counts whole messages
// from 0, `total` is the size of the whole message, `size` of the part in this node. Which node a position has follows from the
// number of nodes alone, as in a ring that is read once (ring/position.hpp).
//
// claimed: every position before it may have been written to, and so may the bytes of the position a lap before.
// messages: how many whole messages are there for everybody to see.
// id: 0 until the subscriber has found the first message that it will read.
// limit: the publisher writes to no position from there on without looking at the lines again.

#include <strait/core/checked.hpp>
#include <strait/layout/node.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace strait::layout {

// empty: nothing was here. kept: whole, but behind a node that is still being filled; it counts if the publisher dies.
enum class BroadcastPhase : std::uint64_t { empty = 0, published = 1, skipped = 2, kept = 3 };

struct BroadcastWord {
  std::uint64_t bits;

  static constexpr BroadcastWord of(std::uint64_t position, BroadcastPhase phase) noexcept {
    return {position << 2 | static_cast<std::uint64_t>(phase)};
  }

  constexpr std::uint64_t position() const noexcept { return bits >> 2; }
  constexpr BroadcastPhase phase() const noexcept { return static_cast<BroadcastPhase>(bits & 3); }

  friend constexpr bool operator==(BroadcastWord, BroadcastWord) = default;
};

struct BroadcastNode {
  alignas(8) std::atomic<std::uint64_t> word;
  alignas(8) std::atomic<std::uint64_t> message;
  alignas(8) std::atomic<std::uint64_t> total;
  std::atomic<std::uint32_t> size;
  std::atomic<std::uint32_t> flags;
};

inline constexpr std::uint32_t first_part = 1;
inline constexpr std::uint32_t last_part = 2;

enum class LineState : std::uint32_t { none = 0, lossless = 1, lossy = 2 };

struct SubscriberLine {
  alignas(64) std::atomic<std::uint64_t> position;  // all before it is read
  std::atomic<std::uint64_t> id;                    // of the subscriber, in the topic's registry
  std::atomic<std::uint32_t> state;
  std::atomic<std::uint32_t> pid;
};

struct BroadcastBlock {
  alignas(64) std::atomic<std::uint64_t> claimed;
  std::atomic<std::uint64_t> messages;
  alignas(64) std::atomic<std::uint64_t> limit;
  std::uint64_t publisher;
  std::atomic<std::uint64_t> history;
  std::atomic<std::uint32_t> used;
};

inline constexpr std::uint64_t broadcast_header_size = 32;

constexpr std::optional<std::uint64_t> broadcast_stride(std::uint64_t node_buffer_size) noexcept {
  const auto size = core::checked_add(broadcast_header_size, node_buffer_size);
  return size ? core::checked_round_up(*size, cache_line) : std::nullopt;
}

constexpr std::uint64_t broadcast_nodes_offset(std::uint32_t seat_count) noexcept {
  return sizeof(BroadcastBlock) + std::uint64_t{seat_count} * sizeof(SubscriberLine);
}

constexpr std::optional<std::uint64_t> broadcast_payload_size(std::uint64_t node_buffer_size, std::uint64_t node_count,
                                                              std::uint32_t seat_count) noexcept {
  const auto stride = broadcast_stride(node_buffer_size);
  const auto nodes = stride ? core::checked_multiply(*stride, node_count) : std::nullopt;
  return nodes ? core::checked_add(*nodes, broadcast_nodes_offset(seat_count)) : std::nullopt;
}

static_assert(sizeof(BroadcastNode) == broadcast_header_size && std::is_standard_layout_v<BroadcastNode>);
static_assert(offsetof(BroadcastNode, message) == 8 && offsetof(BroadcastNode, total) == 16 && offsetof(BroadcastNode, size) == 24 &&
              offsetof(BroadcastNode, flags) == 28);
static_assert(sizeof(SubscriberLine) == 64 && std::is_standard_layout_v<SubscriberLine>);
static_assert(offsetof(SubscriberLine, id) == 8 && offsetof(SubscriberLine, state) == 16 && offsetof(SubscriberLine, pid) == 20);
static_assert(sizeof(BroadcastBlock) == 128 && std::is_standard_layout_v<BroadcastBlock>);
static_assert(offsetof(BroadcastBlock, messages) == 8 && offsetof(BroadcastBlock, limit) == 64 && offsetof(BroadcastBlock, publisher) == 72 &&
              offsetof(BroadcastBlock, history) == 80 && offsetof(BroadcastBlock, used) == 88);

}  // namespace strait::layout
