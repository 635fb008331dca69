#pragma once
// The processor: the pause of a spin loop, and whether there is only one.

#include <strait/core/config.hpp>

#include <thread>
#if defined(_MSC_VER) && !defined(__GNUC__) && (defined(_M_X64) || defined(_M_IX86))
#include <immintrin.h>  // g++ and clang have the pause built in, and would read 40,000 lines here
#endif

namespace strait::platform {

inline void pause() noexcept {
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
  __builtin_ia32_pause();
#elif defined(_M_X64) || defined(_M_IX86)
  _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
  asm volatile("isb" ::: "memory");
#elif defined(__GNUC__)
  asm volatile("" ::: "memory");
#endif
}

// Fetches the cache line for a store to come. Compilers leave this instruction out for older processors, which ignore it.
inline void prefetch_for_store([[maybe_unused]] const void* address) noexcept {
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
  asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(address)));
#elif defined(__GNUC__)
  __builtin_prefetch(address, 1);
#endif
}

// Fetches the cache line for a load to come.
inline void prefetch([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(address, 0);
#endif
}

// On one processor a spinning waiter only keeps the one it waits for from running.
inline bool single_processor() noexcept {
  static const bool single = std::thread::hardware_concurrency() == 1;
  return single;
}

}  // namespace strait::platform
