#pragma once
// Parking on a shared futex (Linux): one system call to sleep, one to wake, found by the page's identity and not by address.

#include <strait/core/config.hpp>

#if STRAIT_LINUX

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>
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
};

}  // namespace strait::platform

#endif
