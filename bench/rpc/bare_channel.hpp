// Limit for calls: two bare rings, one each way, one caller and one callee, which spin and then sleep on a futex. A request and its
// reply are each copied in and out. Nobody may die, nothing is checked, and there is no one else.
//
//     slot i of N:  | sequence u64 | payload ... |      free for p: sequence == p;  full: p + 1;  next lap: p + N

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "../limits/futex.hpp"
#include "../support/clock.hpp"
#include "../support/shared_region.hpp"

namespace strait::bench {

class BareRing {
 public:
  BareRing(std::size_t slots, std::size_t bytes) : count_(slots), bytes_(bytes), stride_((bytes + 8 + 63) / 64 * 64), region_(sizeof(Sleepers) + slots * stride_) {
    new (region_.data()) Sleepers;
    for (std::size_t i = 0; i < count_; ++i) new (slot(i)) std::atomic<std::uint64_t>{i};
  }

  void write(const std::byte* from) noexcept {
    auto& sequence = wait_for(position_written_, 0, sleepers().writer);
    std::memcpy(reinterpret_cast<std::byte*>(&sequence) + 8, from, bytes_);
    advance(sequence, position_written_ + 1, sleepers().reader);
    ++position_written_;
  }

  void read(std::byte* to) noexcept {
    auto& sequence = wait_for(position_read_, 1, sleepers().reader);
    std::memcpy(to, reinterpret_cast<std::byte*>(&sequence) + 8, bytes_);
    advance(sequence, position_read_ + count_, sleepers().writer);
    ++position_read_;
  }

 private:
  struct Sleepers {
    alignas(128) std::atomic<std::uint32_t> reader{0};
    alignas(128) std::atomic<std::uint32_t> writer{0};
  };
  Sleepers& sleepers() const noexcept { return *reinterpret_cast<Sleepers*>(region_.data()); }
  std::byte* slot(std::uint64_t index) const noexcept { return region_.data() + sizeof(Sleepers) + index * stride_; }

  std::atomic<std::uint64_t>& wait_for(std::uint64_t position, std::uint64_t offset, std::atomic<std::uint32_t>& asleep) noexcept {
    auto& sequence = *reinterpret_cast<std::atomic<std::uint64_t>*>(slot(position % count_));
    const auto wanted = position + offset;
    for (;;) {
      for (const auto end = now_ns() + 50'000; now_ns() < end;) {
        for (int spins = 0; spins < 32; ++spins) {
          if (sequence.load(std::memory_order_acquire) == wanted) return sequence;
          relax();
        }
      }
      asleep.store(1, std::memory_order_seq_cst);
      if (sequence.load(std::memory_order_seq_cst) == wanted) return sequence;
      futex_wait(asleep, 1);
    }
  }
  static void advance(std::atomic<std::uint64_t>& sequence, std::uint64_t value, std::atomic<std::uint32_t>& asleep) noexcept {
    sequence.store(value, std::memory_order_seq_cst);
    if (asleep.load(std::memory_order_seq_cst) != 0 && asleep.exchange(0, std::memory_order_seq_cst) != 0) futex_wake_one(asleep);
  }

  std::size_t count_, bytes_, stride_;
  SharedRegion region_;
  std::uint64_t position_written_ = 0, position_read_ = 0;  // each process's own copy
};

}  // namespace strait::bench
