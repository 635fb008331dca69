#pragma once
// The life of a segment is a lock on its object: shared by everybody who holds it open, exclusive for whoever creates or
// removes it. The kernel drops it with its holder.

#include <strait/layout/segment_header.hpp>
#include <strait/platform/file_lock.hpp>

namespace strait::segment {

using platform::LockResult;

// One per open object, so that both kinds of lock are never mixed on it.
class LifeLock {
 public:
  LifeLock() = default;
  explicit LifeLock(int descriptor) noexcept : descriptor_(descriptor) {}

  bool try_exclusive() noexcept {
    return attempt([](const auto& lock) { return lock.try_exclusive(); });
  }
  bool try_shared() noexcept {
    return attempt([](const auto& lock) { return lock.try_shared(); });
  }

  void unlock() noexcept {
    if (whole_) {
      platform::WholeLock(descriptor_).unlock();
    } else {
      byte().unlock();
    }
  }

  // For a descriptor that may only read, which cannot take the exclusive lock on a byte. Not by a holder.
  bool is_held_by_another() noexcept {
    const auto result = whole_ ? LockResult::unsupported : byte().probe();
    if (result != LockResult::unsupported) return result == LockResult::refused;
    whole_ = true;
    if (!try_exclusive()) return true;
    unlock();
    return false;
  }

  // Has the system no locks on bytes, so that converting a lock lets go of it for a moment?
  bool drops_when_converted() const noexcept { return whole_; }

 private:
  template <class Try>
  bool attempt(Try try_lock) noexcept {
    if (!whole_) {
      const auto result = try_lock(byte());
      if (result != LockResult::unsupported) return result == LockResult::held;
      whole_ = true;
    }
    return try_lock(platform::WholeLock(descriptor_)) == LockResult::held;
  }

  platform::ByteLock byte() const noexcept { return {descriptor_, layout::life_lock_offset}; }

  int descriptor_ = -1;
  bool whole_ = false;
};

}  // namespace strait::segment
