#pragma once
// Presence: holding something that the system takes away when its holder dies. No heartbeats, no clock.
//
// By kernel lock: one byte of the segment per seat, far beyond its end. By process (where there are no such locks, or on
// request): pid and start time in the seat, taken by compare-and-swap, so that they are a lock too.

#include <strait/layout/seat.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/platform/file_lock.hpp>
#include <strait/platform/process.hpp>
#include <strait/platform/shared_memory.hpp>

#include <atomic>
#include <cstdint>

namespace strait::liveness {

class Presence {
 public:
  Presence(layout::PresenceMethod method, const platform::SharedObject& object, layout::SeatLine* seats) noexcept
      : method_(method), object_(&object), seats_(seats) {}

  bool try_hold(layout::Seat seat) const noexcept {
    if (by_kernel_lock()) return lock(seat).try_exclusive() == platform::LockResult::held;
    auto& holder = seats_[seat].presence;
    // SYNC presence: what the last holder did before it dropped the seat.
    std::uint64_t seen = holder.load(std::memory_order_acquire);
    if (seen != 0 && !platform::ProcessStamp::is_dead(seen)) return false;
    return holder.compare_exchange_strong(seen, platform::ProcessStamp::of_this_process(), std::memory_order_acq_rel, std::memory_order_relaxed);
  }

  void drop(layout::Seat seat) const noexcept {
    if (by_kernel_lock()) return lock(seat).unlock();
    // SYNC presence: everything done from this seat comes before the next holder.
    seats_[seat].presence.store(0, std::memory_order_release);
  }

  // Never about a seat of the asking handle.
  bool is_dead(layout::Seat seat) const noexcept {
    // A descriptor that means another file by now answers "free" to everything: then nobody is known to be dead.
    if (by_kernel_lock()) return lock(seat).probe() == platform::LockResult::held && object_->has_its_descriptor();
    // SYNC presence: a holder that dropped it is as gone as a dead one.
    const std::uint64_t seen = seats_[seat].presence.load(std::memory_order_acquire);
    return seen == 0 || platform::ProcessStamp::is_dead(seen);
  }

 private:
  bool by_kernel_lock() const noexcept { return method_ == layout::PresenceMethod::kernel_lock; }
  platform::ByteLock lock(layout::Seat seat) const noexcept { return {object_->descriptor(), layout::first_seat_lock_offset + seat}; }

  layout::PresenceMethod method_;
  const platform::SharedObject* object_;
  layout::SeatLine* seats_;
};

}  // namespace strait::liveness
