#pragma once
// The life of a segment: its section, which is there as long as somebody holds it, and a mutex beside it, which is held by
// whoever creates or opens. The system releases the mutex of a dead holder to the next one.
//
// The section is opened and made only under the mutex, and kept only where the lock is shared. So whoever has the mutex and finds
// no section knows that nobody living has it, and nobody can come to have it. A half-made section goes with its killed creator.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/core/error.hpp>
#include <strait/platform/windows/access_rights.hpp>
#include <strait/platform/windows/api.hpp>
#include <strait/platform/windows/shared_object.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace strait::platform {

class LifeLock {
 public:
  LifeLock() = default;
  LifeLock(SharedObject& object, const std::string& name, std::int64_t) : object_(&object) {
    const std::string mutex = name + ".strait";
    if (!object.permissions()) {
      mutex_ = windows::Handle(::OpenMutexA(windows::may_synchronize, 0, mutex.c_str()));
      // A section without a mutex: somebody else's, or of a process that is being killed.
      if (!mutex_ && ::GetLastError() == windows::file_not_found && !object.find_section()) return;
      object.close_section();
    }
    if (!mutex_) {
      windows::AccessRights rights(name, object.permissions().value_or(0600), windows::Purpose::waiting);
      mutex_ = windows::Handle(::CreateMutexA(rights.get(), 0, mutex.c_str()));
    }
    if (mutex_) return;
    switch (::GetLastError()) {
      case windows::access_denied: throw Error(Errc::permission_denied, name, "this user may not open it; the creator's OpenOptions::permissions decide");
      case windows::invalid_handle: throw Error(Errc::not_a_segment, name, "its mutex, " + mutex + ", is an object of another kind");
      default: throw Error(Errc::no_space, name, "the system makes no mutex for it");
    }
  }

  LifeLock(LifeLock&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)), mutex_(std::move(other.mutex_)), is_exclusive_(std::exchange(other.is_exclusive_, false)) {}
  LifeLock& operator=(LifeLock&& other) noexcept {
    unlock();
    object_ = std::exchange(other.object_, nullptr);
    mutex_ = std::move(other.mutex_);
    is_exclusive_ = std::exchange(other.is_exclusive_, false);
    return *this;
  }
  ~LifeLock() { unlock(); }

  // From nothing. If there is a section, we hold it from here on, and try_shared says so.
  bool try_exclusive() {
    if (!mutex_) return true;  // nobody uses this name
    // Openers hold it for less than that.
    constexpr unsigned long milliseconds = 20;
    const auto result = ::WaitForSingleObject(mutex_.get(), milliseconds);
    if (result != windows::wait_satisfied && result != windows::wait_abandoned) return false;
    is_exclusive_ = true;
    if (object_->find_section()) release();
    return is_exclusive_;
  }

  bool try_shared() noexcept {
    release();
    return object_->has_section();
  }

  bool is_held_by_another() {
    const bool nobody = try_exclusive();
    release();
    return !nobody;
  }

  struct Removal {
    explicit Removal(const std::string&) noexcept {}
    void done() noexcept {}
  };

  // There is nothing to remove.
  bool became_last() noexcept {
    unlock();
    return false;
  }

  void unlock() noexcept {
    if (object_ != nullptr) object_->close_section();
    release();
  }

  void pass_on() noexcept {
    object_ = nullptr;
    release();
  }

 private:
  void release() noexcept {
    if (std::exchange(is_exclusive_, false)) ::ReleaseMutex(mutex_.get());
  }

  SharedObject* object_ = nullptr;
  windows::Handle mutex_;
  bool is_exclusive_ = false;  // by the thread that asked for it: it creates, publishes or gives up before it does anything else
};

}  // namespace strait::platform

#endif
