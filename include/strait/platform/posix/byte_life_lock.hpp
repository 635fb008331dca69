#pragma once
// The life of a segment as a lock on one byte of its object (posix/file_lock.hpp), far beyond its end.

#include <strait/core/config.hpp>

#if STRAIT_POSIX && !STRAIT_FALLBACK

#include <strait/core/error.hpp>
#include <strait/platform/posix/file_lock.hpp>
#include <strait/platform/posix/shared_object.hpp>

#include <cstdint>
#include <string>

namespace strait::platform {

class LifeLock {
 public:
  LifeLock() = default;
  LifeLock(const SharedObject& object, const std::string& name, std::int64_t offset) : byte_(object.descriptor(), offset) {
    if (byte_.probe() == LockResult::unsupported) {
      throw Error(Errc::wrong_version, name, "this system has no locks that die with their holder (Linux 3.15 has); build all programs with STRAIT_PORTABLE");
    }
  }

  bool try_exclusive() const noexcept { return byte_.try_exclusive() == LockResult::held; }
  bool try_shared() const noexcept { return byte_.try_shared() == LockResult::held; }
  void unlock() const noexcept { byte_.unlock(); }
  void pass_on() const noexcept { unlock(); }
  bool is_held_by_another() const noexcept { return byte_.probe() == LockResult::refused; }

  struct Removal {
    explicit Removal(const std::string&) noexcept {}
    void done() noexcept {}
  };

  // Of two that leave at once each may hinder the other's first try; the second try is made by one that holds nothing.
  bool became_last() const noexcept {
    if (try_exclusive()) return true;
    unlock();
    return try_exclusive();
  }

 private:
  ByteLock byte_{-1, 0};
};

}  // namespace strait::platform

#endif
