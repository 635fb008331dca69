#pragma once
// Several things to wait for at once, each with a signal of its own.

#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/park.hpp>
#include <strait/wait/blocking.hpp>
#include <strait/wait/signal.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace strait::wait {

// One of them, while it is waited for.
class Source {
 public:
  // Where those sleep who wait for it. No word: nobody can be told that we sleep, so it is looked at every now and then.
  struct Where {
    std::atomic<std::uint32_t>* signal = nullptr;
    const platform::Park* park = nullptr;
  };

  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  virtual bool attempt() = 0;  // has it come? Called again after every announcement; it must load the state with seq_cst
  virtual Where where() const noexcept = 0;
  virtual WaitPolicy policy() const noexcept = 0;
  virtual void fence() noexcept = 0;
  virtual AfterSlice after_slice() = 0;
  virtual void count_sleep() noexcept = 0;

 protected:
  Source() = default;
};

// The signals of so many sources. Whoever changes one of the states wakes its own signal's sleepers, of which we are one.
template <std::size_t count>
class OnSeveral {
 public:
  explicit OnSeveral(std::span<Source* const, count> sources) noexcept : sources_(sources) {}

  // On all of them, again each time: a source's signal may be another one by now.
  bool announce() noexcept {
    used_ = 0;
    for (Source* source : sources_) {
      const auto [signal, park] = source->where();
      if (signal != nullptr) spots_[used_++] = {park, signal, wait::announce(*signal)};
    }
    return true;
  }

  bool sleep(std::chrono::nanoseconds at_most) const noexcept {
    constexpr std::chrono::nanoseconds nap = std::chrono::milliseconds(1);
    const bool all = used_ == count;
    const bool woken = platform::Park::sleep_any(std::span(spots_).first(used_), all ? at_most : (std::min)(at_most, nap));
    return woken || !all;
  }

 private:
  std::span<Source* const, count> sources_;
  std::array<platform::Park::Spot, count> spots_{};
  std::size_t used_ = 0;
};

// The first of them that has come, or that was lost (its after_slice() said `stop`); `count` where the time is over.
struct Came {
  Waited waited;
  std::size_t index;
};

// Waits as the first source would.
template <std::size_t count>
Came until_any(std::span<Source* const, count> sources, Timeout timeout) {
  std::size_t index = count;
  const auto attempt = [&] {
    for (std::size_t i = 0; i < count; ++i) {
      if (!sources[i]->attempt()) continue;
      index = i;
      return true;
    }
    return false;
  };
  const auto fence = [&] {
    for (Source* source : sources) source->fence();
  };
  std::size_t lost = count;
  const auto after_slice = [&] {
    for (std::size_t i = 0; i < count; ++i) {
      if (sources[i]->after_slice() == AfterSlice::stop) lost = (std::min)(lost, i);
    }
    return lost < count ? AfterSlice::stop : AfterSlice::go_on;
  };
  const auto slept = [&] {
    for (Source* source : sources) source->count_sleep();
  };
  const Waited waited = until(OnSeveral<count>(sources), sources[0]->policy(), timeout, attempt, fence, after_slice, slept);
  return {waited, waited == Waited::stopped ? lost : index};
}

}  // namespace strait::wait
