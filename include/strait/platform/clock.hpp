#pragma once
// Clocks: the wall clock for people, and a cheap coarse one for "has a while passed since the last look".

#include <strait/core/config.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>
#if STRAIT_WINDOWS
#include <strait/platform/windows/api.hpp>
#endif

namespace strait::platform {

// Nanoseconds since 1970. Nothing depends on it but what people read.
inline std::uint64_t wall_clock() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// Monotonic milliseconds, some milliseconds behind, a few nanoseconds to read.
inline std::int64_t coarse_milliseconds() noexcept {
#if STRAIT_LINUX
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
#elif STRAIT_WINDOWS
  return static_cast<std::int64_t>(::GetTickCount64());
#else
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

}  // namespace strait::platform
