#pragma once
// The life of a segment where the system has no locks on bytes that die with their holder: a flock on a file beside it.
//
// A flock is converted by letting go of it for a moment. So there are two files: whoever changes or looks at the lock on `life`
// holds the lock on `gate` meanwhile, and what `life` says for a moment is seen by nobody.
//
//     gate   exclusive: one party at a time creates, opens or leaves; a creator holds it until the segment is ready
//     life   shared by everybody who holds the segment open
//
// Both files are removed by whoever has both locks exclusively; whoever gets the lock on `gate` looks whether it is still the
// file of that name. Files of the killed stay, empty, until the next use of the name.

#include <strait/core/config.hpp>

#if STRAIT_FALLBACK

#include <strait/platform/posix/lock_file.hpp>
#include <strait/platform/posix/shared_object.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace strait::platform {

class LifeLock {
 public:
  LifeLock() = default;
  LifeLock(const SharedObject&, std::string name, std::int64_t) : name_(std::move(name)) {}

  LifeLock(LifeLock&& other) noexcept
      : name_(std::move(other.name_)), gate_(std::move(other.gate_)), life_(std::move(other.life_)), is_exclusive_(std::exchange(other.is_exclusive_, false)) {
    other.gate_.reset();
    other.life_.reset();
  }
  LifeLock& operator=(LifeLock&& other) noexcept {
    unlock();
    name_ = std::move(other.name_);
    if (other.gate_) gate_.emplace(std::move(*other.gate_));
    if (other.life_) life_.emplace(std::move(*other.life_));
    is_exclusive_ = std::exchange(other.is_exclusive_, false);
    other.gate_.reset();
    other.life_.reset();
    return *this;
  }
  ~LifeLock() { unlock(); }

  // From nothing. If somebody living shares the life we share it too from here on, and try_shared says so.
  bool try_exclusive() {
    if (!try_gate()) return false;
    life_.emplace(name_, name_ + ".life");
    is_exclusive_ = life_->try_exclusive();
    if (!is_exclusive_) {
      life_->try_shared();
      gate_.reset();
    }
    return is_exclusive_;
  }

  bool try_shared() noexcept {
    if (is_exclusive_) {
      life_->try_shared();
      is_exclusive_ = false;
      gate_.reset();
    }
    return life_.has_value();
  }

  bool is_held_by_another() {
    const bool nobody = try_exclusive();
    if (nobody) unlock();
    return !nobody;
  }

  // Waits for the gate: of two that leave at once one must see that it is the last. Whoever has it is about to let go, or a
  // creator at work; if it is stopped, the name stays behind for the next creator.
  bool became_last() noexcept {
    try {
      for (int tries = 0; !try_gate(); ++tries) {
        if (tries == 1000) return unlock(), false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    } catch (const std::exception&) {
      return unlock(), false;  // no descriptor left, or the folder is gone
    }
    is_exclusive_ = life_ && life_->try_exclusive();
    if (!is_exclusive_) unlock();
    return is_exclusive_;
  }

  // After the user removed the object by hand: who comes next has files of their own, those who hold the old ones keep them.
  static void forget(const std::string& name) {
    LockFile(name, name + ".life").remove();
    LockFile(name, name + ".gate").remove();
  }

  void unlock() noexcept {
    if (is_exclusive_) {
      if (life_->is_in_place()) life_->remove();
      gate_->remove();
    }
    is_exclusive_ = false;
    life_.reset();
    gate_.reset();
  }
  void pass_on() noexcept { unlock(); }

 private:
  bool try_gate() {
    for (;;) {
      gate_.emplace(name_, name_ + ".gate");
      if (!gate_->try_exclusive()) return gate_.reset(), false;
      if (gate_->is_in_place()) return true;
    }
  }

  std::string name_;
  std::optional<LockFile> gate_;
  std::optional<LockFile> life_;
  bool is_exclusive_ = false;
};

}  // namespace strait::platform

#endif
