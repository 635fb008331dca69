#pragma once
// Packets as they are written, and the check of one that was read: every number in it is another process's.

#include <strait/layout/rpc_packet.hpp>
#include <strait/rpc/response.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace strait::rpc {

using layout::PacketHeader;
using layout::PacketType;

// This process's own copy of the header, and the slice as it lies in the node.
struct Packet {
  PacketHeader header;
  std::span<const std::byte> slice;

  PacketType type() const noexcept { return static_cast<PacketType>(header.type); }
  RpcOutcome outcome() const noexcept { return static_cast<RpcOutcome>(header.outcome); }
  bool is_whole_message() const noexcept { return slice.size() == header.total; }
  bool is_last() const noexcept { return header.offset + slice.size() == header.total; }
};

// `slice_size`: what a full node carries. Nothing: the packet makes no sense.
inline std::optional<Packet> parse(std::span<const std::byte> node, std::size_t slice_size) noexcept {
  if (node.size() < sizeof(PacketHeader)) return std::nullopt;
  Packet packet{};
  std::memcpy(&packet.header, node.data(), sizeof(PacketHeader));
  packet.slice = node.subspan(sizeof(PacketHeader));
  const PacketHeader& header = packet.header;
  switch (packet.type()) {
    case PacketType::request: break;
    case PacketType::reply:
      if (packet.outcome() > RpcOutcome::no_handler) return std::nullopt;
      break;
    case PacketType::cancel: return packet.slice.empty() && header.total == 0 && header.offset == 0 ? std::optional(packet) : std::nullopt;
    default: return std::nullopt;
  }
  if (header.total > layout::max_message_size || header.offset > header.total) return std::nullopt;
  if (header.total != 0 && (header.offset % slice_size != 0 || header.offset == header.total)) return std::nullopt;
  if (packet.slice.size() != std::min<std::size_t>(slice_size, header.total - header.offset)) return std::nullopt;
  return packet;
}

}  // namespace strait::rpc
