#pragma once
// Timeouts as the caller says them (Timeout) and as a call keeps them (Deadline): one absolute monotonic instant that covers
// the whole call, so that no wait inside it starts the time again.

#include <chrono>
#include <cstdint>
#include <limits>

namespace strait {

/// How long a call may take. Made from any `std::chrono` duration: negative means `no_wait`, overflowing means `forever`.
class Timeout {
 public:
  template <class Rep, class Period>
  constexpr Timeout(std::chrono::duration<Rep, Period> length) noexcept : nanoseconds_(convert(length)) {}

  constexpr bool is_no_wait() const noexcept { return nanoseconds_ == 0; }
  constexpr bool is_forever() const noexcept { return nanoseconds_ == unlimited; }
  constexpr std::chrono::nanoseconds length() const noexcept { return std::chrono::nanoseconds(nanoseconds_); }

 private:
  static constexpr std::int64_t unlimited = (std::numeric_limits<std::int64_t>::max)();

  template <class Rep, class Period>
  static constexpr std::int64_t convert(std::chrono::duration<Rep, Period> length) noexcept {
    // Compared as floating point, where nothing overflows; a NaN compares as no wait.
    const auto approximate = std::chrono::duration<long double, std::nano>(length).count();
    if (!(approximate > 0.0L)) return 0;
    if (approximate >= 9.2e18L) return unlimited;
    const auto exact = std::chrono::duration_cast<std::chrono::nanoseconds>(length).count();
    return exact > 0 ? exact : 1;
  }

  std::int64_t nanoseconds_;
};

inline constexpr Timeout no_wait{std::chrono::nanoseconds{0}};
inline constexpr Timeout forever{(std::chrono::nanoseconds::max)()};

namespace core {

using Clock = std::chrono::steady_clock;

// A point in time that may lie too far away to be counted.
inline Clock::time_point later(Clock::time_point now, std::chrono::nanoseconds by) noexcept {
  return by >= (Clock::time_point::max)() - now ? (Clock::time_point::max)() : now + by;
}

// The instant at which a call gives up.
class Deadline {
 public:
  explicit Deadline(Timeout timeout) : at_(timeout.is_forever() ? (Clock::time_point::max)() : later(Clock::now(), timeout.length())) {}
  Deadline(Timeout timeout, Clock::time_point now) : at_(timeout.is_forever() ? (Clock::time_point::max)() : later(now, timeout.length())) {}

  Clock::time_point at() const noexcept { return at_; }
  bool is_never() const noexcept { return at_ == (Clock::time_point::max)(); }
  bool passed(Clock::time_point now) const noexcept { return !is_never() && now >= at_; }

  // What is left, as a timeout of its own.
  Timeout left() const {
    if (is_never()) return forever;
    const auto now = Clock::now();
    return passed(now) ? no_wait : Timeout(at_ - now);
  }

  // What is left at `now`, at most `limit`.
  std::chrono::nanoseconds left(Clock::time_point now, std::chrono::nanoseconds limit) const noexcept {
    if (is_never()) return limit;
    if (now >= at_) return std::chrono::nanoseconds{0};
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(at_ - now);
    return rest < limit ? rest : limit;
  }

 private:
  Clock::time_point at_;
};

}  // namespace core
}  // namespace strait
