#pragma once
// What the tests of the C# library's objects share: the bytes that the running C# library produced (golden/), and a look at, or a
// change of, what lies under a name.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/dotnet/buffer_read_write.hpp>
#include <strait/dotnet/circular_buffer.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/rpc_buffer.hpp>
#include <strait/dotnet/shared_array.hpp>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strait::test {

inline std::ostream& operator<<(std::ostream& out, RpcOutcome outcome) { return out << core::name_of(outcome); }

using Bytes = std::vector<unsigned char>;

inline std::filesystem::path golden_folder() { return std::filesystem::path(__FILE__).parent_path() / "golden"; }

inline Bytes golden(std::string_view file) {
  std::ifstream in(golden_folder() / (std::string(file) + ".bin"), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The first bytes under a name: on Windows the object ends with a page.
inline Bytes bytes_of(std::string_view name, std::size_t size) {
  Bytes bytes = shm_bytes(name);
  if (bytes.size() > size) bytes.resize(size);
  return bytes;
}

inline bool has_bytes(std::string_view name, const Bytes& expected) { return bytes_of(name, expected.size()) == expected; }

// Where they differ first, for people.
inline std::string difference(const Bytes& is, const Bytes& should_be) {
  if (should_be.empty()) return "there is no golden file";
  if (is.size() != should_be.size()) return std::to_string(is.size()) + " bytes instead of " + std::to_string(should_be.size());
  for (std::size_t i = 0; i < is.size(); ++i) {
    if (is[i] != should_be[i]) {
      return "byte " + std::to_string(i) + " is " + std::to_string(is[i]) + " and should be " + std::to_string(should_be[i]);
    }
  }
  return {};
}
inline std::string differs(std::string_view name, std::string_view file) {
  const Bytes expected = golden(file);
  return difference(bytes_of(name, expected.size()), expected);
}

// Somebody holds the name: its bytes are replaced.
inline void put(std::string_view name, const Bytes& bytes) { shm_patch(name, 0, bytes.data(), bytes.size()); }
inline void put(std::string_view name, std::string_view file) {
  const Bytes bytes = golden(file);
  REQUIRE(!bytes.empty());
  put(name, bytes);
}

inline std::span<const std::byte> as_bytes(const Bytes& bytes) { return std::as_bytes(std::span(bytes)); }

// 0, 1, 2 ... 250, 0 ...
inline Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(i % 251);
  return bytes;
}

}  // namespace strait::test
