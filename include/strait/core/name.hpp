#pragma once
// The names of segments: what is allowed is the same on every system, so that a program keeps working when it moves.

#include <strait/core/error.hpp>

#include <string>
#include <string_view>

namespace strait::core {

inline constexpr std::size_t max_name_length = 200;

inline bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '{' || c == '}';
}

// Throws invalid_argument with the reason; returns the name.
inline std::string checked_name(std::string_view name) {
  if (name.empty()) throw Error(Errc::invalid_argument, name, "the name is empty; give 1 to 200 characters");
  if (name.size() > max_name_length) {
    throw Error(Errc::invalid_argument, name, "the name has " + std::to_string(name.size()) + " characters; at most 200 are allowed");
  }
  if (name == "." || name == "..") throw Error(Errc::invalid_argument, name, "this name means a folder; choose another");
  for (const char c : name) {
    if (!is_name_character(c)) {
      throw Error(Errc::invalid_argument, name, "the name has a character other than letters, digits, '.', '_', '-', '{' and '}'");
    }
  }
  return std::string(name);
}

}  // namespace strait::core
