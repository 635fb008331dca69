// Limit: a bare bounded queue for many writers and many readers: a sequence word per slot, and a shared cursor for each side
// that is moved by compare-and-swap (the well-known algorithm of D. Vyukov). Nobody may die, nobody waits.

#pragma once

#include <atomic>
#include <cstdint>

#include "../support/shared_region.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

class MpmcRing {
 public:
  static constexpr const char* name = "bare MPMC ring, polling";
  static constexpr Kind kind = Kind::limit;
  static constexpr bool ordered_across_writers = true;

  explicit MpmcRing(const Shape& shape) : region_(sizeof(Cursors) + shape.nodes * sizeof(Slot)), mask_(shape.nodes - 1) {
    if ((shape.nodes & mask_) != 0) throw Unavailable("powers of two only");
    if (shape.node_bytes != sizeof(Message)) throw Unavailable("64-byte messages only");
    new (region_.data()) Cursors;
    for (std::size_t i = 0; i < shape.nodes; ++i) new (slots() + i) Slot{i};
  }

 private:
  struct alignas(128) Slot {
    std::atomic<std::uint64_t> sequence;
    Message message{};
  };
  struct Cursors {
    alignas(128) std::atomic<std::uint64_t> write{0};
    alignas(128) std::atomic<std::uint64_t> read{0};
  };

  struct End {
    explicit End(MpmcRing& ring) : cursors(*reinterpret_cast<Cursors*>(ring.region_.data())), slots(ring.slots()), mask(ring.mask_) {}
    Cursors& cursors;
    Slot* slots;
    std::uint64_t mask;

    /// Moves `cursor` from p to p + 1 once the slot of p shows p + `offset`; null if it does not yet.
    Slot* claim(std::atomic<std::uint64_t>& cursor, std::uint64_t offset, std::uint64_t& position) noexcept {
      position = cursor.load(std::memory_order_relaxed);
      for (;;) {
        Slot& slot = slots[position & mask];
        const auto difference = static_cast<std::int64_t>(slot.sequence.load(std::memory_order_acquire) - (position + offset));
        if (difference < 0) return nullptr;
        if (difference > 0)
          position = cursor.load(std::memory_order_relaxed);
        else if (cursor.compare_exchange_weak(position, position + 1, std::memory_order_relaxed))
          return &slot;
      }
    }
  };

 public:
  class Writer : End {
   public:
    Writer(MpmcRing& ring, unsigned) : End(ring) {}
    bool write(const Message& message) noexcept {
      std::uint64_t position;
      Slot* const slot = claim(cursors.write, 0, position);
      if (slot == nullptr) return false;
      slot->message = message;
      slot->sequence.store(position + 1, std::memory_order_release);
      return true;
    }
  };

  class Reader : End {
   public:
    Reader(MpmcRing& ring, unsigned) : End(ring) {}
    bool read(Message& message) noexcept {
      std::uint64_t position;
      Slot* const slot = claim(cursors.read, 1, position);
      if (slot == nullptr) return false;
      message = slot->message;
      slot->sequence.store(position + mask + 1, std::memory_order_release);
      return true;
    }
  };

 private:
  Slot* slots() const noexcept { return reinterpret_cast<Slot*>(region_.data() + sizeof(Cursors)); }

  SharedRegion region_;
  std::uint64_t mask_;
};

}  // namespace strait::bench
