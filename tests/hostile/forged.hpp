#pragma once
// Numbers of a segment's header, and a segment whose header says what somebody likes.

#include "../support/catch.hpp"
#include "../support/shm_file.hpp"

#include <strait/layout/rpc_control.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/segment_plan.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace strait::test {

inline const layout::SegmentHeader& header_of(const BackDoor& door) { return *reinterpret_cast<const layout::SegmentHeader*>(door.bytes()); }
inline std::size_t payload_of(const BackDoor& door) { return static_cast<std::size_t>(header_of(door).payload_offset); }

/// The words of a channel's two places.
struct Places {
  explicit Places(const BackDoor& door)
      : first(door.word<std::uint64_t>(payload_of(door) + offsetof(layout::RpcControl, places))),
        second(door.word<std::uint64_t>(payload_of(door) + offsetof(layout::RpcControl, places) + sizeof(layout::PlaceLine))) {}

  std::atomic<std::uint64_t>& first;
  std::atomic<std::uint64_t>& second;
};

/// Other elements, and all other numbers as they follow from these.
inline void forge_elements(const std::string& name, std::uint64_t element_size, std::uint64_t element_count) {
  const BackDoor door(name);
  auto& header = *reinterpret_cast<layout::SegmentHeader*>(door.bytes());
  const layout::Shape shape{static_cast<layout::Kind>(header.kind), element_size, element_count, header.element_alignment, header.fingerprint};
  const auto plan = *layout::plan(shape, header.seat_count);
  REQUIRE(plan.segment_size <= door.size());
  header.element_size = element_size;
  header.element_count = element_count;
  header.payload_size = plan.payload_size;
  header.segment_size = plan.segment_size;
}

}  // namespace strait::test
