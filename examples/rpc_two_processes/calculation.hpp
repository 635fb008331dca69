#pragma once
// What the service and its clients agree on.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>

namespace examples {

inline constexpr auto default_channel = "strait-rpc-calculator";

/// A request: one operation on two numbers. The answer is a double.
struct Calculation {
  double left;
  double right;
  char operation;  // + - * /
  char padding[7];
};

inline double result_of(const Calculation& calculation) {
  switch (calculation.operation) {
    case '+': return calculation.left + calculation.right;
    case '-': return calculation.left - calculation.right;
    case '*': return calculation.left * calculation.right;
    case '/':
      if (calculation.right == 0) throw std::runtime_error("division by zero");
      return calculation.left / calculation.right;
    default: throw std::runtime_error("an operation other than + - * /");
  }
}

/// A load program's request: | magic | size of the answer | filler ... |
struct LoadHeader {
  static constexpr std::uint64_t wanted_magic = 0x64616F6C2D637072u;  // "rpc-load"
  std::uint64_t magic;
  std::uint64_t answer_size;
};

inline std::optional<LoadHeader> load_header(std::span<const std::byte> payload) {
  LoadHeader header{};
  if (payload.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof header);
  if (header.magic != LoadHeader::wanted_magic || header.answer_size > payload.size()) return std::nullopt;
  return header;
}

}  // namespace examples
