// Time for measurements: nanoseconds of the steady clock for whole phases, and a cheaper tick for single round trips.
//
// Reading the steady clock costs 20 to 30 ns on a virtual machine, which is a tenth of the fastest round trip. On x86 the
// tick is the time stamp counter, read in about 10 ns and converted with a ratio that the measurement itself determines: the
// phase that collected the ticks is timed with both clocks.

#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#include <x86intrin.h>
#endif

namespace strait::bench {

inline std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  return __rdtsc();
#else
  return now_ns();
#endif
}

/// Tells the processor that this is a spin.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace strait::bench
