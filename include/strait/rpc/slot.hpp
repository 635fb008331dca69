#pragma once
// The slot of the handler that a thread runs (rpc/work.hpp). A call that waits inside a handler gives it back meanwhile, so that
// another handler may begin.

#include <strait/rpc/crew.hpp>

namespace strait::rpc {

class SlotScope {
 public:
  explicit SlotScope(Crew& owner) noexcept : outer_(held()) { held() = &owner; }
  ~SlotScope() { held() = outer_; }
  SlotScope(const SlotScope&) = delete;
  SlotScope& operator=(const SlotScope&) = delete;

  // Whose handler this thread runs, innermost first.
  static Crew*& held() noexcept {
    static thread_local Crew* crew = nullptr;
    return crew;
  }

 private:
  Crew* outer_;
};

class SlotPause {
 public:
  SlotPause() : owner_(SlotScope::held()) {
    if (owner_ == nullptr) return;
    owner_->work().give_slot_back();
    if (owner_->work().requests_waiting() != 0) owner_->call_worker();
  }
  ~SlotPause() {
    if (owner_ != nullptr) owner_->work().retake_slot();
  }
  SlotPause(const SlotPause&) = delete;
  SlotPause& operator=(const SlotPause&) = delete;

 private:
  Crew* owner_;
};

}  // namespace strait::rpc
