#pragma once
// The signal: an event count in shared memory. Announce, look again, park, be woken.
//
//     word: | sequence : 31 | somebody may sleep : 1 |
//
//     waiter:  announce (set the bit)  ->  look again  ->  park while the word is as announced
//     waker:   change the state        ->  look at the bit: clear it, bump the sequence, wake all
//
// All four of {the state change, the look at the bit, the announcement, the second look} are seq_cst, so that of a waiter and a
// waker at least one sees the other. Where sleepers fence for everybody (layout::FenceMethod), the state change may be a plain
// release store: the waiter's fence_everybody() after the announcement stands for the fence that wakers leave out. All sleepers
// are woken: waking one loses wake-ups here, because the one woken may find that another has what it came for while a second
// change goes unseen. No system call while nobody sleeps; a sleeper that dies costs one needless wake.

#include <strait/core/config.hpp>

#include <atomic>
#include <cstdint>

namespace strait::wait {

inline constexpr std::uint32_t may_sleep = 1;

// Among honest parties a try fails because another waker or waiter came first; far fewer come. An end for a word that somebody keeps
// scribbling over: its sleepers see what they wait for when their slices end.
inline constexpr std::uint32_t most_tries = 1u << 20;

template <class Word, class Park>
STRAIT_COLD void wake_sleepers(Word& signal, Park& park, std::uint32_t seen) noexcept {
  for (std::uint32_t tries = 0; (seen & may_sleep) != 0 && tries < most_tries; ++tries) {
    // SYNC sleep: whoever announces later sees the new sequence and looks at the state after it.
    if (signal.compare_exchange_strong(seen, (seen + 2) & ~may_sleep, std::memory_order_seq_cst, std::memory_order_seq_cst)) {
      park.wake_all(signal, seen);
      return;
    }
  }
}

// After the state change. Park has wake_all(word, the value that they sleep on).
template <class Word, class Park>
void wake(Word& signal, Park& park) noexcept {
  // SYNC sleep: after the state change, which is seq_cst too.
  const std::uint32_t seen = signal.load(std::memory_order_seq_cst);
  if ((seen & may_sleep) != 0) [[unlikely]] wake_sleepers(signal, park, seen);
}

// Before the second look. What it returns is what to park on.
template <class Word>
std::uint32_t announce(Word& signal) noexcept {
  // SYNC sleep: before the second look.
  return signal.fetch_or(may_sleep, std::memory_order_seq_cst) | may_sleep;
}

}  // namespace strait::wait
