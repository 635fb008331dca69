#pragma once
// Where the parts of a segment lie: computed when it is created, and again, from scratch, when it is opened.

#include <strait/core/checked.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/control.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/seat.hpp>
#include <strait/layout/segment_header.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace strait::layout {

constexpr bool has_nodes(Kind kind) noexcept { return kind == Kind::ring || kind == Kind::rpc || kind == Kind::broadcast; }

// Whose words change without a fence of their own, where sleepers fence (FenceMethod).
constexpr bool leaves_fences_to_sleepers(Kind kind) noexcept { return has_nodes(kind) || kind == Kind::topic; }

// What the payload holds. For a ring the elements are its nodes, for an RPC channel those of each of its two rings.
struct Shape {
  Kind kind{};
  std::uint64_t element_size = 1;
  std::uint64_t element_count = 0;
  std::uint32_t element_alignment = 1;
  std::uint64_t fingerprint = 0;

  // Bytes of the payload; nothing where they cannot be counted in 64 bits.
  constexpr std::optional<std::uint64_t> payload_size(std::uint32_t seat_count) const noexcept {
    if (kind == Kind::rpc) return rpc_payload_size(element_size, element_count);
    if (kind == Kind::broadcast) return broadcast_payload_size(element_size, element_count, seat_count);
    // A struct's bytes lie in an object of their own: here are only its two journals.
    if (kind == Kind::structure) return cell_payload_size(element_size, 2);
    if (kind == Kind::latest) {
      const auto size = core::checked_add(element_size, length_size);
      return size ? cell_payload_size(*size, 3) : std::nullopt;
    }
    const auto unit = kind == Kind::ring ? node_stride(element_size) : std::optional(element_size);
    return unit ? core::checked_multiply(*unit, element_count) : std::nullopt;
  }
};

struct SegmentPlan {
  std::uint64_t control_offset;
  std::uint64_t payload_offset;
  std::uint64_t payload_size;
  std::uint64_t segment_size;
};

inline constexpr std::uint64_t max_node_count = std::uint64_t{1} << 32;
inline constexpr std::uint64_t max_node_buffer_size = (std::uint64_t{1} << 32) - 1;  // a length has 32 bits
inline constexpr std::uint64_t max_element_alignment = 4096;  // a page: mappings promise no more

constexpr std::optional<SegmentPlan> plan(const Shape& shape, std::uint32_t seat_count) noexcept {
  const std::uint64_t control = header_size + std::uint64_t{seat_count} * sizeof(SeatLine);
  const std::uint64_t alignment = std::max<std::uint64_t>(cache_line, shape.element_alignment);
  const auto payload = core::checked_round_up(control + sizeof(ControlBlock), alignment);
  const auto size = shape.payload_size(seat_count);
  if (!payload || !size) return std::nullopt;
  const auto end = core::checked_add(*payload, *size);
  if (!end || *end > std::uint64_t{1} << 62) return std::nullopt;
  return SegmentPlan{control, *payload, *size, *end};
}

}  // namespace strait::layout
