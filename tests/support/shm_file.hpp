#pragma once
// The objects of shared memory as files: for tests that look at, damage or forge the bytes behind a segment's name.
// Linux keeps them in /dev/shm.

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::test {

inline std::string shm_path(std::string_view name) { return "/dev/shm/" + std::string(name); }

inline bool shm_exists(std::string_view name) { return std::filesystem::exists(shm_path(name)); }

inline std::vector<unsigned char> shm_bytes(std::string_view name) {
  std::ifstream file(shm_path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void shm_write(std::string_view name, const std::vector<unsigned char>& bytes) {
  std::ofstream file(shm_path(name), std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Changes bytes in place, without changing the object's size or identity.
inline void shm_patch(std::string_view name, std::uint64_t offset, const void* bytes, std::size_t count) {
  std::fstream file(shm_path(name), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
}

inline void shm_resize(std::string_view name, std::uint64_t size) { std::filesystem::resize_file(shm_path(name), size); }

/// What /dev/shm can still hold; nothing where there is none.
inline std::optional<std::uint64_t> shm_room() {
  struct statvfs info {};
  if (::statvfs("/dev/shm", &info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace strait::test
