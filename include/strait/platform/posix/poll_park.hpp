#pragma once
// Parking where the system has nothing to sleep on across processes: short sleeps that grow, looking at the word in between.
// No wake-up can be lost, because nobody waits for one; it costs up to a millisecond of latency.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <thread>

namespace strait::platform {

class PollPark {
 public:
  static PollPark of_this_process() noexcept { return {{}, 0, nullptr}; }
  PollPark(std::string_view, std::uint64_t, const void*) noexcept {}  // found by the word alone

  static constexpr std::uint16_t method() noexcept { return 2; }

  bool sleep(std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::nanoseconds at_most) const noexcept {
    // SYNC sleep: sees the waker's new sequence.
    return poll([&] { return word.load(std::memory_order_seq_cst) != value; }, at_most);
  }

  struct Spot {
    const PollPark* park;
    std::atomic<std::uint32_t>* word;
    std::uint32_t value;
  };
  static bool sleep_any(std::span<const Spot> spots, std::chrono::nanoseconds at_most) noexcept { return poll_any(spots, at_most); }

  // Looks until one of the words has another value.
  template <class AnySpot>
  static bool poll_any(std::span<const AnySpot> spots, std::chrono::nanoseconds at_most) noexcept {
    // SYNC sleep: as above.
    return poll([&] { return std::ranges::any_of(spots, [](const AnySpot& spot) { return spot.word->load(std::memory_order_seq_cst) != spot.value; }); }, at_most);
  }

  void wake_all(std::atomic<std::uint32_t>&, std::uint32_t) const noexcept {}

 private:
  template <class Changed>
  static bool poll(Changed changed, std::chrono::nanoseconds at_most) noexcept {
    const auto end = std::chrono::steady_clock::now() + at_most;
    std::chrono::nanoseconds nap = std::chrono::microseconds(20);
    while (!changed()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= end) return false;
      std::this_thread::sleep_for((std::min)(nap, std::chrono::duration_cast<std::chrono::nanoseconds>(end - now)));
      nap = std::min<std::chrono::nanoseconds>(nap * 2, std::chrono::milliseconds(1));
    }
    return true;
  }
};

}  // namespace strait::platform
