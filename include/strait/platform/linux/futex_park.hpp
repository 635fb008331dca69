#pragma once
// Parking on a shared futex (Linux): one system call to sleep, one to wake, found by the page's identity and not by address.

#include <strait/core/config.hpp>

#if STRAIT_LINUX

#include <strait/platform/posix/poll_park.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace strait::platform {

class FutexPark {
 public:
  static FutexPark of_this_process() noexcept { return {{}, 0, nullptr}; }
  FutexPark(std::string_view, std::uint64_t, const void*) noexcept {}  // found by the word alone

  static constexpr std::uint16_t method() noexcept { return 1; }

  // True: woken, or the word had changed already (or a signal handler ran: look again). False: the time is over.
  bool sleep(std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::nanoseconds at_most) const noexcept {
    timespec length{};
    length.tv_sec = static_cast<std::time_t>(at_most.count() / 1'000'000'000);
    length.tv_nsec = static_cast<long>(at_most.count() % 1'000'000'000);
    return ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &length, nullptr, 0) == 0 || errno != ETIMEDOUT;
  }

  void wake_all(std::atomic<std::uint32_t>& word, std::uint32_t) const noexcept { ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

  struct Spot {
    const FutexPark* park;
    std::atomic<std::uint32_t>* word;
    std::uint32_t value;
  };

  // Kernels before 5.16, and emulators, cannot sleep on several words: there the words are looked at up to a thousand times a second.
  static bool sleep_any(std::span<const Spot> spots, std::chrono::nanoseconds at_most) noexcept {
    std::array<Waiter, most> waiters;
    if (spots.empty() || spots.size() > most) return PollPark::poll_any(spots, at_most);
    for (std::size_t i = 0; i < spots.size(); ++i) waiters[i] = {spots[i].value, reinterpret_cast<std::uintptr_t>(spots[i].word), word_of_32_bits, 0};
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t end = static_cast<std::int64_t>(now.tv_nsec) + at_most.count();
    const std::array<std::int64_t, 2> deadline{static_cast<std::int64_t>(now.tv_sec) + end / 1'000'000'000, end % 1'000'000'000};
    if (::syscall(futex_waitv, waiters.data(), static_cast<unsigned>(spots.size()), 0U, deadline.data(), CLOCK_MONOTONIC) >= 0) return true;
    if (errno == ENOSYS) return PollPark::poll_any(spots, at_most);
    return errno != ETIMEDOUT;
  }

 private:
  // As the kernel documents them; older headers do not have them. The times are two 64-bit numbers on every processor.
  struct Waiter {
    std::uint64_t value, address;
    std::uint32_t flags, reserved;
  };
  static constexpr long futex_waitv = 449;
  static constexpr std::uint32_t word_of_32_bits = 2;
  static constexpr std::size_t most = 128;
};

}  // namespace strait::platform

#endif
