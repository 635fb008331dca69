#pragma once
// The value of the structs whose users are killed.

#include <array>
#include <cstdint>

namespace strait::test::crash {

// Larger than a cache line, so that a change has a middle.
struct Whole {
  std::array<std::uint64_t, 40> parts;

  static Whole of(std::uint64_t value) {
    Whole whole{};
    whole.parts.fill(value);
    return whole;
  }
  bool is(std::uint64_t value) const {
    for (const auto part : parts) {
      if (part != value) return false;
    }
    return true;
  }
};

}  // namespace strait::test::crash
