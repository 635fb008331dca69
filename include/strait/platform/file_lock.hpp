#pragma once
// Locks on an open object that the kernel drops when their holder dies.

#include <strait/core/config.hpp>

#if STRAIT_POSIX
#include <strait/platform/posix/file_lock.hpp>
#else

#include <cstdint>

namespace strait::platform {

enum class LockResult : std::uint8_t { held, refused, unsupported };

// Sections cannot be locked.
class ByteLock {
 public:
  ByteLock(int, std::int64_t) noexcept {}
  LockResult try_exclusive() const noexcept { return LockResult::unsupported; }
  LockResult probe() const noexcept { return LockResult::unsupported; }
  void unlock() const noexcept {}
};

}  // namespace strait::platform

#endif
