#pragma once
// For what is tried in a process of its own: as another user, or with a /dev/shm that nobody else sees.

#include <sched.h>
#include <sys/mount.h>

#include <stdexcept>
#include <string>

namespace strait::test {

/// The exit code of a child that may not do what the test asks of it.
inline constexpr int cannot = 77;

inline void require(bool right, const std::string& what) {
  if (!right) throw std::runtime_error(what);
}

/// An empty /dev/shm for this process and its children, made with these options of tmpfs. Takes root.
inline bool own_shm(const char* options) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", "/dev/shm", "tmpfs", 0, options) == 0;
}

}  // namespace strait::test
