#pragma once
// One handle's end of a ring: what it writes (handle/ring_writer.hpp), what it reads, and how the ring ends.
//
// The end. The owner stores `closed`, then wakes everybody. A writer that has claimed looks at `closed` once more and, if it is
// set, abandons. A reader that finds the ring empty announces itself, loads `closed`, walks once more, and only if that
// second walk finds nothing unfinished at the head says `closed`. So a write that returned ok is never left behind by a reader
// that returned closed. An exclusive writer claims without a store and therefore looks after publishing, and takes the message
// back if nobody has taken it; with an exclusive reader too, a write that returned closed may all the same have been delivered.
//
// An exclusive reader takes without a store, as an exclusive writer claims.

#include <strait/core/config.hpp>
#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/pace.hpp>
#include <strait/handle/ring_core.hpp>
#include <strait/handle/ring_writer.hpp>
#include <strait/handle/shared_nodes.hpp>
#include <strait/handle/side.hpp>
#include <strait/ring/ring.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace strait::handle {

class RingEnd : public RingWriter {
 public:
  // Who may use an exclusive side: the first living handle that does, or this one, by means of its own.
  enum class Sides : std::uint8_t { first_user, mine };

  RingEnd(segment::Session& session, layout::ControlBlock& control, SharedNodes nodes, std::size_t node_buffer_size, Sides sides)
      : RingWriter(session, control, nodes, node_buffer_size, sides == Sides::mine) {
    ring_.start(reader_);
    reader_side_.is_mine = sides == Sides::mine;
  }

  // The message in a node that this handle has taken. The length is another process's: read once, checked.
  std::span<const std::byte> message(Ticket ticket) {
    Ring ring = local_ring();
    const auto index = ring.geometry().unpack(ticket).index;
    const std::size_t length = ring.memory().node(index).length.load(std::memory_order_relaxed);  // relaxed: ordered by the take
    if (length > node_buffer_size_) [[unlikely]] {
      if (one_reader_) reader_side_.finished(ticket);
      drop_broken(ring.geometry().unpack(ticket), length);
    }
    return {ring.memory().payload(index), length};
  }

  // ---- reading: take, then release or put back --------------------------------------------------------------------------

  // Take, hand to `copy`, release. What `copy` throws puts the message back. It must not come back to this ring.
  template <class Copy>
  Status read(const Gate& gate, Timeout timeout, Copy copy) {
    refuse_read_only();
    Ring ring = local_ring();
    Attempt first{Found::contended, {}};
    if (!one_reader_) {
      first = ring.take_at_hint(reader_, seat_, reader_pace_.in_row());
    } else {
      own(reader_side_, control_->reader_side, "reader");
      if (reader_side_.is_empty()) [[likely]] first = ring.published_at_hint(reader_, reader_pace_.in_row());
    }
    if (first.found != Found::node) [[unlikely]] return read_by_take(gate, timeout, copy);
    reader_pace_.moved();
    const std::size_t length = ring.memory().node(first.at.index).length.load(std::memory_order_relaxed);  // relaxed: ordered by the take
    if (length > node_buffer_size_) [[unlikely]] drop_broken(first.at, length);
    try {
      copy(std::span<const std::byte>(ring.memory().payload(first.at.index), length));
    } catch (...) {
      if (one_reader_) reader_side_.began_unmarked(ticket(first.at));
      put_back(ticket(first.at));
      throw;
    }
    release(ring, first.at);
    return Status::ok;
  }

  Claimed take(const Gate& gate, Timeout timeout) {
    refuse_read_only();
    if (one_reader_) return take_exclusive(gate, timeout);
    const Attempt first = local_ring().take_at_hint(reader_, seat_, reader_pace_.in_row());
    if (first.found != Found::node) [[unlikely]] return wait_for_message(gate, timeout, &RingEnd::try_take);
    reader_pace_.moved();
    return {Status::ok, ticket(first.at)};
  }

  // One look, for any thread, that changes nothing: false where the head is free, so that there is nothing to take.
  bool may_have_message() noexcept {
    Ring ring = local_ring();
    return ring.may_have_message(reader_);
  }

  // Is there a message to take? Takes nothing. True: ok, or closed, with nothing left. An exclusive side's one thread, as with take().
  bool look(Status& verdict) {
    refuse_read_only();
    if (one_reader_) {
      own(reader_side_, control_->reader_side, "reader");
      mark_first_taken();
    }
    const bool closed = is_closed();  // as in a take that waits
    if (closed) session_->fence();
    const Found found = ring_.look(reader_);
    verdict = found == Found::node ? Status::ok : Status::closed;
    return found == Found::node || (closed && found == Found::none);
  }

  // The same by any thread, also beside an exclusive side's: true, now and then, where there is nothing after all.
  bool may_have_something() {
    Status verdict{};
    return one_reader_ ? is_closed() || may_have_message() : look(verdict);
  }

  // For those who wait in their own way: one try of an exclusive reader. `timed_out`: nothing to take now.
  Claimed take_once() noexcept {
    const Attempt found = local_ring().find_published(reader_);
    if (found.found != Found::node) return {Status::timed_out, {}};
    const Claimed taken{Status::ok, ticket(found.at)};
    reader_side_.began_unmarked(taken.ticket);
    return taken;
  }

  void release(Ticket ticket) noexcept {
    if (one_reader_) reader_side_.finished(ticket);
    Ring ring = local_ring();
    release(ring, ring.geometry().unpack(ticket));
  }

  void put_back(Ticket ticket) noexcept {
    const Position at = position(ticket);
    if (one_reader_ && reader_side_.is_unmarked(ticket)) {
      ring_.look_back(reader_, at);
    } else {
      ring_.put_back(reader_, at);
      // DEATH here: published again and nobody woken; a reader finds it when its slice ends.
      core::death_point("put back: published");
      wake(SignalName::readers);
    }
    line_->redeliveries.fetch_add(1, std::memory_order_relaxed);  // relaxed: statistics
    if (one_reader_) reader_side_.finished(ticket);
  }

 private:
  void release(Ring& ring, Position at) noexcept {
    // DEATH here: a message read and not released; the mend gives it back, another reader gets it again.
    core::death_point("release: message read");
    ring.release(at);
    // DEATH here: free and no writer woken; a writer finds it when its slice ends.
    core::death_point("release: free");
    wake(SignalName::writers);
  }

  template <class Copy>
  STRAIT_COLD Status read_by_take(const Gate& gate, Timeout timeout, Copy& copy) {
    const auto [status, ticket] = take(gate, timeout);
    if (status != Status::ok) return status;
    const auto bytes = message(ticket);
    try {
      copy(bytes);
    } catch (...) {
      put_back(ticket);
      throw;
    }
    release(ticket);
    return Status::ok;
  }

  // The length is another process's, and wrong: nobody else should meet it.
  [[noreturn]] STRAIT_COLD void drop_broken(Position at, std::size_t length) {
    release(ring_, at);
    throw Error(Errc::broken, session_->segment().name(),
                "a node says it holds " + std::to_string(length) + " bytes of " + std::to_string(node_buffer_size_) + "; the message was dropped");
  }

  using TryOnce = Attempt (RingEnd::*)();
  Attempt try_take() noexcept { return ring_.try_take(reader_, seat_); }
  Attempt find_published() noexcept { return ring_.find_published(reader_); }

  STRAIT_COLD Claimed wait_for_message(const Gate& gate, Timeout timeout, TryOnce try_once) {
    reader_pace_.let_other_ahead();
    Claimed taken{Status::timed_out, {}};
    const auto attempt = [&] {
      if (gate.is_closing()) {
        taken.status = Status::closed;
        return true;
      }
      const bool closed = is_closed();  // before the walk that may end in `closed`
      if (closed) session_->fence();    // whoever published before it looked at `closed` is seen by the walk
      const Attempt found = (this->*try_once)();
      if (found.found == Found::node) {
        taken = {Status::ok, ticket(found.at)};
        return true;
      }
      if (!closed || found.found != Found::none) return false;
      taken.status = Status::closed;
      return true;
    };
    wait(SignalName::readers, timeout, attempt, taken.status);
    return taken;
  }

  Claimed take_exclusive(const Gate& gate, Timeout timeout) {
    own(reader_side_, control_->reader_side, "reader");
    if (!reader_side_.is_empty()) [[unlikely]] return take_further(gate, timeout);

    const Attempt first = local_ring().published_at_hint(reader_, reader_pace_.in_row());
    Claimed taken{Status::ok, ticket(first.at)};
    if (first.found != Found::node) [[unlikely]] {
      taken = wait_for_message(gate, timeout, &RingEnd::find_published);
      if (taken.status != Status::ok) return taken;
    }
    reader_pace_.moved();
    reader_side_.began_unmarked(taken.ticket);
    return taken;
  }

  STRAIT_COLD Claimed take_further(const Gate& gate, Timeout timeout) {
    mark_first_taken();
    const Claimed taken = wait_for_message(gate, timeout, &RingEnd::try_take);
    if (taken.status == Status::ok) reader_side_.began_marked();
    return taken;
  }

  void mark_first_taken() noexcept {
    if (!reader_side_.has_unmarked()) return;
    ring_.mark_reading(position(reader_side_.unmarked()), seat_);
    reader_side_.marked();
  }

  // As the writer's.
  alignas(64) ring::ReaderCursor<SharedNodes> reader_{};
  Side reader_side_;
  Pace reader_pace_;
};

}  // namespace strait::handle
