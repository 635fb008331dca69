#pragma once
// What the tests of publish/subscribe share.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace strait::test {

inline std::string text_of(const std::vector<std::byte>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// What receive gave, or the status's name.
inline std::string next_text(Subscriber& subscriber, Timeout timeout = std::chrono::seconds(10)) {
  const auto received = subscriber.receive(timeout);
  return received ? text_of(received.data) : text_of(received.status);
}

// A value that was published as such; -1: something else.
inline std::int64_t next_number(Subscriber& subscriber, Timeout timeout = std::chrono::seconds(10)) {
  const auto received = subscriber.receive(timeout);
  std::int64_t number = -1;
  if (received && received.data.size() == sizeof number) std::memcpy(&number, received.data.data(), sizeof number);
  return number;
}

inline TopicOptions nodes(std::size_t count, std::size_t size = 64, std::size_t history = 0) {
  TopicOptions options;
  options.node_count = count;
  options.node_buffer_size = size;
  options.history = history;
  return options;
}

// Bytes that tell where they are in which message.
inline std::vector<std::byte> pattern(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + size;
  for (auto& byte : bytes) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    byte = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

}  // namespace strait::test
