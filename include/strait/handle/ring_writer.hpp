#pragma once
// One handle's writing into a ring: claim, then publish or abandon.
//
// An exclusive writer claims without a store. Its first claim leaves no mark in the node; before a further one the first is
// marked, and from then on it is an ordinary claim. How a ring ends is told in handle/ring_end.hpp.

#include <strait/core/config.hpp>
#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/pace.hpp>
#include <strait/handle/ring_core.hpp>
#include <strait/handle/shared_nodes.hpp>
#include <strait/handle/side.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/seat.hpp>
#include <strait/platform/processor.hpp>
#include <strait/ring/ring.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace strait::handle {

class RingWriter : public RingCore {
 public:
  std::span<std::byte> room(Ticket ticket) noexcept { return {nodes().payload(position(ticket).index), node_buffer_size_}; }

  Claimed claim(const Gate& gate, Timeout timeout) {
    refuse_read_only();
    if (one_writer_) return claim_exclusive(gate, timeout);
    Ring ring = local_ring();
    const Attempt first = ring.claim_at_hint(writer_, seat_);
    fetch_ahead(ring, first.at);
    if (first.found != Found::node) [[unlikely]] return wait_for_room(gate, timeout, &RingWriter::try_claim);
    writer_pace_.moved();
    return {keep_unless_closed(first.at), ticket(first.at)};
  }

  // `closed`: an exclusive writer's message was taken back, because the ring was closed meanwhile. Otherwise ok.
  Status publish(Ticket ticket, std::size_t length) {
    if (one_writer_) writer_side_.finished(ticket);
    Ring ring = local_ring();
    return publish(ring, ring.geometry().unpack(ticket), length);
  }

  // Claim, copy, publish. The common case hands no ticket on, and an exclusive writer need not note what it has in its hands.
  Status write(const Gate& gate, Timeout timeout, const void* from, std::size_t size) {
    refuse_read_only();
    Ring ring = local_ring();
    Attempt first{Found::contended, {}};
    if (!one_writer_) {
      first = ring.claim_at_hint(writer_, seat_);
    } else {
      own(writer_side_, control_->writer_side, "writer");
      if (is_closed()) [[unlikely]] return Status::closed;
      if (writer_side_.is_empty()) [[likely]] first = ring.free_at_hint(writer_);
    }
    fetch_ahead(ring, first.at);
    if (first.found != Found::node) [[unlikely]] return write_by_claim(gate, timeout, from, size);
    if (!one_writer_ && keep_unless_closed(first.at) != Status::ok) [[unlikely]] return Status::closed;
    writer_pace_.moved();
    if (size != 0) std::memcpy(ring.memory().payload(first.at.index), from, size);
    return publish(ring, first.at, size);
  }

  void abandon(Ticket ticket) noexcept {
    const Position at = position(ticket);
    if (one_writer_ && writer_side_.is_unmarked(ticket)) {
      ring_.look_back(writer_, at);
    } else {
      skip(at);
    }
    if (one_writer_) writer_side_.finished(ticket);
  }

  // For those who wait in their own way: one try. `timed_out`: no room now.
  Claimed claim_once() noexcept {
    const Attempt found = local_ring().try_claim(writer_, seat_);
    if (found.found != Found::node) return {Status::timed_out, {}};
    return {keep_unless_closed(found.at), ticket(found.at)};
  }

  // While there is nothing else to do: the lines that the next message will fill, if it is as long as `length`, are fetched in
  // advance, from whoever read the last one there.
  void prepare_next(std::size_t length) noexcept {
    const std::byte* const node = ring_.memory().payload(ring_.next_claim(writer_).index) - layout::node_header_size;
    for (std::size_t at = 0; at < layout::node_header_size + length; at += layout::cache_line) platform::prefetch_for_store(node + at);
  }

 protected:
  RingWriter(segment::Session& session, layout::ControlBlock& control, SharedNodes nodes, std::size_t node_buffer_size, bool is_mine)
      : RingCore(session, control, nodes, node_buffer_size) {
    ring_.start(writer_);
    writer_side_.is_mine = is_mine;
  }
  ~RingWriter() = default;

 private:
  Status publish(Ring& ring, Position at, std::size_t length) {
    // DEATH here: a claimed node with a payload; the mend skips it, the message is not acknowledged. (Exclusive: nothing is left.)
    core::death_point("publish: payload written");
    ring.memory().node(at.index).length.store(static_cast<std::uint32_t>(length), std::memory_order_relaxed);  // relaxed: ordered by the publish
    ring.publish(at);
    // DEATH here: published and nobody woken; a reader finds it when its slice ends.
    core::death_point("publish: published");
    wake(SignalName::readers);
    layout::SeatLine& line = *line_;
    segment::Session::count(line.messages);
    segment::Session::count(line.bytes, length);
    if (!one_writer_ || !is_closed() || !ring.withdraw(at)) [[likely]] return Status::ok;
    return Status::closed;
  }

  STRAIT_COLD Status write_by_claim(const Gate& gate, Timeout timeout, const void* from, std::size_t size) {
    const auto [status, ticket] = claim(gate, timeout);
    if (status != Status::ok) return status;
    if (size != 0) std::memcpy(room(ticket).data(), from, size);
    return publish(ticket, size);
  }

  // Only writers fetch ahead: a reader that did would take the nodes from the writer that is about to claim them.
  static void fetch_ahead(Ring& ring, Position at) noexcept { ring.memory().about_to_write(ring.geometry().index_ahead(at)); }

  // A claimed node that will hold nothing: readers step over it, writers claim it again.
  void skip(Position at) noexcept {
    ring_.abandon(at);
    // DEATH here: skipped and nobody woken; readers and writers find it when their slices end.
    core::death_point("abandon: skipped");
    wake(SignalName::readers);
    wake(SignalName::writers);
  }

  // A claim is kept only if the ring is still open (the protocol's load after every claim).
  Status keep_unless_closed(Position at) noexcept {
    // DEATH here: a claimed node with nothing in it; the mend skips it.
    core::death_point("claim: claimed");
    if (!is_closed()) [[likely]] return Status::ok;
    skip(at);
    return Status::closed;
  }

  using TryOnce = Attempt (RingWriter::*)();
  Attempt try_claim() noexcept { return ring_.try_claim(writer_, seat_); }
  Attempt find_free() noexcept { return ring_.find_free(writer_); }

  STRAIT_COLD Claimed wait_for_room(const Gate& gate, Timeout timeout, TryOnce try_once) {
    writer_pace_.let_other_ahead();
    Claimed claimed{Status::timed_out, {}};
    const auto attempt = [&] {
      if (is_closed() || gate.is_closing()) {
        claimed.status = Status::closed;
        return true;
      }
      const Attempt found = (this->*try_once)();
      if (found.found != Found::node) return false;
      claimed = {one_writer_ ? Status::ok : keep_unless_closed(found.at), ticket(found.at)};
      return true;
    };
    wait(SignalName::writers, timeout, attempt, claimed.status);
    return claimed;
  }

  Claimed claim_exclusive(const Gate& gate, Timeout timeout) {
    own(writer_side_, control_->writer_side, "writer");
    if (is_closed()) [[unlikely]] return {Status::closed, {}};
    if (!writer_side_.is_empty()) [[unlikely]] return claim_further();

    Ring ring = local_ring();
    const Attempt first = ring.free_at_hint(writer_);
    fetch_ahead(ring, first.at);
    Claimed claimed{Status::ok, ticket(first.at)};
    if (first.found != Found::node) [[unlikely]] {
      claimed = wait_for_room(gate, timeout, &RingWriter::find_free);
      if (claimed.status != Status::ok) return claimed;
    }
    writer_pace_.moved();
    writer_side_.began_unmarked(claimed.ticket);
    return claimed;
  }

  // Tried once: to wait here could be to wait for oneself.
  STRAIT_COLD Claimed claim_further() {
    if (writer_side_.has_unmarked()) {
      ring_.mark_claimed(position(writer_side_.unmarked()), seat_);
      writer_side_.marked();
    }
    Attempt further = ring_.try_claim(writer_, seat_);
    if (further.found != Found::node && session_->mend_now_and_then()) further = ring_.try_claim(writer_, seat_);
    if (further.found != Found::node) return {is_closed() ? Status::closed : Status::timed_out, {}};
    const Status status = keep_unless_closed(further.at);
    if (status == Status::ok) writer_side_.began_marked();
    return {status, ticket(further.at)};
  }

  // Threads that share the handle share these, on a line of their own, away from what both sides only read.
  alignas(64) ring::WriterCursor<SharedNodes> writer_{};
  Side writer_side_;
  Pace writer_pace_;
};

}  // namespace strait::handle
