#pragma once
// How a call waits: try, spin, then park in slices, until it has its verdict or its deadline passes.

#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/processor.hpp>
#include <strait/wait/signal.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace strait::wait {

// The longest that anybody sleeps without asking whether somebody has died; and a thread that only watches for changes.
inline constexpr std::chrono::milliseconds slice{50};
inline constexpr std::chrono::milliseconds idle_slice{100};

enum class Waited : std::uint8_t { done, timed_out, stopped };

// What a blocked call does at the end of a slice, beside trying again.
enum class AfterSlice : std::uint8_t { go_on, stop };

// One signal to sleep on. For several see wait/several.hpp.
class OnSignal {
 public:
  OnSignal(std::atomic<std::uint32_t>& signal, const platform::Park& park) noexcept : signal_(&signal), park_(&park) {}

  // False: the last announcement still stands, and whatever was done for it, because nobody has woken anyone since.
  bool announce() noexcept {
    // relaxed: a waker that comes before this is seen by the park, which compares the word too
    if ((announced_ & may_sleep) != 0 && signal_->load(std::memory_order_relaxed) == announced_) return false;
    announced_ = wait::announce(*signal_);
    return true;
  }

  // At most so long, after an announcement. True: woken.
  bool sleep(std::chrono::nanoseconds at_most) const noexcept { return park_->sleep(*signal_, announced_, at_most); }

 private:
  std::atomic<std::uint32_t>* signal_;
  const platform::Park* park_;
  std::uint32_t announced_ = 0;
};

// Tries until `attempt()` is true. `attempt` is called again between an announcement that `where` made and the park; it must load the
// state with seq_cst. `fence()` runs between a new announcement and the attempt that follows. `after_slice()` runs when a slice ended
// without a wake and once more at the deadline; `stop` ends the wait, after a last try. `slept()` runs before each park.
template <class Where, class Attempt, class Fence, class After, class OnPark>
Waited until(Where where, const WaitPolicy& policy, Timeout timeout, Attempt attempt, Fence fence, After after_slice, OnPark slept,
             std::chrono::milliseconds slice_length = slice) {
  if (attempt()) return Waited::done;
  if (timeout.is_no_wait()) return Waited::timed_out;

  const core::Deadline deadline(timeout);
  auto now = core::Clock::now();
  auto slice_end = now + slice_length;
  auto spin_end = platform::single_processor() ? now : core::later(now, policy.spin);
  if (!policy.park) spin_end = (core::Clock::time_point::max)();

  const auto ask = [&] {
    slice_end = now + slice_length;
    return after_slice() == AfterSlice::stop;
  };

  for (;;) {
    while (now < spin_end) {
      for (int tries = 0; tries < 32; ++tries) {
        if (attempt()) return Waited::done;
        platform::pause();
      }
      if (platform::single_processor()) std::this_thread::yield();
      now = core::Clock::now();
      if (deadline.passed(now)) break;
      if (now >= slice_end && ask()) return attempt() ? Waited::done : Waited::stopped;
    }
    if (!deadline.passed(now)) {
      if (where.announce()) fence();
      if (attempt()) return Waited::done;
      slept();
      const auto left = deadline.left(now, slice_length);
      const bool woken = where.sleep(left);
      if (attempt()) return Waited::done;
      now = core::Clock::now();
      if (woken) {
        // Somebody is awake over there: what we came for may be taken already, and the next is likely near.
        if (!platform::single_processor()) spin_end = core::later(now, policy.spin);
        if (now < slice_end) continue;
      }
    }
    const bool over = deadline.passed(now);
    if (ask()) return attempt() ? Waited::done : Waited::stopped;
    if (over) return attempt() ? Waited::done : Waited::timed_out;
  }
}

// Mapped read-only: nobody could be told that we sleep.
template <class Attempt>
void poll(Timeout timeout, std::chrono::milliseconds pause, Attempt attempt) {
  const core::Deadline deadline(timeout);
  while (!attempt() && !deadline.passed(core::Clock::now())) std::this_thread::sleep_for(pause);
}

}  // namespace strait::wait
