#pragma once
// One handle's end of a ring: the algorithm (ring/ring.hpp), its waits, its two sides, and how it ends. Which words are
// the ring's own (a control block) and where its nodes lie is told from outside: a segment may hold one ring or several.
//
// The end. The owner stores `closed`, then wakes everybody. A writer that has claimed looks at `closed` once more and, if it is
// set, abandons. A reader that finds the ring empty announces itself, loads `closed`, walks once more, and only if that
// second walk finds nothing unfinished at the head says `closed`. So a write that returned ok is never left behind by a reader
// that returned closed. An exclusive writer claims without a store and therefore looks after publishing, and takes the message
// back if nobody has taken it; with an exclusive reader too, a write that returned closed may all the same have been delivered.
//
// An exclusive side belongs to one handle and is used by one thread at a time. Its first claim (or take) leaves no mark in the
// node. Before a further one the first is marked, and from then on it is an ordinary claim.

#include <strait/core/config.hpp>
#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/pace.hpp>
#include <strait/handle/shared_nodes.hpp>
#include <strait/handle/side.hpp>
#include <strait/layout/node.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/processor.hpp>
#include <strait/ring/ring.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace strait::handle {

using layout::SignalName;
using ring::Attempt;
using ring::Found;
using ring::Position;

// Two registers: this is what every write and read hands on.
struct Claimed {
  Status status;
  Ticket ticket;
};

class RingEnd {
 public:
  // Who may use an exclusive side: the first living handle that does, or this one, by means of its own.
  enum class Sides : std::uint8_t { first_user, mine };

  RingEnd(segment::Session& session, layout::ControlBlock& control, SharedNodes nodes, std::size_t node_buffer_size, Sides sides)
      : ring_(nodes),
        control_(&control),
        line_(session.read_only() ? nullptr : &session.line()),
        seat_(session.seat()),
        node_buffer_size_(node_buffer_size),
        park_(session.park()),
        one_writer_(control.one_writer != 0),
        one_reader_(control.one_reader != 0),
        session_(&session) {
    ring_.start(writer_);
    ring_.start(reader_);
    writer_side_.is_mine = reader_side_.is_mine = sides == Sides::mine;
  }

  RingEnd(const RingEnd&) = delete;
  RingEnd& operator=(const RingEnd&) = delete;

  segment::Session& session() noexcept { return *session_; }

  // A claim in a forked child has no node: what its destructor would do is its parent's to do.
  bool is_inherited() const noexcept { return session_->is_inherited(); }
  std::size_t node_buffer_size() const noexcept { return node_buffer_size_; }
  std::uint64_t approximate_size() noexcept { return ring_.approximate_size(); }

  std::span<std::byte> room(Ticket ticket) noexcept { return {nodes().payload(position(ticket).index), node_buffer_size_}; }

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

  // ---- writing: claim, then publish or abandon --------------------------------------------------------------------------

  Claimed claim(const Gate& gate, Timeout timeout) {
    refuse_read_only();
    if (one_writer_) return claim_exclusive(gate, timeout);
    Ring ring = local_ring();
    const Attempt first = ring.claim_at_hint(writer_, seat_);
    fetch_ahead(ring, first.at);
    if (first.found != Found::node) [[unlikely]] return wait_for_room(gate, timeout, &RingEnd::try_claim);
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
  using Ring = ring::Ring<SharedNodes>;

  SharedNodes& nodes() noexcept { return ring_.memory(); }

  // A copy whose numbers the compiler may keep in registers: no store through a shared pointer can change them.
  Ring local_ring() const noexcept { return ring_; }

  std::atomic<std::uint32_t>& signal(SignalName name) noexcept { return control_->signals[static_cast<std::uint32_t>(name)].word; }
  void wake(SignalName name) noexcept { wait::wake(signal(name), park_); }

  // SYNC close: as Session::is_closed.
  bool is_closed() const noexcept { return control_->closed.load(std::memory_order_seq_cst) != 0; }

  Ticket ticket(Position at) const noexcept { return ring_.geometry().pack(at); }
  Position position(Ticket ticket) const noexcept { return ring_.geometry().unpack(ticket); }

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

  // Throws where this handle may only look.
  void refuse_read_only() const {
    if (line_ == nullptr) throw Error(Errc::permission_denied, session_->segment().name(), "it was opened read_only: no message can be written or taken");
  }

  // ---- waits ---------------------------------------------------------------------------------------------------------

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

  using TryOnce = Attempt (RingEnd::*)();
  Attempt try_claim() noexcept { return ring_.try_claim(writer_, seat_); }
  Attempt find_free() noexcept { return ring_.find_free(writer_); }
  Attempt try_take() noexcept { return ring_.try_take(reader_, seat_); }
  Attempt find_published() noexcept { return ring_.find_published(reader_); }

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

  template <class TryAgain>
  void wait(SignalName name, Timeout timeout, TryAgain attempt, Status& verdict) {
    switch (session_->wait(signal(name), timeout, segment::Session::For::another_participant, attempt)) {
      case wait::Waited::done: return;
      case wait::Waited::stopped: verdict = Status::peer_lost; return;
      case wait::Waited::timed_out: break;
    }
    // Pollers mend too: what a dead party held may be all that stood in the way.
    if (session_->mend_now_and_then()) attempt();
  }

  // ---- exclusive sides -------------------------------------------------------------------------------------------------

  void own(Side& side, std::atomic<std::uint32_t>& owner, const char* which) {
    if (!side.is_mine) [[unlikely]] become_owner(side, owner, which);
  }

  STRAIT_COLD void become_owner(Side& side, std::atomic<std::uint32_t>& owner, const char* which) {
    for (int tries = 0; tries < 100; ++tries) {
      std::uint32_t seen = 0;
      // SYNC side: acquires what its last owner did.
      if (owner.compare_exchange_strong(seen, seat_ + 1, std::memory_order_seq_cst, std::memory_order_relaxed)) {
        side.is_mine = true;
        return;
      }
      if (session_->is_living(seen - 1)) break;
      // Its owner is dead: we mend its seat, or somebody living is just doing it.
      if (session_->mend_dead() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw Error(Errc::too_many_participants, session_->segment().name(),
                std::string("its creator allows one ") + which + ", and another living handle is it; see RingOptions");
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
      claimed = wait_for_room(gate, timeout, &RingEnd::find_free);
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

  // What every call reads, together and apart from what calls write.
  alignas(64) Ring ring_;
  layout::ControlBlock* control_;
  layout::SeatLine* line_;
  layout::Seat seat_;
  std::size_t node_buffer_size_;
  const platform::Park& park_;  // the session's
  bool one_writer_;
  bool one_reader_;
  segment::Session* session_;
  // Threads that share the handle share these; each side on a line of its own, away from what both only read.
  alignas(64) ring::WriterCursor<SharedNodes> writer_{};
  Side writer_side_;
  Pace writer_pace_;
  alignas(64) ring::ReaderCursor<SharedNodes> reader_{};
  Side reader_side_;
  Pace reader_pace_;
};

}  // namespace strait::handle
