#pragma once
// A segment as one handle has it open, for the classes that are not a SharedBuffer: its name, who is inside, its end. The end of
// one handle ends nothing for others.

#include <strait/core/error.hpp>
#include <strait/handle/gate.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace strait::handle {

class Opened {
 public:
  using Session = segment::Session;

  explicit Opened(std::shared_ptr<Session> session) : session_(std::move(session)), name_(session_->segment().name()) {}
  Opened(std::shared_ptr<Session> session, std::string name) : session_(std::move(session)), name_(std::move(name)) {}

  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  const std::string& name() const noexcept { return name_; }
  Gate& gate() const noexcept { return gate_; }

  // One call. Throws closed.
  Gate::Visit enter() const { return Gate::Visit(gate_, name_); }

  // Only inside a visit.
  Session& session() const noexcept { return *session_; }
  const std::shared_ptr<Session>& shared_session() const noexcept { return session_; }

  // Is this a forked child's copy of its parent's handle? Then there is nothing to close.
  bool is_inherited() const noexcept { return mark_.is_inherited(); }

  // Turns newcomers away, wakes this handle's sleepers, and returns when all have left; `last()` runs then. Throws would_deadlock
  // from inside a call of this handle.
  template <class Last>
  void close(Last last) {
    if (is_inherited()) return;
    if (!gate_.close(name_)) {
      while (!is_closed_.load(std::memory_order_acquire)) std::this_thread::yield();  // SYNC closed: by another thread
      return;
    }
    if (!session_->read_only()) session_->wake_all();
    gate_.wait_until_empty();
    last();
    session_.reset();
    is_closed_.store(true, std::memory_order_release);  // SYNC closed: everything is let go
  }

 private:
  mutable Gate gate_;
  std::shared_ptr<Session> session_;
  std::string name_;
  platform::ForkMark mark_;
  std::atomic<bool> is_closed_{false};
};

}  // namespace strait::handle
