#pragma once
// Parking where the system has nothing to sleep on across processes: short sleeps that grow, looking at the word in between.
// No wake-up can be lost, because nobody waits for one; it costs up to a millisecond of latency.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>

namespace strait::platform {

class PollPark {
 public:
  static PollPark of_this_process() noexcept { return {{}, 0, nullptr}; }
  PollPark(std::string_view, std::uint64_t, const void*) noexcept {}  // found by the word alone

  static constexpr std::uint16_t method() noexcept { return 2; }

  bool sleep(std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::nanoseconds at_most) const noexcept {
    const auto end = std::chrono::steady_clock::now() + at_most;
    std::chrono::nanoseconds nap = std::chrono::microseconds(20);
    // SYNC sleep: sees the waker's new sequence.
    while (word.load(std::memory_order_seq_cst) == value) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= end) return false;
      std::this_thread::sleep_for((std::min)(nap, std::chrono::duration_cast<std::chrono::nanoseconds>(end - now)));
      nap = std::min<std::chrono::nanoseconds>(nap * 2, std::chrono::milliseconds(1));
    }
    return true;
  }

  void wake_all(std::atomic<std::uint32_t>&, std::uint32_t) const noexcept {}
};

}  // namespace strait::platform
