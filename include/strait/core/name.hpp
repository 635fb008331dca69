#pragma once
// The names of segments: what is allowed is the same on every system, so that a program keeps working when it moves.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>

#include <string>
#include <string_view>

namespace strait::core {

inline constexpr std::size_t max_name_length = 200;

inline bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '{' || c == '}';
}

// The namespace in front of a name on Windows: `Local\`, of the user's session, where names are by default, or `Global\`, of the machine.
inline std::string_view without_prefix(std::string_view name) noexcept {
  if constexpr (name_prefixes) {
    for (const std::string_view prefix : {std::string_view("Local\\"), std::string_view("Global\\")}) {
      if (name.starts_with(prefix)) return name.substr(prefix.size());
    }
  }
  return name;
}

// Throws invalid_argument with the reason; returns the name.
inline std::string checked_name(std::string_view whole) {
  const std::string_view name = without_prefix(whole);
  if (name.empty()) throw Error(Errc::invalid_argument, whole, "the name is empty; give 1 to 200 characters");
  if (name.size() > max_name_length) {
    throw Error(Errc::invalid_argument, whole, "the name has " + std::to_string(name.size()) + " characters; at most 200 are allowed");
  }
  if (name == "." || name == "..") throw Error(Errc::invalid_argument, whole, "this name means a folder; choose another");
  for (const char c : name) {
    if (!is_name_character(c)) {
      throw Error(Errc::invalid_argument, whole, "the name has a character other than letters, digits, '.', '_', '-', '{' and '}'");
    }
  }
  return std::string(whole);
}

}  // namespace strait::core
