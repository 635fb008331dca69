#pragma once
// What both ends of a ring need, for one handle: the algorithm (ring/ring.hpp), its words, how one waits, and who owns an exclusive
// side. Which words are the ring's own (a control block) and where its nodes lie is told from outside: a segment may hold one
// ring or several.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/shared_nodes.hpp>
#include <strait/handle/side.hpp>
#include <strait/layout/control.hpp>
#include <strait/layout/seat.hpp>
#include <strait/platform/park.hpp>
#include <strait/ring/ring.hpp>
#include <strait/segment/session.hpp>
#include <strait/wait/blocking.hpp>
#include <strait/wait/signal.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
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

class RingCore {
 public:
  RingCore(segment::Session& session, layout::ControlBlock& control, SharedNodes nodes, std::size_t node_buffer_size)
      : ring_(nodes),
        control_(&control),
        line_(session.read_only() ? nullptr : &session.line()),
        seat_(session.seat()),
        node_buffer_size_(node_buffer_size),
        park_(session.park()),
        one_writer_(control.one_writer != 0),
        one_reader_(control.one_reader != 0),
        session_(&session) {}

  RingCore(const RingCore&) = delete;
  RingCore& operator=(const RingCore&) = delete;

  segment::Session& session() noexcept { return *session_; }

  // A claim in a forked child has no node: what its destructor would do is its parent's to do.
  bool is_inherited() const noexcept { return session_->is_inherited(); }
  std::size_t node_buffer_size() const noexcept { return node_buffer_size_; }
  std::uint64_t approximate_size() noexcept { return ring_.approximate_size(); }

 protected:
  ~RingCore() = default;

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

  // Throws where this handle may only look.
  void refuse_read_only() const {
    if (line_ == nullptr) throw Error(Errc::permission_denied, session_->segment().name(), "it was opened read_only: no message can be written or taken");
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

  // ---- exclusive sides: one belongs to one handle and is used by one thread at a time --------------------------------------

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
};

}  // namespace strait::handle
