#pragma once
// How an endpoint's threads wait for what comes in: they look at the ring while they spin, and before one sleeps it sees to it that
// somebody else attends the ring, or sleeps on its event itself (rpc/attendance.hpp).
//
// The event lets one sleeper go for each set, and it may be another one's turn: whoever stops looking passes on what it leaves.

#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/calls.hpp>
#include <strait/dotnet/context.hpp>
#include <strait/dotnet/receiver.hpp>
#include <strait/dotnet/verdicts.hpp>
#include <strait/dotnet/waiting.hpp>
#include <strait/platform/processor.hpp>
#include <strait/rpc/attendance.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/sleep_word.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace strait::dotnet {

class Waiter {
 public:
  Waiter(Context& context, Calls& calls, Verdicts& verdicts, Receiver& receiver, rpc::Crew& crew)
      : context_(context), calls_(calls), verdicts_(verdicts), receiver_(receiver), crew_(crew), attendance_(crew.attendance()) {}

  // A caller, until its call is done or its time is over.
  void wait(rpc::Call& call, const core::Deadline& deadline) {
    attendance_.begin();
    auto spin_end = (core::Clock::time_point::min)();
    const auto finished = [&] { return call.is_done(); };
    bool slept = false;
    for (;;) {
      for (int tries = 0; tries < looks && !finished(); ++tries) {
        if (!receiver_.poll(nullptr)) platform::pause();
      }
      if (finished()) break;
      if (attendance_.count() > 1) std::this_thread::yield();
      const auto now = core::Clock::now();
      if (deadline.passed(now)) break;
      if (spin_end == (core::Clock::time_point::min)()) spin_end = core::later(now, context_.spin);
      if (now < spin_end || !context_.parks) continue;
      slept = true;
      const bool woken = attendance_.sleep(*this, call, rpc::SleepUntil{finished, deadline.left(now, longest_sleep)});
      if (woken) spin_end = core::later(core::Clock::now(), context_.spin);
      notice_the_end();
    }
    // The set that woke us may have been for others too.
    if (slept) pass_on();
    attendance_.leave(*this, false);
  }

  // A worker, until there is something else to do.
  void attend(rpc::Worker& me) {
    if (!attendance_.begin_alone()) return;
    const auto finished = [&] {
      return me.has_mine || crew_.work().has_some() || context_.gate.is_closing() || attendance_.count() > 1;
    };
    auto spin_end = core::later(core::Clock::now(), context_.spin);
    while (!finished()) {
      bool found = false;
      for (int tries = 0; tries < looks && !finished(); ++tries) {
        if (receiver_.poll(&me)) {
          found = true;
        } else {
          platform::pause();
        }
      }
      if (finished()) break;
      const auto now = core::Clock::now();
      if (found) spin_end = core::later(now, context_.spin);
      if (now < spin_end || !context_.parks) continue;
      const auto next = verdicts_.keep_time();
      std::chrono::nanoseconds length = longest_sleep;
      if (next != (core::Clock::time_point::max)()) {
        length = std::clamp<std::chrono::nanoseconds>(next - now, std::chrono::microseconds(1), length);
      }
      if (sleep_on_ring(rpc::SleepUntil{finished, length})) spin_end = core::later(core::Clock::now(), context_.spin);
      notice_the_end();
    }
    pass_on();
    attendance_.end_alone();
  }

  void wake_attender() noexcept { context_.channel().in().data_exists().set(); }

  // ---- for the attendance ----------------------------------------------------------------------------------------------------

  template <class Finished>
  bool sleep_on_ring(rpc::SleepUntil<Finished> until) {
    if (until.finished() || context_.has_packet()) return true;
    return context_.channel().in().data_exists().wait(until.length) == Status::ok;
  }
  template <class Finished>
  bool sleep_on(rpc::Call& call, rpc::SleepUntil<Finished> until) {
    return context_.park.sleep(call.word.word(), static_cast<std::uint32_t>(rpc::At::asleep), until.length);
  }
  bool wake_follower() {
    return calls_.wake_sleeper([this](std::atomic<std::uint32_t>& word) {
      context_.park.wake_all(word, static_cast<std::uint32_t>(rpc::At::asleep));
    });
  }
  bool wake_idle() { return crew_.wake_idle(); }
  bool has_idle() const noexcept { return crew_.has_idle(); }

 private:
  static constexpr int looks = 96;  // between two looks at the clock

  // What is left in the ring wakes the next sleeper.
  void pass_on() {
    if (context_.has_packet()) wake_attender();
  }

  // The master tells by a word in its mapping.
  void notice_the_end() {
    if (!context_.gate.is_closing() && context_.is_over() && !context_.has_packet()) verdicts_.end_all(context_.why_over(), false);
  }

  Context& context_;
  Calls& calls_;
  Verdicts& verdicts_;
  Receiver& receiver_;
  rpc::Crew& crew_;
  rpc::Attendance<std::atomic<std::uint32_t>>& attendance_;
};

}  // namespace strait::dotnet
