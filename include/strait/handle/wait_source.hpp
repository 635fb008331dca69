#pragma once
// What wait_any() waits for: a handle, from the first look at it to the last.

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
  // Why it has come: ok, or closed.
  Status verdict() const noexcept { return verdict_; }

  bool attempt() final { return look(verdict_); }

 protected:
  // True: it has come, and why.
  virtual bool look(Status& verdict) = 0;

 private:
  Status verdict_ = Status::ok;
};

// One that lives in a segment, open. `look(Status&)` as above.
template <class Look>
class SessionSource final : public WaitSource {
 public:
  // On a closed handle there may be no session any more.
  SessionSource(Gate& gate, const std::shared_ptr<segment::Session>& session, layout::SignalName signal, Look look,
                segment::Session::For whom = segment::Session::For::another_participant)
      : gate_(&gate), visit_(gate), session_(gate.is_closing() ? nullptr : session.get()), signal_(signal), look_(std::move(look)), whom_(whom) {}

  Where where() const noexcept override {
    if (!may_write()) return {};
    return {&session_->signal(signal_), &session_->park()};
  }
  WaitPolicy policy() const noexcept override { return session_ == nullptr ? WaitPolicy{} : session_->wait_policy(); }
  void fence() noexcept override {
    if (session_ != nullptr) session_->fence();
  }
  wait::AfterSlice after_slice() override {
    return may_write() ? session_->after_slice(whom_) : wait::AfterSlice::go_on;
  }
  void count_sleep() noexcept override {
    if (may_write()) segment::Session::count(session_->line().waits);
  }

 private:
  bool look(Status& verdict) override {
    if (!gate_->is_closing()) return look_(verdict);
    verdict = Status::closed;
    return true;
  }
  bool may_write() const noexcept { return session_ != nullptr && !session_->read_only(); }

  Gate* gate_;
  Gate::Visit visit_;
  segment::Session* session_;
  layout::SignalName signal_;
  Look look_;
  segment::Session::For whom_;
};

// One of which nobody can be told that we sleep.
template <class Look>
class LookedAtSource final : public WaitSource {
 public:
  explicit LookedAtSource(Look look) : look_(std::move(look)) {}

  Where where() const noexcept override { return {}; }
  WaitPolicy policy() const noexcept override { return {}; }
  void fence() noexcept override {}
  wait::AfterSlice after_slice() override { return wait::AfterSlice::go_on; }
  void count_sleep() noexcept override {}

 private:
  bool look(Status& verdict) override { return look_(verdict); }

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
