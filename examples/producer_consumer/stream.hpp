#pragma once
// What travels between strait-produce and strait-consume.
//
// Ring `name`, producer to consumer, 20 nodes of 1 MiB, one message per node:
//
//     | StreamMark (16 bytes) | bytes of the stream from mark.offset on |      kind data
//     | StreamMark |                                                           kind end: offset is the total size
//
// Ring `name.receipt`, consumer to producer: one StreamMark, kind end, of what the consumer has received and written.
//
// Every mark carries the checksum of all bytes before its offset, so a consumer notices at once when something is missing.

#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <ostream>
#include <string>

namespace examples {

inline constexpr std::size_t node_count = 20;
inline constexpr std::size_t node_buffer_size = 1024 * 1024;
inline constexpr const char* default_ring = "strait-producer-consumer";

inline std::string receipt_ring(const std::string& ring) { return ring + ".receipt"; }

enum class StreamKind : std::uint32_t { data = 1, end = 2 };

struct StreamMark {
  StreamKind kind;
  std::uint32_t checksum;  // CRC-32C of the bytes before `offset`
  std::uint64_t offset;

  friend bool operator==(const StreamMark&, const StreamMark&) = default;
};
static_assert(sizeof(StreamMark) == 16);

inline std::ostream& operator<<(std::ostream& out, const StreamMark& mark) {
  const auto flags = out.flags();
  const auto fill = out.fill('0');
  out << std::dec << mark.offset << " bytes, CRC-32C " << std::hex << std::setw(8) << mark.checksum;
  out.flags(flags);
  out.fill(fill);
  return out;
}

}  // namespace examples
