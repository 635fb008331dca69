#pragma once
// A node of a ring: one message's place.
//
//     0        8         12          16                         stride, a multiple of 64
//     | word   | length  | reserved  | payload ...                |
//
// Nodes lie side by side, but consecutive positions do not: which node follows which is part of the format and follows from the
// number of nodes alone (ring/position.hpp).
//
// Word, length and the first 48 bytes of the payload share one cache line, so that a small message costs the reader one miss.

#include <strait/core/checked.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace strait::layout {

struct Node {
  alignas(8) std::atomic<std::uint64_t> word;
  std::atomic<std::uint32_t> length;
  std::uint32_t reserved;
};

inline constexpr std::uint64_t node_header_size = 16;
inline constexpr std::uint64_t cache_line = 64;

constexpr std::optional<std::uint64_t> node_stride(std::uint64_t node_buffer_size) noexcept {
  const auto size = core::checked_add(node_header_size, node_buffer_size);
  return size ? core::checked_round_up(*size, cache_line) : std::nullopt;
}

static_assert(sizeof(Node) == node_header_size);
static_assert(std::is_standard_layout_v<Node>);
static_assert(offsetof(Node, word) == 0 && offsetof(Node, length) == 8 && offsetof(Node, reserved) == 12);

}  // namespace strait::layout
