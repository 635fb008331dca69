#pragma once
// Values as bytes and back: checked copies that need no alignment and break no aliasing rule.

#include <strait/error.hpp>
#include <strait/shareable.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

namespace strait {

/// The bytes of a value.
template <Shareable T>
std::array<std::byte, sizeof(T)> to_bytes(const T& value) noexcept {
  std::array<std::byte, sizeof(T)> bytes;
  std::memcpy(bytes.data(), std::addressof(value), sizeof(T));
  return bytes;
}

/// Copies a value to the start of `to`. Throws buffer_too_small.
template <Shareable T>
void copy_to_bytes(const T& value, std::span<std::byte> to) {
  if (to.size() < sizeof(T)) {
    throw Error(Errc::buffer_too_small, "", "a value of " + std::to_string(sizeof(T)) + " bytes does not fit " + std::to_string(to.size()));
  }
  std::memcpy(to.data(), std::addressof(value), sizeof(T));
}

/// The value whose bytes start at `from`. Throws buffer_too_small where there are fewer than sizeof(T).
template <Shareable T>
  requires std::is_default_constructible_v<T>
T from_bytes(std::span<const std::byte> from) {
  if (from.size() < sizeof(T)) {
    throw Error(Errc::buffer_too_small, "", "a value has " + std::to_string(sizeof(T)) + " bytes, there are " + std::to_string(from.size()));
  }
  T value{};
  std::memcpy(static_cast<void*>(std::addressof(value)), from.data(), sizeof(T));
  return value;
}

}  // namespace strait
