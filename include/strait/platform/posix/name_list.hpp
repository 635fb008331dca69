#pragma once
// The names of the shared objects of this machine, where the system lists them (Linux: the files of /dev/shm).

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <cstddef>
#include <string>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::platform {

// At most `most` names, in no order; empty where they cannot be listed.
inline std::vector<std::string> shared_object_names([[maybe_unused]] std::size_t most) {
  std::vector<std::string> names;
#if STRAIT_LINUX
  DIR* const folder = ::opendir("/dev/shm");
  if (folder == nullptr) return names;
  try {
    while (names.size() < most) {
      const dirent* const entry = ::readdir(folder);
      if (entry == nullptr) break;
      if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN) names.emplace_back(entry->d_name);
    }
  } catch (...) {
    ::closedir(folder);
    throw;
  }
  ::closedir(folder);
#endif
  return names;
}

// Does the object behind this descriptor belong to the user we act as?
inline bool is_owned_by_this_user(int descriptor) noexcept {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && status.st_uid == ::geteuid();
}

}  // namespace strait::platform

#endif
