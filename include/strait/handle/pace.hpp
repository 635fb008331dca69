#pragma once
// Distance between the two sides of a ring. A reader at the writer's heels (or a writer at the reader's, in a full ring) takes each
// cache line from it while it is in use, and the lines cross between the processors several times per message. So a side that
// has run into the other one after a row of messages lets it get ahead for about a microsecond before it looks again: what has
// come meanwhile then passes at twice to three times the speed. A side that runs into the other one at every message, as in a
// dialogue, never waits here.

#include <strait/platform/processor.hpp>

#include <atomic>
#include <cstdint>

namespace strait::handle {

class Pace {
 public:
  // A message was written or read.
  // relaxed, here and below: a guess, and a count that threads lose to each other matters little
  void moved() noexcept { row_.store(row_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

  // Has the last look found a node, and the one before it?
  bool in_row() const noexcept { return row_.load(std::memory_order_relaxed) > 1; }

  // There was no node.
  void let_other_ahead() noexcept {
    const bool was_a_row = row_.load(std::memory_order_relaxed) >= long_row;
    row_.store(0, std::memory_order_relaxed);
    if (!was_a_row || platform::single_processor()) return;
    for (int i = 0; i < pauses; ++i) platform::pause();
  }

 private:
  static constexpr std::uint32_t long_row = 16;
  static constexpr int pauses = 40;  // 25 to 45 ns each on the processors of the day

  std::atomic<std::uint32_t> row_{0};
};

}  // namespace strait::handle
