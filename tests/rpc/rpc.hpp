#pragma once
// What the tests of RpcBuffer share: values as bytes, outcomes as text, contents that say where a byte belongs.

#include "support/catch.hpp"
#include "support/unique_name.hpp"
#include "support/watchdog.hpp"

#include <strait/bytes.hpp>
#include <strait/rpc_buffer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strait {

inline std::ostream& operator<<(std::ostream& out, RpcOutcome outcome) { return out << core::name_of(outcome); }

}  // namespace strait

namespace strait::test {

using namespace std::chrono_literals;
using Payload = std::span<const std::byte>;

inline Payload bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string text_of(Payload bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A message in which no two neighbours, and no two seeds, look alike.
inline std::vector<std::byte> pattern(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + size + 1;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::memcpy(bytes.data() + i, &state, 8);
  }
  for (; i < size; ++i) bytes[i] = static_cast<std::byte>(state >> (8 * (i % 8)));
  return bytes;
}

inline RpcOptions small(std::size_t capacity, std::size_t nodes) {
  RpcOptions options;
  options.buffer_capacity = capacity;
  options.node_count = nodes;
  return options;
}

// Gives back what it gets.
inline constexpr auto echo = [](std::uint64_t, Payload payload) { return payload; };

}  // namespace strait::test
