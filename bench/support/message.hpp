// The 64-byte message of the throughput and round-trip workloads, and how it is verified.
//
// The first word is the sequence number, the last its complement: a message that was lost, doubled, reordered or torn between
// its two ends shows. The check costs three instructions, the same for every subject.

#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

namespace strait::bench {

struct Message {
  std::uint64_t sequence = 0;
  std::uint64_t writer = 0;
  std::array<std::uint64_t, 5> filler{1, 2, 3, 4, 5};
  std::uint64_t complement = 0;

  void stamp(std::uint64_t number) noexcept {
    sequence = number;
    complement = ~number;
  }
  /// Zero if this is message `number`, otherwise some set bits; OR them up and look once at the end.
  std::uint64_t wrong(std::uint64_t number) const noexcept { return (sequence ^ number) | (complement ^ ~number); }
};
static_assert(sizeof(Message) == 64 && std::is_trivially_copyable_v<Message>);

}  // namespace strait::bench
