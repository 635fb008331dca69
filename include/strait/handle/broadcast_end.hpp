#pragma once
// A publisher's ring, as its publisher uses it: the segment, the algorithm (broadcast/writer.hpp), the waits for room, and who is
// connected. Any thread; a loan may outlive the publisher.

#include <strait/broadcast/writer.hpp>
#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/handle/broadcast_nodes.hpp>
#include <strait/handle/first_thread_lock.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/lender.hpp>
#include <strait/handle/pace.hpp>
#include <strait/handle/topic.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/segment/session.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strait::handle {

class BroadcastEnd final : public Lender {
 public:
  using Session = segment::Session;

  struct Sizes {
    std::uint64_t node_count;
    std::uint64_t node_buffer_size;
    std::uint64_t history;
  };

  BroadcastEnd(const std::string& name, const Topic& topic, const Sizes& sizes, const OpenOptions& options)
      : suffix_(topic.ring_suffix()),
        session_(name, segment::Intent::create, expectation(sizes, suffix_), ring_options(topic, options), contents(topic.id(), sizes.history)),
        nodes_(session_.segment(), topic.session().segment().fence_method()),
        writer_(nodes_, sizes.history),
        node_size_(static_cast<std::size_t>(sizes.node_buffer_size)),
        most_(sizes.node_count * sizes.node_buffer_size / 2),
        topic_(&topic),
        news_(&topic.session().signal(SignalName::readers)),
        park_(&topic.session().park()),
        line_(&session_.line()) {}

  Session& session() noexcept { return session_; }
  const std::string& name() const noexcept override { return session_.segment().name(); }
  bool is_inherited() const noexcept override { return session_.is_inherited(); }
  std::uint64_t longest() const noexcept { return most_; }

  // ---- publishing ---------------------------------------------------------------------------------------------------------

  // `copy(to, size)` gives the next `size` bytes of the message.
  template <class Copy>
  STRAIT_HOT Status publish(const Gate& gate, Timeout timeout, std::uint64_t size, Copy copy) {
    if (size <= node_size_ && lock_.try_lock()) [[likely]] {
      const std::lock_guard lock(lock_, std::adopt_lock);
      if (topic_ != nullptr && writer_.is_direct() && writer_.has_room(1)) [[likely]] {
        pace_.moved();
        put_one(static_cast<std::size_t>(size), copy);
        return Status::ok;
      }
    }
    return publish_slowly(gate, timeout, size, copy);
  }

  // A node to be filled in place; its ticket.
  Status loan(const Gate& gate, Timeout timeout, std::uint64_t& ticket) {
    return wait_for_room(gate, timeout, 1, [&] {
      ticket = writer_.claim(1);
      nodes_.begin_writing_much();
      writer_.open(ticket, 1);
      // DEATH here: a claimed node with nothing in it; subscribers step over it when they know that its publisher is gone.
      core::death_point("loan: claimed");
    });
  }

  std::span<std::byte> room(std::uint64_t ticket) noexcept override { return {nodes_.payload(writer_.geometry().index_of(ticket)), node_size_}; }

  Status publish_loan(std::uint64_t ticket, std::size_t size) override {
    const std::lock_guard lock(lock_);
    if (topic_ == nullptr) {
      static_cast<void>(writer_.settle(ticket, false));
      return Status::closed;
    }
    const auto index = writer_.geometry().index_of(ticket);
    const broadcast::Part part{size, static_cast<std::uint32_t>(size), layout::first_part | layout::last_part};
    if (writer_.is_oldest(ticket)) {
      writer_.fill(index, part);
    } else {
      writer_.keep(ticket, index, part);
      // DEATH here: a whole message behind a node that is still lent; subscribers take it when they know that its publisher is gone.
      core::death_point("loan: kept");
    }
    count(size);
    if (writer_.settle(ticket, true) != 0) wake_subscribers();
    return Status::ok;
  }

  void give_up(std::uint64_t ticket) noexcept override {
    const std::lock_guard lock(lock_);
    const bool shown = writer_.settle(ticket, false) != 0;
    if (shown && topic_ != nullptr) wake_subscribers();
  }

  // From here on nothing is published. Subscribers read what is there.
  void end() noexcept {
    const std::lock_guard lock(lock_);
    session_.close_for_everybody();
    wake_subscribers();
    topic_ = nullptr;
  }

  // ---- who is connected ---------------------------------------------------------------------------------------------------

  std::vector<Participant> connections() {
    std::vector<Participant> all;
    // SYNC limit: acquires who is in the lines.
    const std::uint32_t used = nodes_.used().load(std::memory_order_acquire);
    for (std::uint32_t at = 0; at < used && at < session_.segment().seat_count(); ++at) {
      const layout::SubscriberLine& line = nodes_.line(at);
      // relaxed: the id tells
      if (line.state.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(layout::LineState::none)) continue;
      // SYNC connected: what is published from here on is for this one.
      const std::uint64_t id = line.id.load(std::memory_order_seq_cst);
      if (id == 0) continue;
      const Participant one{at, line.pid.load(std::memory_order_relaxed), true, false, id};  // relaxed: ordered by the id
      if (session_.is_living(at)) all.push_back(one);
    }
    return all;
  }

  // Until `is_so()`, which is asked whenever a subscriber has come or gone, or the handle is closed.
  template <class IsSo>
  Status wait_for_connections(const Gate& gate, Timeout timeout, IsSo is_so) {
    bool so = false;
    bool closing = false;
    static_cast<void>(session_.wait(SignalName::readers, timeout, Session::For::anybody, [&] {
      closing = gate.is_closing();
      return closing || (so = is_so());
    }));
    if (closing) return Status::closed;
    return so ? Status::ok : Status::timed_out;
  }

 private:
  static segment::Expectation expectation(const Sizes& sizes, std::string_view suffix) noexcept {
    return {{layout::Kind::broadcast, sizes.node_buffer_size, sizes.node_count, 64, 0}, true, true, suffix};
  }

  static RingOptions ring_options(const Topic& topic, const OpenOptions& options) noexcept {
    RingOptions result{options};
    result.max_participants = topic.session().segment().seat_count();
    return result;
  }

  static segment::Contents contents(std::uint64_t id, std::uint64_t history) {
    segment::Contents contents;
    contents.fill = [id, history](const segment::Segment& segment) {
      auto& block = BroadcastNodes::block(segment);
      block.publisher = id;
      block.history.store(history, std::memory_order_relaxed);  // relaxed: published with the state
    };
    contents.mend = &mend;
    return contents;
  }

 public:
  // A dead subscriber holds nobody back.
  static std::uint32_t mend(const segment::Segment& segment, layout::Seat dead) noexcept {
    auto* const lines = reinterpret_cast<layout::SubscriberLine*>(&BroadcastNodes::block(segment) + 1);
    // SYNC limit: what the dead one had not read may be written over.
    lines[dead].state.store(static_cast<std::uint32_t>(layout::LineState::none), std::memory_order_seq_cst);
    return 0;
  }

 private:
  template <class Copy>
  STRAIT_COLD Status publish_slowly(const Gate& gate, Timeout timeout, std::uint64_t size, Copy& copy) {
    const std::uint64_t count = size <= node_size_ ? 1 : (size + node_size_ - 1) / node_size_;
    return wait_for_room(gate, timeout, count, [&] { put(size, count, copy); });
  }

  // Under the lock, with room, and nothing open: a message that fits a node.
  template <class Copy>
  STRAIT_HOT void put_one(std::size_t size, Copy& copy) {
    const std::uint64_t index = writer_.next_index();
    nodes_.about_to_write(writer_.geometry().index_ahead({0, index}));
    const std::uint64_t at = writer_.claim(1);
    core::death_point("broadcast: claimed");
    if (size > large) [[unlikely]] nodes_.begin_writing_much();
    copy(nodes_.payload(index), size);
    writer_.show(at, index, {size, static_cast<std::uint32_t>(size), layout::first_part | layout::last_part});
    core::death_point("broadcast: part shown");
    wake_subscribers();
    writer_.finish(at, 1);
    count(size);
  }

  void wake_subscribers() noexcept { wait::wake(*news_, *park_); }

  // Under the lock, with room.
  template <class Copy>
  void put(std::uint64_t size, std::uint64_t count, Copy& copy) {
    std::uint64_t index = writer_.next_index();
    nodes_.about_to_write(writer_.geometry().index_ahead({0, index}));
    const std::uint64_t at = writer_.claim(count);
    // DEATH here: claimed nodes with nothing in them; subscribers step over them when they know that their publisher is gone.
    core::death_point("broadcast: claimed");
    if (size > large) nodes_.begin_writing_much();
    const bool direct = writer_.is_direct();
    if (!direct) [[unlikely]] writer_.open(at, count);
    std::uint64_t rest = size;
    for (std::uint64_t part_of = 0; part_of != count; ++part_of) {
      const auto now = static_cast<std::size_t>((std::min)(rest, std::uint64_t{node_size_}));
      rest -= now;
      copy(nodes_.payload(index), now);
      const std::uint32_t flags = (part_of == 0 ? layout::first_part : 0u) | (part_of + 1 == count ? layout::last_part : 0u);
      const broadcast::Part part{size, static_cast<std::uint32_t>(now), flags};
      if (direct) [[likely]] {
        writer_.show(at + part_of, index, part);
      } else {
        writer_.keep(at + part_of, index, part);
      }
      // DEATH here: a part is shown and nobody woken; of a message in several parts that is none without the last one, and a whole one
      // subscribers find when their slices end.
      core::death_point("broadcast: part shown");
      index = writer_.geometry().next_index(index);
      wake_subscribers();
    }
    if (direct) [[likely]] {
      writer_.finish(at, count);
    } else if (writer_.settle(at, true) != 0) {
      wake_subscribers();
    }
    this->count(size);
  }

  template <class Put>
  STRAIT_COLD Status wait_for_room(const Gate& gate, Timeout timeout, std::uint64_t count, Put put_now) {
    Status status = Status::timed_out;
    const auto attempt = [&] {
      const std::lock_guard lock(lock_);
      if (topic_ == nullptr || gate.is_closing()) {
        status = Status::closed;
        return true;
      }
      if (!writer_.has_room(count)) return false;
      put_now();
      status = Status::ok;
      return true;
    };
    if (attempt()) return status;
    pace_.let_other_ahead();
    // Pollers mend too: a dead subscriber may be all that stood in the way.
    const auto waited = session_.wait(SignalName::writers, timeout, Session::For::anybody, attempt);
    if (waited != wait::Waited::done && session_.mend_now_and_then()) attempt();
    return status;
  }

  void count(std::uint64_t size) noexcept {
    Session::count(line_->messages);
    Session::count(line_->bytes, size);
  }

  // From here on copies may use stores that keep no order.
  static constexpr std::uint64_t large = 4096;

  std::string suffix_;
  Session session_;
  BroadcastNodes nodes_;
  broadcast::Writer<BroadcastNodes> writer_;
  std::size_t node_size_;
  std::uint64_t most_;
  const Topic* topic_;                // null once ended, and with it:
  std::atomic<std::uint32_t>* news_;  // its signal of messages
  const platform::Park* park_;        // and how one sleeps on it
  layout::SeatLine* line_;
  FirstThreadLock lock_;
  Pace pace_;
};

}  // namespace strait::handle
