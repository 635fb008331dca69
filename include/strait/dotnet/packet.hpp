#pragma once
// Packets of calls: how a message is cut into them, the check of one that was read, and how the slices become a message again.
//
// A slice is as long as a node has room behind the header. C# takes the last slice of a message whose length is a whole number of slices
// for empty; so such a message gets one more packet, which is empty. C# counts packets in 16 bits. One side writes one ring, message
// after message: so a packet that does not follow on the last one says that a packet between them was dropped (C# drops those for
// which it finds no room within a second), and the message is lost. C# takes it for complete when its last packet comes.

#include <strait/dotnet/layout.hpp>
#include <strait/rpc/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>

namespace strait::dotnet {

// How many; nothing where the message is too long for the format.
inline std::optional<std::uint16_t> packets_of(std::size_t payload, std::size_t slice_size) noexcept {
  const std::size_t packets = payload / slice_size + 1;
  if (payload > static_cast<std::size_t>((std::numeric_limits<std::int32_t>::max)()) || packets > (std::numeric_limits<std::uint16_t>::max)()) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(packets);
}

// A message on its way out.
struct Outgoing {
  PacketHeader header{};
  std::span<const std::byte> rest;

  Outgoing(PacketType type, std::uint64_t id, std::uint64_t response_id, std::span<const std::byte> payload, std::uint16_t packets) noexcept
      : rest(payload) {
    header.type = static_cast<std::uint8_t>(type);
    header.message_id = id;
    header.payload_size = static_cast<std::int32_t>(payload.size());
    header.current_packet = 1;
    header.total_packets = packets;
    header.response_id = response_id;
  }

  bool is_sent() const noexcept { return header.current_packet == 0 || header.current_packet > header.total_packets; }

  // Fills a node and returns how much of it. After the 65,535th packet the count is 0.
  std::size_t write(std::span<std::byte> node) noexcept {
    const auto slice = rest.first((std::min)(rest.size(), node.size() - sizeof header));
    std::memcpy(node.data(), &header, sizeof header);
    if (!slice.empty()) std::memcpy(node.data() + sizeof header, slice.data(), slice.size());
    rest = rest.subspan(slice.size());
    ++header.current_packet;
    return sizeof header + slice.size();
  }
};

struct Packet {
  PacketHeader header;  // this process's own copy
  std::span<const std::byte> slice;

  std::size_t payload_size() const noexcept { return static_cast<std::size_t>(header.payload_size); }
  bool is_first() const noexcept { return header.current_packet == 1; }
  bool is_last() const noexcept { return header.current_packet == header.total_packets; }
};

// Nothing: the packet makes no sense.
inline std::optional<Packet> parse(std::span<const std::byte> node, std::size_t slice_size) noexcept {
  Packet packet{};
  if (node.size() < sizeof packet.header) return std::nullopt;
  std::memcpy(&packet.header, node.data(), sizeof packet.header);
  const PacketHeader& header = packet.header;
  if (header.type < 1 || header.type > 3 || header.payload_size < 0) return std::nullopt;
  if (header.current_packet == 0 || header.current_packet > header.total_packets) return std::nullopt;
  // As many as are needed, and perhaps an empty one.
  const std::size_t payload = packet.payload_size();
  const std::size_t needed = payload == 0 ? 1 : (payload + slice_size - 1) / slice_size;
  const bool has_extra = payload != 0 && payload % slice_size == 0 && header.total_packets == needed + 1;
  if (header.total_packets != needed && !has_extra) return std::nullopt;
  const std::size_t offset = slice_size * (header.current_packet - 1u);
  const std::size_t length = (std::min)(slice_size, payload - (std::min)(payload, offset));
  if (node.size() - sizeof header < length) return std::nullopt;
  packet.slice = node.subspan(sizeof header, length);
  return packet;
}

inline bool is_same_message(const PacketHeader& a, const PacketHeader& b) noexcept {
  return a.type == b.type && a.message_id == b.message_id && a.response_id == b.response_id && a.payload_size == b.payload_size &&
         a.total_packets == b.total_packets;
}

// The one message that is coming in. One thread at a time.
class Reassembly {
 public:
  enum class Added : std::uint8_t { more_to_come, complete, lost };  // lost: packets before this one never came

  // The message that came before was cut short by this packet.
  bool interrupts(const Packet& packet) const noexcept { return next_ != 0 && !follows(packet); }
  const PacketHeader& begun() const noexcept { return header_; }
  void forget() noexcept { next_ = 0; }

  Added add(const Packet& packet) {
    if (packet.is_first()) {
      next_ = 0;
      payload_.start(packet.payload_size());
      header_ = packet.header;
    } else if (!follows(packet)) {
      next_ = 0;
      return Added::lost;
    }
    payload_.append(packet.slice);
    next_ = packet.is_last() ? 0 : packet.header.current_packet + 1u;
    return packet.is_last() ? Added::complete : Added::more_to_come;
  }

  std::span<const std::byte> view() const noexcept { return payload_.view(); }

 private:
  bool follows(const Packet& packet) const noexcept {
    return next_ != 0 && packet.header.current_packet == next_ && is_same_message(packet.header, header_);
  }

  PacketHeader header_{};
  rpc::Bytes payload_;
  std::uint32_t next_ = 0;  // 0: nothing has begun
};

}  // namespace strait::dotnet
