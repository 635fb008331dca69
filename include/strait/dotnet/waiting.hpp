#pragma once
// How a call waits on an event of the C# library: try, spin, then sleep on the event in slices, and always try once more before it
// says "timed out". C# peers do not set the event after every change, and a process that was killed after it was woken has taken
// its wake-up along: what is lost so is made good at the end of a slice.
//
// An automatic event lets one sleeper go for each set, and sets that find nobody asleep yet count once. So whoever was let go passes
// it on (`more()`): each message that is left then wakes the next one.

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/processor.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace strait::dotnet {

inline constexpr std::chrono::milliseconds longest_sleep{50};

// `attempt()`: true when the call has what it came for. `ended()`: the verdict, if nothing can come any more; what came before it is
// still taken. `more()`: is there anything left for another sleeper?
template <class AnEvent, class Attempt, class Ended, class More>
Status wait_on(AnEvent& event, const WaitPolicy& policy, Timeout timeout, Attempt attempt, Ended ended, More more) {
  if (timeout.is_no_wait()) {
    const std::optional<Status> end = ended();
    return attempt() ? Status::ok : end.value_or(Status::timed_out);
  }
  const core::Deadline deadline(timeout);
  auto now = core::Clock::now();
  auto spin_end = platform::single_processor() ? now : core::later(now, policy.spin);
  if (!policy.park) spin_end = (core::Clock::time_point::max)();
  bool was_let_go = false;
  std::optional<Status> status;
  while (!status) {
    do {
      // Looked at first: what came before the end is taken.
      const std::optional<Status> end = ended();
      if (attempt()) {
        status = Status::ok;
      } else if (end) {
        status = *end;
      } else if (deadline.passed(now)) {
        status = Status::timed_out;
      }
      if (status || now >= spin_end) break;
      for (int i = 0; i < 16; ++i) platform::pause();
      if (platform::single_processor()) std::this_thread::yield();
      now = core::Clock::now();
    } while (!status);
    if (status) break;
    const bool set = event.wait(deadline.left(now, longest_sleep)) == Status::ok;
    was_let_go |= set;
    now = core::Clock::now();
    // Somebody is awake over there: the next is likely near.
    if (set && policy.park && !platform::single_processor()) spin_end = core::later(now, policy.spin);
  }
  if (was_let_go && more()) event.set();
  return *status;
}

}  // namespace strait::dotnet
