#pragma once
// A ring in a segment, as one handle uses it: the algorithm (ring/ring.hpp), its waits, its two sides, and its end.
//
// The end. The owner stores `closed`, then wakes everybody. A writer that has claimed looks at `closed` once more and, if it is
// set, abandons. A reader that finds the ring empty announces itself, loads `closed`, walks once more, and only if that
// second walk finds nothing unfinished at the head says `closed`. So a write that returned ok is never left behind by a reader
// that returned closed. An exclusive writer claims without a store and therefore looks after publishing, and takes the message
// back if nobody has taken it; with an exclusive reader too, a write that returned closed may all the same have been delivered.
//
// An exclusive side belongs to one handle and is used by one thread at a time. Its first claim (or take) leaves no mark in the
// node. Before a further one the first is marked, and from then on it is an ordinary claim.

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/handle/gate.hpp>
#include <strait/layout/node.hpp>
#include <strait/ring/ring.hpp>
#include <strait/ring/shared_nodes.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace strait::handle {

using layout::SignalName;
using ring::Attempt;
using ring::Found;
using ring::Position;

class RingHandle {
 public:
  RingHandle(std::string_view name, segment::Intent intent, const segment::Expectation& expected, const RingOptions& options)
      : session_(name, intent, expected, options, contents()),
        ring_(nodes_of(session_.segment())),
        node_buffer_size_(static_cast<std::size_t>(session_.segment().shape().element_size)),
        one_writer_(session_.control().one_writer != 0),
        one_reader_(session_.control().one_reader != 0) {
    ring_.start(writer_);
    ring_.start(reader_);
  }

  segment::Session& session() noexcept { return session_; }
  std::size_t node_buffer_size() const noexcept { return node_buffer_size_; }
  std::uint64_t approximate_size() noexcept { return ring_.approximate_size(); }

  std::span<std::byte> room(Position at) noexcept { return {nodes().payload(at.index), node_buffer_size_}; }

  // The message in a node that this handle has taken. The length is another process's: read once, checked.
  std::span<const std::byte> message(Position at) {
    const std::size_t length = nodes().node(at.index).length.load(std::memory_order_relaxed);  // relaxed: ordered by the take
    if (length > node_buffer_size_) {
      release(at);
      throw Error(Errc::broken, session_.segment().name(),
                  "a node says it holds " + std::to_string(length) + " bytes of " + std::to_string(node_buffer_size_) + "; the message was dropped");
    }
    return {nodes().payload(at.index), length};
  }

  // ---- writing: claim, then publish or abandon --------------------------------------------------------------------------

  Status claim(Position& at, const Gate& gate, Timeout timeout) {
    refuse_read_only();
    if (one_writer_) return claim_exclusive(at, gate, timeout);
    if (session_.is_closed()) return Status::closed;
    const Attempt first = ring_.try_claim(writer_, session_.seat());
    if (first.found == Found::node) [[likely]] {
      at = first.at;
      return keep_unless_closed(at);
    }
    return wait_for_room(at, gate, timeout, [this] { return ring_.try_claim(writer_, session_.seat()); });
  }

  // `closed`: an exclusive writer's message was taken back, because the ring was closed meanwhile. Otherwise ok.
  Status publish(Position at, std::size_t length) {
    // DEATH here: a claimed node with a payload; the mend skips it, the message is not acknowledged. (Exclusive: nothing is left.)
    core::death_point("publish: payload written");
    nodes().node(at.index).length.store(static_cast<std::uint32_t>(length), std::memory_order_relaxed);  // relaxed: ordered by the publish
    ring_.publish(at);
    // DEATH here: published and nobody woken; a reader finds it when its slice ends.
    core::death_point("publish: published");
    session_.wake(SignalName::readers);
    segment::Session::count(session_.line().messages);
    segment::Session::count(session_.line().bytes, length);
    if (!one_writer_) return Status::ok;
    writer_side_.finished(at);
    if (!session_.is_closed() || !ring_.withdraw(at)) return Status::ok;
    return Status::closed;
  }

  void abandon(Position at) noexcept {
    if (one_writer_ && writer_side_.is_unmarked(at)) {
      ring_.look_back(writer_, at);
    } else {
      ring_.abandon(at);
      // DEATH here: skipped and nobody woken; readers and writers find it when their slices end.
      core::death_point("abandon: skipped");
      session_.wake(SignalName::readers);
      session_.wake(SignalName::writers);
    }
    if (one_writer_) writer_side_.finished(at);
  }

  // ---- reading: take, then release or put back --------------------------------------------------------------------------

  Status take(Position& at, const Gate& gate, Timeout timeout) {
    refuse_read_only();
    if (one_reader_) return take_exclusive(at, gate, timeout);
    const Attempt first = ring_.try_take(reader_, session_.seat());
    if (first.found == Found::node) [[likely]] {
      at = first.at;
      return Status::ok;
    }
    return wait_for_message(at, gate, timeout, [this] { return ring_.try_take(reader_, session_.seat()); });
  }

  void release(Position at) noexcept {
    // DEATH here: a message read and not released; the mend gives it back, another reader gets it again.
    core::death_point("release: message read");
    ring_.release(at);
    // DEATH here: free and no writer woken; a writer finds it when its slice ends.
    core::death_point("release: free");
    session_.wake(SignalName::writers);
    if (one_reader_) reader_side_.finished(at);
  }

  void put_back(Position at) noexcept {
    if (one_reader_ && reader_side_.is_unmarked(at)) {
      ring_.look_back(reader_, at);
    } else {
      ring_.put_back(reader_, at);
      // DEATH here: published again and nobody woken; a reader finds it when its slice ends.
      core::death_point("put back: published");
      session_.wake(SignalName::readers);
    }
    session_.line().redeliveries.fetch_add(1, std::memory_order_relaxed);  // relaxed: statistics
    if (one_reader_) reader_side_.finished(at);
  }

 private:
  using Ring = ring::Ring<ring::SharedNodes>;

  // What an exclusive side has in its hands.
  class Side {
   public:
    bool is_empty() const noexcept { return outstanding_ == 0; }
    bool is_unmarked(Position at) const noexcept { return unmarked_ && at == unmarked_at_; }
    bool has_unmarked() const noexcept { return unmarked_; }
    Position unmarked_at() const noexcept { return unmarked_at_; }
    void marked() noexcept { unmarked_ = false; }

    void began_unmarked(Position at) noexcept {
      outstanding_ = 1;
      unmarked_ = true;
      unmarked_at_ = at;
    }
    void began_marked() noexcept { ++outstanding_; }
    void finished(Position at) noexcept {
      if (is_unmarked(at)) unmarked_ = false;
      --outstanding_;
    }

    bool is_mine = false;

   private:
    std::uint32_t outstanding_ = 0;
    bool unmarked_ = false;
    Position unmarked_at_{};
  };

  static segment::Contents contents() noexcept {
    return {[](const segment::Segment& segment) {
              ring::SharedNodes nodes = nodes_of(segment);
              for (std::uint64_t index = 0; index < nodes.node_count(); ++index) {
                // relaxed: nobody else looks before the segment is ready
                nodes.word(index).store(layout::NodeWord::of(0, layout::Phase::free).bits, std::memory_order_relaxed);
              }
            },
            [](const segment::Segment& segment, layout::Seat dead) { return Ring(nodes_of(segment)).mend(dead); }};
  }

  static ring::SharedNodes nodes_of(const segment::Segment& segment) noexcept {
    return {segment.payload(), segment.shape().element_count, *layout::node_stride(segment.shape().element_size), segment.control().given_back};
  }

  ring::SharedNodes& nodes() noexcept { return ring_.memory(); }

  void refuse_read_only() const {
    if (session_.read_only()) throw Error(Errc::permission_denied, session_.segment().name(), "it was opened read_only: no message can be written or taken");
  }

  // ---- waits ---------------------------------------------------------------------------------------------------------

  // A claim is kept only if the ring is still open (the protocol's load after every claim).
  Status keep_unless_closed(Position at) noexcept {
    // DEATH here: a claimed node with nothing in it; the mend skips it.
    core::death_point("claim: claimed");
    if (!session_.is_closed()) [[likely]] return Status::ok;
    ring_.abandon(at);
    session_.wake(SignalName::readers);
    session_.wake(SignalName::writers);
    return Status::closed;
  }

  template <class Try>
  Status wait_for_room(Position& at, const Gate& gate, Timeout timeout, Try try_once) {
    Status verdict = Status::timed_out;
    const auto attempt = [&] {
      if (session_.is_closed() || gate.is_closing()) {
        verdict = Status::closed;
        return true;
      }
      const Attempt found = try_once();
      if (found.found != Found::node) return false;
      at = found.at;
      verdict = one_writer_ ? Status::ok : keep_unless_closed(at);
      return true;
    };
    return wait(SignalName::writers, timeout, attempt, verdict);
  }

  template <class Try>
  Status wait_for_message(Position& at, const Gate& gate, Timeout timeout, Try try_once) {
    Status verdict = Status::timed_out;
    const auto attempt = [&] {
      if (gate.is_closing()) {
        verdict = Status::closed;
        return true;
      }
      const bool closed = session_.is_closed();  // before the walk that may end in `closed`
      const Attempt found = try_once();
      if (found.found == Found::node) {
        at = found.at;
        verdict = Status::ok;
        return true;
      }
      if (!closed || found.found != Found::none) return false;
      verdict = Status::closed;
      return true;
    };
    return wait(SignalName::readers, timeout, attempt, verdict);
  }

  template <class TryOnce>
  Status wait(SignalName name, Timeout timeout, TryOnce attempt, Status& verdict) {
    switch (session_.wait(name, timeout, segment::Session::For::another_participant, attempt)) {
      case wait::Waited::done: return verdict;
      case wait::Waited::stopped: return Status::peer_lost;
      case wait::Waited::timed_out: break;
    }
    // Pollers mend too: what a dead party held may be all that stood in the way.
    if (session_.mend_now_and_then() && attempt()) return verdict;
    return Status::timed_out;
  }

  // ---- exclusive sides -------------------------------------------------------------------------------------------------

  void own(Side& side, std::atomic<std::uint32_t>& owner, const char* which) {
    if (side.is_mine) return;
    for (const bool last_try : {false, true}) {
      std::uint32_t nobody = 0;
      // SYNC side: acquires what its last owner did.
      if (owner.compare_exchange_strong(nobody, session_.seat() + 1, std::memory_order_seq_cst, std::memory_order_relaxed)) {
        side.is_mine = true;
        return;
      }
      if (!last_try) session_.mend_dead();
    }
    throw Error(Errc::too_many_participants, session_.segment().name(),
                std::string("its creator allows one ") + which + ", and another living handle is it; see RingOptions");
  }

  Status claim_exclusive(Position& at, const Gate& gate, Timeout timeout) {
    own(writer_side_, session_.control().writer_side, "writer");
    if (session_.is_closed()) return Status::closed;
    if (!writer_side_.is_empty()) return claim_further(at);

    const Attempt first = ring_.find_free(writer_);
    if (first.found == Found::node) [[likely]] {
      at = first.at;
    } else {
      const Status status = wait_for_room(at, gate, timeout, [this] { return ring_.find_free(writer_); });
      if (status != Status::ok) return status;
    }
    writer_side_.began_unmarked(at);
    return Status::ok;
  }

  // Tried once: to wait here could be to wait for oneself.
  Status claim_further(Position& at) {
    if (writer_side_.has_unmarked()) {
      ring_.mark_claimed(writer_side_.unmarked_at(), session_.seat());
      writer_side_.marked();
    }
    const Attempt further = ring_.try_claim(writer_, session_.seat());
    if (further.found != Found::node) return session_.is_closed() ? Status::closed : Status::timed_out;
    at = further.at;
    const Status status = keep_unless_closed(at);
    if (status == Status::ok) writer_side_.began_marked();
    return status;
  }

  Status take_exclusive(Position& at, const Gate& gate, Timeout timeout) {
    own(reader_side_, session_.control().reader_side, "reader");
    if (reader_side_.is_empty()) {
      const Attempt first = ring_.find_published(reader_);
      if (first.found == Found::node) [[likely]] {
        at = first.at;
      } else {
        const Status status = wait_for_message(at, gate, timeout, [this] { return ring_.find_published(reader_); });
        if (status != Status::ok) return status;
      }
      reader_side_.began_unmarked(at);
      return Status::ok;
    }
    if (reader_side_.has_unmarked()) {
      ring_.mark_reading(reader_side_.unmarked_at(), session_.seat());
      reader_side_.marked();
    }
    const Status status = wait_for_message(at, gate, timeout, [this] { return ring_.try_take(reader_, session_.seat()); });
    if (status == Status::ok) reader_side_.began_marked();
    return status;
  }

  segment::Session session_;
  Ring ring_;
  std::size_t node_buffer_size_;
  bool one_writer_;
  bool one_reader_;
  // Threads that share the handle share these; each side on a line of its own, away from what both only read.
  alignas(64) ring::WriterCursor<ring::SharedNodes> writer_{};
  Side writer_side_;
  alignas(64) ring::ReaderCursor<ring::SharedNodes> reader_{};
  Side reader_side_;
};

}  // namespace strait::handle
