#pragma once
// A packet of an RPC channel: the content of one node. A message is one or more packets, in order.
//
//     0      1         2       3          4      8     12      16    24       28         32
//     | type | outcome | flags | reserved | from | to  | total | id  | offset | reserved | slice ...
//
// `from` and `to` are the epochs of the sender and of the receiver. `id` names a request among those of its caller; its reply and
// its cancellation bear the same. `total` is the size of the whole message, `offset` where this slice begins in it. Every slice
// but the last fills its node. Every number here is another process's: checked before it is used (rpc/packet.hpp).

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace strait::layout {

enum class PacketType : std::uint8_t { request = 1, reply = 2, cancel = 3 };

// In `flags` of a request: nobody waits for the reply, so nothing that happens to the caller stops the handler.
inline constexpr std::uint8_t packet_forgotten = 1;

struct PacketHeader {
  std::uint8_t type;
  std::uint8_t outcome;  // of a reply: an RpcOutcome
  std::uint8_t flags;
  std::uint8_t reserved;
  std::uint32_t from;
  std::uint32_t to;
  std::uint32_t total;
  alignas(8) std::uint64_t id;
  std::uint32_t offset;
  std::uint32_t reserved2;
};

inline constexpr std::uint32_t max_message_size = 0x7fffffff;

static_assert(sizeof(PacketHeader) == 32 && std::is_standard_layout_v<PacketHeader>);
static_assert(offsetof(PacketHeader, from) == 4 && offsetof(PacketHeader, total) == 12 && offsetof(PacketHeader, id) == 16 &&
              offsetof(PacketHeader, offset) == 24);

}  // namespace strait::layout
