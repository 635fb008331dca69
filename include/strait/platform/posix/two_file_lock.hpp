#pragma once
// The life of a segment as locks on two files, for systems whose file locks are converted by letting go of them for a moment (flock).
// Whoever changes or looks at the lock on `life` holds the lock on `gate` meanwhile, and what `life` says for a moment is seen by nobody.
//
//     gate   exclusive: one party at a time creates, opens or leaves; a creator holds it until the segment is ready
//     life   shared by everybody who holds the segment open
//
// Both files are removed by whoever has both locks exclusively, or has the gate and removes the segment by hand; whoever gets the
// lock on `gate` looks whether it is still the file of that name. Files of the killed stay, empty, until the next use of the name.
// A gate that stands still longer than a second is passed by: by one that leaves, the name then stays for the next creator, and by
// the user's hand.
//
//     File: File(name of the segment, name of the file); ~: closes and unlocks; try_exclusive(), try_shared(), is_in_place(), remove();
//           static rest(file), a pause for those who wait. (tests/model/life_model.hpp explores it with files of its own.)

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace strait::platform {

template <class File>
class TwoFileLock {
 public:
  TwoFileLock() = default;
  explicit TwoFileLock(std::string name) : name_(std::move(name)) {}

  TwoFileLock(TwoFileLock&& other) noexcept
      : name_(std::move(other.name_)),
        gate_(std::move(other.gate_)),
        life_(std::move(other.life_)),
        is_exclusive_(std::exchange(other.is_exclusive_, false)) {
    other.gate_.reset();
    other.life_.reset();
  }
  TwoFileLock& operator=(TwoFileLock&& other) noexcept {
    unlock();
    name_ = std::move(other.name_);
    if (other.gate_) gate_.emplace(std::move(*other.gate_));
    if (other.life_) life_.emplace(std::move(*other.life_));
    is_exclusive_ = std::exchange(other.is_exclusive_, false);
    other.gate_.reset();
    other.life_.reset();
    return *this;
  }
  ~TwoFileLock() { unlock(); }

  // From nothing. If somebody living shares the life we share it too from here on, and try_shared says so.
  bool try_exclusive() {
    if (!try_gate(gate_, name_)) return false;
    life_.emplace(name_, name_ + ".life");
    is_exclusive_ = life_->try_exclusive();
    if (is_exclusive_) return true;
    if (!life_->try_shared()) life_.reset();
    gate_.reset();
    return false;
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

  // Of two that leave at once one must see that it is the last: it waits for the gate.
  bool became_last() noexcept {
    try {
      const bool has_gate = life_ && wait_for_gate(gate_, name_);
      is_exclusive_ = has_gate && life_->try_exclusive();
      // Removed by hand, and others hold the same old file: nobody else may come to remove the new gate.
      if (has_gate && !is_exclusive_ && !life_->is_in_place()) gate_->remove();
    } catch (const std::exception&) {
      // No descriptor left, or the folder is gone.
    }
    if (!is_exclusive_) unlock();
    return is_exclusive_;
  }

  void unlock() noexcept {
    if (is_exclusive_) {
      if (life_->is_in_place()) life_->remove();
      if (gate_->is_in_place()) gate_->remove();
    }
    is_exclusive_ = false;
    life_.reset();
    gate_.reset();
  }
  void pass_on() noexcept { unlock(); }

  // While the user removes the object by hand nobody creates, opens or leaves. Who comes next has files of their own; those who hold
  // the old ones keep them.
  class Removal {
   public:
    explicit Removal(std::string name) : name_(std::move(name)) { wait_for_gate(gate_, name_); }
    Removal(const Removal&) = delete;
    Removal& operator=(const Removal&) = delete;
    ~Removal() {
      if (gate_) gate_->remove();
    }

    void done() {
      File(name_, name_ + ".life").remove();
      if (!gate_) File(name_, name_ + ".gate").remove();
    }

   private:
    std::string name_;
    std::optional<File> gate_;
  };

 private:
  static bool try_gate(std::optional<File>& gate, const std::string& name) {
    for (;;) {
      gate.emplace(name, name + ".gate");
      if (!gate->try_exclusive()) return gate.reset(), false;
      if (gate->is_in_place()) return true;
    }
  }

  // Whoever has it is about to let go, or is a creator at work.
  static bool wait_for_gate(std::optional<File>& gate, const std::string& name) {
    for (int tries = 0; tries < 1000; ++tries) {
      if (try_gate(gate, name)) return true;
      File::rest(name + ".gate");
    }
    return false;
  }

  std::string name_;
  std::optional<File> gate_;
  std::optional<File> life_;
  bool is_exclusive_ = false;
};

}  // namespace strait::platform
