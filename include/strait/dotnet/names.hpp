#pragma once
// The names of the C# library's objects: what the user says, and a suffix. On Windows they are used as they are, `Global\` and
// `Local\` in front included. Elsewhere the bytes lie in the shared object of the name, and its events and mutexes are segments of
// Strait's own, in whose names a character that segments may not have becomes {its number}.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/core/name.hpp>

#include <string>
#include <string_view>

namespace strait::dotnet {

namespace suffix {
inline constexpr std::string_view may_write = "_evt_write";
inline constexpr std::string_view may_read = "_evt_read";
inline constexpr std::string_view data_exists = "_evt_dataexists";
inline constexpr std::string_view node_available = "_evt_nodeavail";
inline constexpr std::string_view master_mutex = "SharedMemory_MasterMutex";
inline constexpr std::string_view to_slave = "_Slave_SharedMemory_MMF";    // the master writes, the slave reads
inline constexpr std::string_view to_master = "_Master_SharedMemory_MMF";  // the slave writes, the master reads
// Ours alone: C# does not know them.
inline constexpr std::string_view writers_turn = "_strait_writers";
inline constexpr std::string_view readers_turn = "_strait_readers";
inline constexpr std::string_view slave_mutex = "_strait_slave";
}  // namespace suffix

inline constexpr std::size_t longest_name = 160;  // with every suffix it is still a name for every system

// Throws invalid_argument with the reason; returns the name.
inline std::string checked_name(std::string_view whole) {
  const std::string_view name = core::without_prefix(whole);
  const auto refuse = [&](const char* why) { throw Error(Errc::invalid_argument, whole, why); };
  if (name.empty()) refuse("the name is empty");
  if (whole.size() > longest_name) refuse("the name is too long; at most 160 bytes are allowed");
  if (name == "." || name == "..") refuse("this name means a folder; choose another");
  for (const char c : name) {
    if (c == '\0' || c == '/' || c == '\\') refuse("the name has a character that names of shared objects cannot have: '/', '\\' or zero");
  }
  return std::string(whole);
}

// Of an event or mutex.
inline std::string signal_name(std::string_view name, std::string_view suffix) {
  std::string result;
  for (const char c : name) {
    if (core::name_prefixes || (core::is_name_character(c) && c != '{' && c != '}')) {
      result += c;
    } else {
      result += '{' + std::to_string(static_cast<unsigned char>(c)) + '}';
    }
  }
  return result.append(suffix);
}

}  // namespace strait::dotnet
