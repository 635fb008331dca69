#pragma once
// The life of a segment is a lock on its object: shared by everybody who holds it open, exclusive for whoever creates or
// removes it. The kernel drops it with its holder.

#include <strait/liveness/presence.hpp>
#include <strait/platform/file_lock.hpp>

namespace strait::segment {

using platform::LockResult;

class LifeLock {
 public:
  explicit LifeLock(int descriptor) noexcept : descriptor_(descriptor) {}

  bool try_exclusive() noexcept {
    if (!whole_) {
      const auto result = byte().try_exclusive();
      if (result != LockResult::unsupported) return result == LockResult::held;
      whole_ = true;
    }
    return platform::WholeLock(descriptor_).try_exclusive() == LockResult::held;
  }

  bool try_shared() noexcept {
    if (!whole_) {
      const auto result = byte().try_shared();
      if (result != LockResult::unsupported) return result == LockResult::held;
      whole_ = true;
    }
    return platform::WholeLock(descriptor_).try_shared() == LockResult::held;
  }

  void unlock() noexcept {
    if (whole_) {
      platform::WholeLock(descriptor_).unlock();
    } else {
      byte().unlock();
    }
  }

  // For a descriptor that may only read and cannot try the exclusive lock. Never by a holder.
  bool is_held_by_another() noexcept {
    if (!whole_) return byte().is_held_by_another();
    if (platform::WholeLock(descriptor_).try_exclusive() != LockResult::held) return true;
    platform::WholeLock(descriptor_).unlock();
    return false;
  }

  // Does the system have no byte locks, so that converting a lock lets go of it for a moment?
  bool drops_when_converted() const noexcept { return whole_; }

 private:
  platform::ByteLock byte() const noexcept { return {descriptor_, liveness::life_lock_offset}; }

  int descriptor_;
  bool whole_ = false;
};

}  // namespace strait::segment
