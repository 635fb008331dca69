#pragma once
// What wait_any() waits for: an open handle, from its first look to its last inside the handle's gate.

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/handle/gate.hpp>
#include <strait/layout/control.hpp>
#include <strait/segment/session.hpp>
#include <strait/wait/several.hpp>

#include <memory>
#include <utility>

namespace strait::handle {

class WaitSource : public wait::Source {
 public:
  explicit WaitSource(Gate& gate) noexcept : gate_(&gate), visit_(gate) {}

  // Why it has come: ok, or closed.
  Status verdict() const noexcept { return verdict_; }

  bool attempt() final {
    if (gate_->is_closing()) {
      verdict_ = Status::closed;
      return true;
    }
    return look(verdict_);
  }

 protected:
  // True: it has come, and why. Not on a closed handle.
  virtual bool look(Status& verdict) = 0;

  bool is_closing() const noexcept { return gate_->is_closing(); }

 private:
  Gate* gate_;
  Gate::Visit visit_;
  Status verdict_ = Status::ok;
};

// One that lives in a segment. `look(Status&)` as above.
template <class Look>
class SessionSource final : public WaitSource {
 public:
  // On a closed handle there may be no session any more.
  SessionSource(Gate& gate, const std::shared_ptr<segment::Session>& session, layout::SignalName signal, Look look)
      : WaitSource(gate), session_(is_closing() ? nullptr : session.get()), signal_(signal), look_(std::move(look)) {}

  Where where() const noexcept override {
    if (!may_write()) return {};
    return {&session_->signal(signal_), &session_->park()};
  }
  WaitPolicy policy() const noexcept override { return session_ == nullptr ? WaitPolicy{} : session_->wait_policy(); }
  void fence() noexcept override {
    if (session_ != nullptr) session_->fence();
  }
  wait::AfterSlice after_slice() override {
    return may_write() ? session_->after_slice(segment::Session::For::another_participant) : wait::AfterSlice::go_on;
  }
  void count_sleep() noexcept override {
    if (may_write()) segment::Session::count(session_->line().waits);
  }

 private:
  bool look(Status& verdict) override { return look_(verdict); }
  bool may_write() const noexcept { return session_ != nullptr && !session_->read_only(); }

  segment::Session* session_;
  layout::SignalName signal_;
  Look look_;
};

// Classes make theirs in a private function `wait_source()`.
struct WaitAccess {
  template <class Thing>
  static auto source(Thing& thing) -> decltype(thing.wait_source()) {
    return thing.wait_source();
  }
};

}  // namespace strait::handle
