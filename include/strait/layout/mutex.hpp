#pragma once
// The payload of a mutex's segment. Who holds it stands in the control block's lock word.
//
//     0        8 ..
//     | first  | zero
//
// first:  | token : 32 | seat + 1 : 32 |     the one waiter that nobody may overtake, 0 = nobody. The token tells the threads
//                                            of one seat apart.

#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace strait::layout {

struct FirstInLine {
  std::uint64_t bits;

  static constexpr FirstInLine of(Seat seat, std::uint32_t token) noexcept { return {std::uint64_t{token} << 32 | (seat + 1)}; }

  constexpr bool is_nobody() const noexcept { return bits == 0; }
  constexpr bool is_of(Seat seat) const noexcept { return static_cast<std::uint32_t>(bits) == seat + 1; }

  friend constexpr bool operator==(FirstInLine, FirstInLine) = default;
};

struct MutexBlock {
  alignas(64) std::atomic<std::uint64_t> first;
};

static_assert(sizeof(MutexBlock) == 64 && std::is_standard_layout_v<MutexBlock>);
static_assert(FirstInLine::of(0, 7).bits == 0x7'0000'0001 && FirstInLine::of(5, 9).is_of(5) && !FirstInLine::of(5, 9).is_of(6));

}  // namespace strait::layout
