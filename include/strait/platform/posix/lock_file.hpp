#pragma once
// An empty file in a folder of this user's, for a flock that dies with its holder. It is there as long as somebody uses it.
//
// The folder does not depend on the environment: two programs of one user must meet whatever they were started with.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <strait/core/error.hpp>
#include <strait/platform/posix/fork_guard.hpp>
#include <strait/platform/posix/wide_file.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::platform {

class LockFile {
 public:
  // Opens or makes the file `name` in the folder. Throws permission_denied, no_space.
  LockFile(const std::string& name, const std::string& file) : path_(folder(name) + "/" + file) {
    const ForkGuard::HoldOff hold_off;
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor_ < 0) {
      const auto code = errno == EACCES || errno == EPERM || errno == ELOOP ? Errc::permission_denied : Errc::no_space;
      throw Error(code, name, "its lock file " + path_ + " cannot be opened (" + std::strerror(errno) + ")");
    }
    guard_.emplace(descriptor_, hold_off);
  }

  LockFile(LockFile&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), guard_(std::move(other.guard_)) {
    other.guard_.reset();
  }
  LockFile& operator=(LockFile&&) = delete;

  // Closing drops the lock. The number may mean another file by now: in a forked child, or after a program closed all its files.
  ~LockFile() {
    if (descriptor_ < 0) return;
    const bool is_ours = !mark_.is_inherited() && ObjectIdentity::of(descriptor_) == guard_->identity();
    guard_.reset();
    if (is_ours) ::close(descriptor_);
  }

  bool try_exclusive() const noexcept { return lock(LOCK_EX | LOCK_NB); }
  bool try_shared() const noexcept { return lock(LOCK_SH | LOCK_NB); }

  // Whoever locked a file must look: another may have removed it before.
  bool is_in_place() const noexcept {
    WideStatus status{};
    return wide_lstat(path_.c_str(), status) == 0 &&
           ObjectIdentity{static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)} == guard_->identity();
  }

  // Under its exclusive lock, and in place; or by the user's own hand.
  void remove() const noexcept { ::unlink(path_.c_str()); }

  // Between two tries.
  static void rest(const std::string&) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

 private:
  bool lock(int operation) const noexcept {
    int result = 0;
    do {
      result = ::flock(descriptor_, operation);
    } while (result < 0 && errno == EINTR);
    return result == 0;
  }

  // Nobody else may be able to make or hold files there.
  static std::string folder(const std::string& name) {
    const std::string path = "/tmp/strait-" + std::to_string(::geteuid());
    ::mkdir(path.c_str(), 0700);
    WideStatus status{};
    if (wide_lstat(path.c_str(), status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 0077) != 0) {
      throw Error(Errc::permission_denied, name, "the folder of its lock file, " + path + ", must be this user's and closed to others (mode 0700)");
    }
    return path;
  }

  std::string path_;
  int descriptor_ = -1;
  std::optional<ForkGuard> guard_;
  ForkMark mark_;
};

}  // namespace strait::platform

#endif
