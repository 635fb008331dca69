#pragma once
// CRC-32C (Castagnoli; RFC 3720, appendix B.4), sixteen bytes at a time: table k holds the effect of a byte that k more bytes
// follow, so that sixteen look-ups that do not wait for one another replace a chain of sixteen.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace examples {
namespace crc32c {

inline constexpr std::size_t width = 16;

inline constexpr auto tables = [] {
  std::array<std::array<std::uint32_t, 256>, width> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    made[0][byte] = crc;
  }
  for (std::size_t k = 1; k < width; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) made[k][byte] = (made[k - 1][byte] >> 8) ^ made[0][made[k - 1][byte] & 0xFF];
  return made;
}();

// Unrolled by the fold, whatever the compiler's optimisation level does with loops.
template <std::size_t... Place>
constexpr std::uint32_t step(std::uint32_t crc, const std::byte* at, std::index_sequence<Place...>) noexcept {
  return (
      tables[width - 1 - Place][(std::to_integer<std::uint32_t>(at[Place]) ^ (Place < 4 ? crc >> (8 * (Place % 4)) : 0)) & 0xFF] ^
      ...);
}

}  // namespace crc32c

class Crc32c {
 public:
  constexpr void update(std::span<const std::byte> bytes) noexcept {
    std::uint32_t crc = ~value_;
    for (; bytes.size() >= crc32c::width; bytes = bytes.subspan(crc32c::width))
      crc = crc32c::step(crc, bytes.data(), std::make_index_sequence<crc32c::width>{});
    for (const std::byte byte : bytes) crc = (crc >> 8) ^ crc32c::tables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
    value_ = ~crc;
  }

  constexpr std::uint32_t value() const noexcept { return value_; }

 private:
  std::uint32_t value_ = 0;
};

// The first example of RFC 3720, B.4: 32 bytes of zeroes.
static_assert([] {
  Crc32c crc;
  crc.update(std::array<std::byte, 32>{});
  return crc.value();
}() == 0x8A9136AA);

}  // namespace examples
