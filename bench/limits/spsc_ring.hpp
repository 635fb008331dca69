// Limit: the barest ring for one writer and one reader. Each slot carries its own sequence word next to its payload, so one
// cache line moves per message and no cursor is shared. Nobody may die, nobody waits, nothing is checked.
//
//     slot i of N:  | sequence u64 | payload, 64 bytes | ... 128 bytes        free for p: sequence == p;  full: p + 1;  next lap: p + N
//
// With `Parks`, both sides spin a little and then sleep on a futex: the least that a ring that waits must do.

#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "../support/shared_region.hpp"
#include "../support/subject.hpp"
#include "futex.hpp"

namespace strait::bench {

template <bool Parks>
class SpscRing {
 public:
  static constexpr const char* name = Parks ? "bare SPSC ring, waiting" : "bare SPSC ring, polling";
  static constexpr Kind kind = Kind::limit;

  explicit SpscRing(const Shape& shape) : count_(shape.nodes), region_(sizeof(Sleepers) + shape.nodes * sizeof(Slot)) {
    if (shape.writers != 1 || shape.readers != 1) throw Unavailable("one writer and one reader only");
    if (shape.node_bytes != sizeof(Message)) throw Unavailable("64-byte messages only");
    new (region_.data()) Sleepers;
    for (std::size_t i = 0; i < count_; ++i) new (slots() + i) Slot{i};
  }

 private:
  struct alignas(128) Slot {
    std::atomic<std::uint64_t> sequence;
    Message message{};
  };
  struct Sleepers {
    alignas(128) std::atomic<std::uint32_t> reader{0};
    alignas(128) std::atomic<std::uint32_t> writer{0};
  };

 public:
  class Writer {
   public:
    Writer(SpscRing& ring, unsigned) : slots_(ring.slots()), sleepers_(ring.sleepers()), count_(ring.count_) {}
    bool write(const Message& message) noexcept {
      Slot& slot = slots_[index_];
      if (!ready(slot.sequence, position_, sleepers_.writer)) return false;
      slot.message = message;
      advance(slot.sequence, position_ + 1, sleepers_.reader);
      ++position_;
      if (++index_ == count_) index_ = 0;
      return true;
    }

   private:
    Slot* slots_;
    Sleepers& sleepers_;
    std::size_t count_;
    std::size_t index_ = 0;
    std::uint64_t position_ = 0;
  };

  class Reader {
   public:
    Reader(SpscRing& ring, unsigned) : slots_(ring.slots()), sleepers_(ring.sleepers()), count_(ring.count_) {}
    bool read(Message& message) noexcept {
      Slot& slot = slots_[index_];
      if (!ready(slot.sequence, position_ + 1, sleepers_.reader)) return false;
      message = slot.message;
      advance(slot.sequence, position_ + count_, sleepers_.writer);
      ++position_;
      if (++index_ == count_) index_ = 0;
      return true;
    }

   private:
    Slot* slots_;
    Sleepers& sleepers_;
    std::size_t count_;
    std::size_t index_ = 0;
    std::uint64_t position_ = 0;
  };

 private:
  static bool ready(std::atomic<std::uint64_t>& sequence, std::uint64_t wanted, std::atomic<std::uint32_t>& asleep) noexcept {
    if constexpr (!Parks) {
      return sequence.load(std::memory_order_acquire) == wanted;
    } else {
      for (int spins = 0; spins < 2000; ++spins) {
        if (sequence.load(std::memory_order_acquire) == wanted) return true;
        relax();
      }
      asleep.store(1, std::memory_order_seq_cst);
      while (sequence.load(std::memory_order_seq_cst) != wanted) {
        futex_wait(asleep, 1);
        asleep.store(1, std::memory_order_seq_cst);
      }
      asleep.store(0, std::memory_order_relaxed);
      return true;
    }
  }
  static void advance(std::atomic<std::uint64_t>& sequence, std::uint64_t value, std::atomic<std::uint32_t>& asleep) noexcept {
    if constexpr (!Parks) {
      sequence.store(value, std::memory_order_release);
    } else {
      sequence.store(value, std::memory_order_seq_cst);
      if (asleep.load(std::memory_order_seq_cst) != 0 && asleep.exchange(0, std::memory_order_seq_cst) != 0) futex_wake_one(asleep);
    }
  }

  Sleepers& sleepers() const noexcept { return *reinterpret_cast<Sleepers*>(region_.data()); }
  Slot* slots() const noexcept { return reinterpret_cast<Slot*>(region_.data() + sizeof(Sleepers)); }

  std::size_t count_;
  SharedRegion region_;
};

}  // namespace strait::bench
