#pragma once
// Locks on single bytes of an open file, owned by the open file description (F_OFD_SETLK): every handle has its own, two in one
// process included; the kernel drops them when the last descriptor and mapping of it go, within a millisecond of a kill, also
// for zombies and across pid namespaces. A lock byte needs no byte of the file. A query through one's own description answers
// "free", and a mapping keeps the description after its descriptor is closed: so nobody asks about a lock of its own, and
// locks are given up explicitly.
//
// Where the system has no such locks, the life of a segment is a flock on the whole object; its conversion is not one step, so
// whoever converts must look at the name and the state again afterwards.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace strait::platform {

enum class LockResult : std::uint8_t { held, refused, unsupported };

static_assert(sizeof(off_t) >= 8, "the lock bytes lie beyond 32-bit file offsets: build with -D_FILE_OFFSET_BITS=64");

class ByteLock {
 public:
  ByteLock(int descriptor, std::int64_t offset) noexcept : descriptor_(descriptor), offset_(offset) {}

  LockResult try_exclusive() const noexcept { return set(F_WRLCK); }
  LockResult try_shared() const noexcept { return set(F_RDLCK); }
  void unlock() const noexcept { set(F_UNLCK); }

  // What try_exclusive would say, without taking it. Works with a descriptor that may only read.
  LockResult probe() const noexcept {
#if defined(F_OFD_GETLK)
    struct flock lock = describe(F_WRLCK);
    int result = 0;
    do {
      result = ::fcntl(descriptor_, F_OFD_GETLK, &lock);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return is_unsupported(errno) ? LockResult::unsupported : LockResult::refused;
    return lock.l_type == F_UNLCK ? LockResult::held : LockResult::refused;
#else
    return LockResult::unsupported;
#endif
  }

 private:
  struct flock describe(short type) const noexcept {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(offset_);
    lock.l_len = 1;
    return lock;
  }

  static bool is_unsupported(int error) noexcept { return error == EINVAL || error == ENOSYS || error == ENOTSUP; }

  LockResult set([[maybe_unused]] short type) const noexcept {
#if defined(F_OFD_SETLK)
    struct flock lock = describe(type);
    int result = 0;
    do {
      result = ::fcntl(descriptor_, F_OFD_SETLK, &lock);
    } while (result < 0 && errno == EINTR);
    if (result == 0) return LockResult::held;
    return is_unsupported(errno) ? LockResult::unsupported : LockResult::refused;
#else
    return LockResult::unsupported;
#endif
  }

  int descriptor_;
  std::int64_t offset_;
};

class WholeLock {
 public:
  explicit WholeLock(int descriptor) noexcept : descriptor_(descriptor) {}

  LockResult try_exclusive() const noexcept { return set(LOCK_EX); }
  LockResult try_shared() const noexcept { return set(LOCK_SH); }
  void unlock() const noexcept { set(LOCK_UN); }

 private:
  LockResult set(int operation) const noexcept {
    int result = 0;
    do {
      result = ::flock(descriptor_, operation | LOCK_NB);
    } while (result < 0 && errno == EINTR);
    if (result == 0) return LockResult::held;
    return errno == EWOULDBLOCK ? LockResult::refused : LockResult::unsupported;
  }

  int descriptor_;
};

}  // namespace strait::platform

#endif
