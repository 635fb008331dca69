#pragma once
// Locks on single bytes of an open file, owned by the open file description (F_OFD_SETLK): every handle has its own, two in one
// process included; the kernel drops them when the last descriptor and mapping of it go, within a millisecond of a kill, also
// for zombies and across pid namespaces. A lock byte needs no byte of the file. A query through one's own description answers
// "free", and a mapping keeps the description after its descriptor is closed: so nobody asks about a lock of its own, and
// locks are given up explicitly.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <strait/platform/posix/wide_file.hpp>

#include <cerrno>
#include <cstdint>

namespace strait::platform {

enum class LockResult : std::uint8_t { held, refused, unsupported };

class ByteLock {
 public:
  ByteLock(int descriptor, std::int64_t offset) noexcept : descriptor_(descriptor), offset_(offset) {}

  LockResult try_exclusive() const noexcept { return set(F_WRLCK); }
  LockResult try_shared() const noexcept { return set(F_RDLCK); }
  void unlock() const noexcept { set(F_UNLCK); }

  // What try_exclusive would say, without taking it. Works with a descriptor that may only read.
  LockResult probe() const noexcept {
#if defined(F_OFD_GETLK)
    WideLock lock = describe(F_WRLCK);
    const auto result = call(F_OFD_GETLK, lock);
    return result != LockResult::held || lock.l_type == F_UNLCK ? result : LockResult::refused;
#else
    return LockResult::unsupported;
#endif
  }

 private:
  LockResult set([[maybe_unused]] short type) const noexcept {
#if defined(F_OFD_SETLK)
    WideLock lock = describe(type);
    return call(F_OFD_SETLK, lock);
#else
    return LockResult::unsupported;
#endif
  }

  WideLock describe(short type) const noexcept {
    WideLock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<WideOffset>(offset_);
    lock.l_len = 1;
    return lock;
  }

  LockResult call(int command, WideLock& lock) const noexcept {
    int result = 0;
    do {
      result = wide_lock(descriptor_, command, lock);
    } while (result < 0 && errno == EINTR);
    if (result == 0) return LockResult::held;
    return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP ? LockResult::unsupported : LockResult::refused;
  }

  int descriptor_;
  std::int64_t offset_;
};

}  // namespace strait::platform

#endif
