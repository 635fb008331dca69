#pragma once
// The bytes of the C# library's shared memory: little-endian, the same for 32- and 64-bit processes.
//
//     array, buffer   | SharedHeader 16 | data ...
//     ring            | SharedHeader 16 | RingHeader 24 | Node 32 x N | data of node 0 | data of node 1 | ...
//
// The total is exact, not rounded to pages. Offsets of nodes count from byte 16. Cursors are indices, 0 to N - 1, and never anything
// else: a C# peer that meets another number throws. A packet of a call fills one node: a header of 32 bytes and a slice of the payload.

#include <strait/core/checked.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

namespace strait::dotnet {

using Index = std::int32_t;

struct SharedHeader {
  alignas(8) std::atomic<std::int64_t> shared_memory_size;  // of everything; 0: the creator is at work
  std::atomic<std::int32_t> shutdown;                       // 1: the owner has closed
  std::int32_t padding;
};

struct RingHeader {
  std::atomic<Index> read_end;     // the first node that is not yet returned to the writers
  std::atomic<Index> read_start;   // the next node to read
  std::atomic<Index> write_end;    // the first node that is not yet published to the readers
  std::atomic<Index> write_start;  // the next node to write
  std::int32_t node_count;
  std::int32_t node_buffer_size;
};

struct Node {
  Index next;
  Index previous;
  std::atomic<std::int32_t> done_read;   // returned out of turn: `read_end` has not come here yet
  std::atomic<std::int32_t> done_write;  // written out of turn: `write_end` has not come here yet
  std::int64_t offset;
  Index index;
  std::atomic<std::int32_t> amount_written;
};

struct PacketHeader {
  std::uint8_t type;  // a PacketType
  std::uint8_t padding[7];
  alignas(8) std::uint64_t message_id;  // the sender's own count of messages, from 1
  std::int32_t payload_size;            // of the whole message
  std::uint16_t current_packet;         // from 1
  std::uint16_t total_packets;
  alignas(8) std::uint64_t response_id;  // the message that is answered; 0 in requests
};

enum class PacketType : std::uint8_t { request = 1, response = 2, error = 3 };

static_assert(sizeof(SharedHeader) == 16 && offsetof(SharedHeader, shutdown) == 8 && offsetof(SharedHeader, padding) == 12);
static_assert(sizeof(RingHeader) == 24 && offsetof(RingHeader, read_start) == 4 && offsetof(RingHeader, write_end) == 8 &&
              offsetof(RingHeader, write_start) == 12 && offsetof(RingHeader, node_count) == 16 &&
              offsetof(RingHeader, node_buffer_size) == 20);
static_assert(sizeof(Node) == 32 && offsetof(Node, done_read) == 8 && offsetof(Node, done_write) == 12 && offsetof(Node, offset) == 16 &&
              offsetof(Node, index) == 24 && offsetof(Node, amount_written) == 28);
static_assert(sizeof(PacketHeader) == 32 && offsetof(PacketHeader, message_id) == 8 && offsetof(PacketHeader, payload_size) == 16 &&
              offsetof(PacketHeader, current_packet) == 20 && offsetof(PacketHeader, total_packets) == 22 &&
              offsetof(PacketHeader, response_id) == 24);
static_assert(std::is_standard_layout_v<RingHeader> && std::is_standard_layout_v<Node> && std::is_trivially_copyable_v<PacketHeader>);
static_assert(std::atomic<Index>::is_always_lock_free);

// C# counts sizes in 32 bits, and creators there go wrong beyond it.
inline constexpr std::uint64_t greatest_size = (std::numeric_limits<std::int32_t>::max)();

// Of a ring, from byte 0; nothing where the numbers are beyond what the format can say.
inline std::optional<std::uint64_t> ring_size(std::uint64_t nodes, std::uint64_t node_buffer_size) noexcept {
  const auto each = core::checked_add(sizeof(Node), node_buffer_size);
  const auto all = each ? core::checked_multiply(nodes, *each) : std::nullopt;
  if (!all || *all > greatest_size - sizeof(SharedHeader) - sizeof(RingHeader)) return std::nullopt;
  return sizeof(SharedHeader) + sizeof(RingHeader) + *all;
}

// Of a node's data, from byte 16. The arguments were accepted by ring_size().
inline std::int64_t node_offset(std::uint64_t nodes, std::uint64_t node_buffer_size, std::uint64_t index) noexcept {
  return static_cast<std::int64_t>(sizeof(RingHeader) + nodes * sizeof(Node) + node_buffer_size * index);
}

}  // namespace strait::dotnet
