#pragma once
// The bytes of a segment.
//
//     0                 128                     128 + 64 x seats                       payload_offset
//     | SegmentHeader   | SeatLine[seat_count]  | ControlBlock (layout/control.hpp)    | payload
//
// All-zero bytes mean "not yet created". The header is written before anything else, in state `creating`; `ready` is published
// last. Nothing in it changes afterwards. Every number in it is somebody else's: an opener checks each against the object's
// real size before it believes it. Little-endian, the same for 32- and 64-bit processes; no pointer, bool or size_t.
//
//     0   magic             8   version       12  kind            16  state         20  presence      22  park
//     24  segment_size      32  payload_offset    40  payload_size    48  element_size    56  element_count
//     64  fingerprint       72  epoch         80  seat_count      84  element_alignment   88  fences  92..127  zero

#include <strait/core/config.hpp>
#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace strait::layout {

enum class Kind : std::uint32_t { array = 1, buffer = 2, ring = 3, rpc = 4, structure = 5, latest = 6, event = 7, mutex = 8, topic = 9, broadcast = 10 };

enum class State : std::uint32_t { none = 0, creating = 1, ready = 2 };

// How participants show that they live: chosen by the creator, for everybody. (How they sleep: platform::Park::method().)
// `lock_file`: as `process`, and the life of the segment is a lock on a file beside it.
enum class PresenceMethod : std::uint16_t { kernel_lock = 1, process = 2, lock_file = 3 };

// Can this build tell whether a segment of that method is alive? What it cannot tell it must not take for dead.
constexpr bool can_tell_life(std::uint16_t presence) noexcept {
  const auto method = static_cast<PresenceMethod>(presence);
  return core::lock_files ? method == PresenceMethod::lock_file : method == PresenceMethod::kernel_lock || method == PresenceMethod::process;
}

// Who pays for the fence between a change of a ring's node and the look at its sleepers: chosen by the creator, for everybody.
//   every_change  whoever changes the word, by an exchange
//   by_sleepers   whoever is about to sleep, or to believe that a ring is closed and empty (platform/asymmetric_fence.hpp)
enum class FenceMethod : std::uint32_t { every_change = 1, by_sleepers = 2 };

inline constexpr std::uint64_t magic = 0x0A30544941525453ull;  // "STRAIT0\n" as little-endian bytes
inline constexpr std::uint32_t format_version = 1;

struct SegmentHeader {
  alignas(8) std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t kind;
  std::atomic<std::uint32_t> state;
  std::uint16_t presence;
  std::uint16_t park;
  alignas(8) std::uint64_t segment_size;
  alignas(8) std::uint64_t payload_offset;
  alignas(8) std::uint64_t payload_size;
  alignas(8) std::uint64_t element_size;   // an array's element, a buffer's byte, a ring's or channel's node size
  alignas(8) std::uint64_t element_count;  // an array's length, a buffer's size, a ring's nodes (a channel: of each)
  alignas(8) std::uint64_t fingerprint;    // of the element type; 0 where there is none
  alignas(8) std::uint64_t epoch;          // a random number: tells one life of a name from the next
  std::uint32_t seat_count;
  std::uint32_t element_alignment;
  std::uint32_t fences;
  unsigned char reserved[36];
};

inline constexpr std::uint64_t header_size = 128;

static_assert(sizeof(SegmentHeader) == header_size);
static_assert(std::is_standard_layout_v<SegmentHeader>);
static_assert(offsetof(SegmentHeader, state) == 16 && offsetof(SegmentHeader, segment_size) == 24 && offsetof(SegmentHeader, fingerprint) == 64 &&
              offsetof(SegmentHeader, seat_count) == 80 && offsetof(SegmentHeader, fences) == 88);

// Bytes far beyond the end of the object that only locks are held on: the segment's life, and one for each seat's presence.
inline constexpr std::int64_t life_lock_offset = 0x7ffffff000000000;
inline constexpr std::int64_t first_seat_lock_offset = 0x7fffffe000000000;

constexpr const char* name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::array: return "array";
    case Kind::buffer: return "buffer";
    case Kind::ring: return "ring";
    case Kind::rpc: return "RPC channel";
    case Kind::structure: return "struct";
    case Kind::latest: return "notifying buffer";
    case Kind::event: return "event";
    case Kind::mutex: return "mutex";
    case Kind::topic: return "topic";
    case Kind::broadcast: return "publisher's ring";
  }
  return "unknown kind";
}

}  // namespace strait::layout
