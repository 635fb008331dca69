#pragma once
// Arithmetic on sizes that come from a caller or from another process: a result that does not fit is told, not wrapped.

#include <cstdint>
#include <limits>
#include <optional>

namespace strait::core {

constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) noexcept {
  if (a > (std::numeric_limits<std::uint64_t>::max)() - b) return std::nullopt;
  return a + b;
}

constexpr std::optional<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) noexcept {
  if (b != 0 && a > (std::numeric_limits<std::uint64_t>::max)() / b) return std::nullopt;
  return a * b;
}

// `alignment` is a power of two.
constexpr std::optional<std::uint64_t> checked_round_up(std::uint64_t value, std::uint64_t alignment) noexcept {
  const auto sum = checked_add(value, alignment - 1);
  if (!sum) return std::nullopt;
  return *sum & ~(alignment - 1);
}

// Do `count` units from `start` lie within `size`?
constexpr bool fits(std::uint64_t start, std::uint64_t count, std::uint64_t size) noexcept { return start <= size && count <= size - start; }

}  // namespace strait::core
