#pragma once
// File offsets of 64 bits, whatever the program was compiled with: 32-bit programs may have 32-bit offsets, and a header cannot
// demand _FILE_OFFSET_BITS=64 of them. Where the plain calls are wide already, these are the plain calls.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <cerrno>
#include <cstdint>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::platform {

#if defined(__GLIBC__) && defined(__USE_LARGEFILE64) && !defined(__USE_FILE_OFFSET64) && !defined(__OFF_T_MATCHES_OFF64_T)

using WideOffset = ::off64_t;
using WideStatus = struct ::stat64;
using WideLock = struct ::flock64;
using WideEntry = struct ::dirent64;
inline const WideEntry* wide_readdir(DIR* folder) noexcept { return ::readdir64(folder); }
inline int wide_fstat(int descriptor, WideStatus& status) noexcept { return ::fstat64(descriptor, &status); }
inline int wide_lstat(const char* path, WideStatus& status) noexcept { return ::lstat64(path, &status); }
inline int wide_lock(int descriptor, int command, WideLock& lock) noexcept { return ::fcntl64(descriptor, command, &lock); }
inline int wide_allocate(int descriptor, WideOffset size) noexcept { return ::posix_fallocate64(descriptor, 0, size); }

#else

using WideOffset = ::off_t;
using WideStatus = struct ::stat;
using WideLock = struct ::flock;
using WideEntry = struct ::dirent;
inline const WideEntry* wide_readdir(DIR* folder) noexcept { return ::readdir(folder); }
inline int wide_fstat(int descriptor, WideStatus& status) noexcept { return ::fstat(descriptor, &status); }
inline int wide_lstat(const char* path, WideStatus& status) noexcept { return ::lstat(path, &status); }
inline int wide_lock(int descriptor, int command, WideLock& lock) noexcept { return ::fcntl(descriptor, command, &lock); }
#if defined(__APPLE__)
// The answer is an error number, as posix_fallocate's is.
inline int wide_allocate(int descriptor, WideOffset size) noexcept {
  fstore_t room{};
  room.fst_flags = F_ALLOCATEALL;
  room.fst_posmode = F_PEOFPOSMODE;
  room.fst_length = size;
  return ::fcntl(descriptor, F_PREALLOCATE, &room) != -1 && ::ftruncate(descriptor, size) == 0 ? 0 : errno;
}
#else
inline int wide_allocate(int descriptor, WideOffset size) noexcept { return ::posix_fallocate(descriptor, 0, size); }
#endif

#endif

static_assert(sizeof(WideOffset) >= 8);

}  // namespace strait::platform

#endif
