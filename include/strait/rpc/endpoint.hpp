#pragma once
// One endpoint: it sends, receives, waits and ends calls. What its threads do when they do not wait in a call is the crew's.
//
// Receiving. The incoming ring has one reader, and that is whoever holds `reading_`, tried and never waited for: every thread that
// waits for something of this endpoint (its reply, a peer, room in the outgoing ring) looks at the ring while it spins, takes
// what is there for everybody, and lets go. A thread that receives runs no user code and waits for nothing while it holds the
// lock: replies end calls, requests are copied out and queued (or kept, by a worker that serves the request itself after it has
// let go), and what it has to send itself goes out at once or to the outbox.
//
// Sleeping. Of the callers one sleeps on the ring, the others on words of their own; whoever ends their calls wakes them, and
// the sleeper on the ring hands that part on when it leaves. A sender that waits for room sleeps on the outgoing ring and
// makes sure first that somebody else attends the incoming one. So a full ring towards the peer never stops the reading of
// the ring from the peer.
//
// The peer. `known_` is its place as this endpoint last looked. When the place changes, the ring is first drained of all that the
// old life had published, then the calls of the old life end; a call is registered only for the life that `known_` names.

#include <strait/core/error.hpp>
#include <strait/core/error_report.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/gate.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/rpc_packet.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/processor.hpp>
#include <strait/rpc/bytes.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/channel.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/packet.hpp>
#include <strait/rpc/reassembly.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/statistics.hpp>
#include <strait/wait/blocking.hpp>
#include <strait/wait/signal.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace strait::rpc {

// Tried, never waited for (but once, by close()).
class TryLock {
 public:
  bool try_lock() noexcept {
    // SYNC reading: acquires what the last receiver did. relaxed: a look before the exchange
    return !held_.load(std::memory_order_relaxed) && !held_.exchange(true, std::memory_order_acquire);
  }
  void lock() noexcept {
    while (!try_lock()) std::this_thread::yield();
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }  // SYNC reading

 private:
  std::atomic<bool> held_{false};
};

class Endpoint final : public Crew, public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(std::string_view name, Handler handler, const RpcOptions& options)
      : Crew(options.handler_threads),
        name_(name),
        handler_(std::move(handler)),
        spin_(platform::single_processor() ? std::chrono::nanoseconds(0) : options.wait.spin),
        parks_(options.wait.park),
        channel_(std::make_unique<Channel>(name, options)),
        slice_size_(channel_->slice_size()),
        is_master_(channel_->is_master()) {
    const PlaceWord peer = channel_->peer();
    known_.store(peer.bits, std::memory_order_relaxed);  // relaxed: no other thread yet
    if (!peer.is_occupied()) vacant_from_the_start_ = peer.bits;
  }

  ~Endpoint() override = default;

  // After construction, when there is a shared pointer to keep.
  void start() { add_worker(); }

  const std::string& name() const noexcept { return name_; }

  bool is_master() const noexcept { return is_master_; }

  bool has_peer() {
    const handle::Gate::Visit visit(gate_);
    if (gate_.is_closing()) return false;
    channel_->session().mend_now_and_then();
    return channel_->peer().is_occupied();
  }

  // ---- calls -----------------------------------------------------------------------------------------------------------

  RpcResponse request(std::span<const std::byte> args, Timeout timeout, const std::stop_token& stop) {
    check_size(args.size());
    const handle::Gate::Visit visit(gate_);
    if (gate_.is_closing()) return ended(RpcOutcome::closed);
    if (timeout.is_no_wait()) return forget_about(args);
    const SlotPause pause;

    const core::Deadline deadline(timeout);
    Call call;
    if (!enlist(call)) return ended(RpcOutcome::closed);
    std::optional<std::stop_callback<Canceller>> on_stop;
    if (stop.stop_possible()) on_stop.emplace(stop, Canceller{this, &call});

    bool sent_some = false;
    if (wait_for_peer(call, deadline)) {
      const PacketHeader header = request_header(call, args.size(), 0);
      std::size_t offset = 0;
      const bool whole = send(header, args, offset, &call, [&] { return call.is_done(); }, deadline.at());
      sent_some = offset != 0 || whole;
      if (whole) {
        counters_.writing.requests.add();
        wait_for_reply(call, deadline);
      }
    }
    if (!call.is_done()) give_up(call);
    on_stop.reset();
    count(call.response.outcome, timeout);
    if (sent_some && (call.response.outcome == RpcOutcome::timed_out || call.response.outcome == RpcOutcome::cancelled)) tell_cancelled(call.id, call.peer);
    return std::move(call.response);
  }

  // One of `promise` and `callback` of the call is to be used.
  void request_async(std::shared_ptr<AsyncCall> call, std::span<const std::byte> args, const std::stop_token& stop) {
    check_size(args.size());
    const handle::Gate::Visit visit(gate_);
    if (call->timeout.is_no_wait()) {
      call->response = gate_.is_closing() ? ended(RpcOutcome::closed) : forget_about(args);
      return deliver(*call);
    }
    call->self = call;
    if (gate_.is_closing() || !enlist(*call)) {
      call->self.reset();
      call->response = ended(RpcOutcome::closed);
      return deliver(*call);
    }
    if (stop.stop_possible()) call->on_stop.emplace(stop, std::function<void()>(Canceller{this, call.get()}));
    shorten_sleep();
    if (!send_async_now(*call, args)) {
      std::vector<std::byte> copy(args.begin(), args.end());
      put_into_outbox({{}, std::move(copy), call});
    }
    keep_time_of(call->deadline.at());
  }

  // ---- statistics ------------------------------------------------------------------------------------------------------

  RpcStatistics statistics() {
    RpcStatistics snapshot = counters_.snapshot();
    const std::lock_guard lock(table_);
    snapshot.in_flight = calls_.size();
    snapshot.queue_depth = queued();
    return snapshot;
  }

  void reset_statistics() {
    const handle::Gate::Visit visit(gate_);
    bool locked = false;
    while (!(locked = reading_.try_lock()) && !gate_.is_closing()) std::this_thread::yield();
    counters_.reset();
    if (locked) reading_.unlock();
  }

  // ---- the end ---------------------------------------------------------------------------------------------------------

  // From any thread, user code called by this endpoint included. Every call ends; afterwards nothing is sent or received.
  void close() {
    if (!gate_.shut()) return;
    if (channel_->session().is_inherited()) return;
    reading_.lock();  // for good: the ring's next reader may begin
    channel_->leave();
    end_all_calls(RpcOutcome::closed, "this side was closed");
    stop_handlers([](const Running&) { return true; });
    // Nobody announces itself after the look at `is_closing`.
    wake_all_workers();
  }

  // Not from user code called by this endpoint. Returns when no thread is inside and the segment is let go.
  void finish() {
    const std::lock_guard lock(finish_);
    if (!channel_) return;
    if (channel_->session().is_inherited()) return abandon();  // a forked child: neither threads nor mapping are there
    gate_.wait_until_empty();
    join_workers();
    channel_.reset();
  }

  // From user code called by this endpoint, when nobody will call finish(): the threads keep what they need.
  void abandon() { detach_workers(); }

  bool is_called_from_user_code() const noexcept { return is_worker_of(this); }

 private:
  // ---- calls, registered -------------------------------------------------------------------------------------------------

  struct Canceller {
    Endpoint* endpoint;
    Call* call;
    void operator()() const { endpoint->end(*call, RpcOutcome::cancelled, "cancelled by its stop token"); }
  };

  static RpcResponse ended(RpcOutcome outcome) { return {outcome, {}, core::name_of(outcome)}; }

  void check_size(std::size_t size) const {
    if (size > layout::max_message_size) {
      throw Error(Errc::message_too_large, name_, "a message of " + std::to_string(size) + " bytes; at most 2^31 - 1 are possible");
    }
  }

  // False: closed meanwhile. The call is for the peer that `known_` names, or for nobody yet.
  bool enlist(Call& call) {
    for (;;) {
      const PlaceWord peer = channel_->peer();
      if (peer.bits != known()) check_peer();
      const std::lock_guard lock(table_);
      if (ended_all_) return false;
      if (peer.bits != known()) continue;
      call.peer = peer.is_occupied() ? peer.epoch() : 0;
      calls_.add(call);
      return true;
    }
  }

  // True: this thread ends the call now, and nobody else does. False: it is done when this returns.
  bool take_off(Call& call) {
    for (;;) {
      {
        const std::lock_guard lock(table_);
        if (call.listed && !call.filling) {
          calls_.remove(call);
          return true;
        }
        if (!call.listed && call.is_done()) return false;
      }
      std::this_thread::yield();  // the receiver is copying, or is about to say so
    }
  }

  void end(Call& call, RpcOutcome outcome, const char* why) {
    if (!take_off(call)) return;
    finish(call, outcome, why);
  }

  // Its time is over, or whoever waited in it was turned out because this endpoint closes.
  void give_up(Call& call) {
    if (gate_.is_closing()) return end(call, RpcOutcome::closed, "this side was closed");
    end(call, RpcOutcome::timed_out, "no reply within the time that the call had");
  }

  // After it was taken off the table by this thread.
  void finish(Call& call, RpcOutcome outcome, const char* why) {
    call.response.outcome = outcome;
    call.response.data.clear();
    call.response.error = why;
    mark_done(call);
  }

  void mark_done(Call& call) {
    AsyncCall* const async = call.async;
    const auto alive = async != nullptr ? std::move(async->self) : nullptr;
    // SYNC done: everything in the response comes before. The call may be gone as soon as this is done, if somebody waits in it.
    switch (static_cast<At>(call.word.exchange(static_cast<std::uint32_t>(At::done), std::memory_order_seq_cst))) {
      case At::asleep: park_.wake_all(call.word); break;
      case At::on_ring: wait::wake(channel_->packets(), park_); break;
      case At::on_room: wait::wake(channel_->room(), park_); break;
      default: break;
    }
    if (async == nullptr) return;
    const auto outcome = call.response.outcome;
    count(outcome, async->timeout);
    if (outcome == RpcOutcome::timed_out || outcome == RpcOutcome::cancelled) tell_cancelled(call.id, call.peer);
    deliver(*async);
  }

  // No user code runs here: a future only wakes its owner, a callback is a worker's.
  void deliver(AsyncCall& call) {
    if (!call.callback) return call.promise.set_value(std::move(call.response));
    queue_callback([callback = std::move(call.callback), response = std::make_shared<RpcResponse>(std::move(call.response))] { callback(std::move(*response)); });
  }

  void count(RpcOutcome outcome, Timeout timeout) noexcept {
    switch (outcome) {
      case RpcOutcome::timed_out:
        counters_.calls.timeouts.add();
        counters_.calls.last_timeout.set(timeout.length().count());
        break;
      case RpcOutcome::cancelled: counters_.calls.cancelled.add(); break;
      case RpcOutcome::peer_lost: counters_.calls.peer_lost.add(); break;
      default: break;
    }
  }

  void end_all_calls(RpcOutcome outcome, const char* why) {
    end_calls([](const Call&) { return true; }, outcome, why, true);
  }

  template <class Which>
  void end_calls(Which which, RpcOutcome outcome, const char* why, bool for_good = false) {
    std::vector<Call*> ending;
    {
      const std::lock_guard lock(table_);
      if (for_good) ended_all_ = true;
      calls_.for_each([&](Call& call) {
        if (which(call)) ending.push_back(&call);
      });
      // Nobody fills: that is done under the receiver's lock, which we hold.
      for (Call* call : ending) calls_.remove(*call);
    }
    for (Call* call : ending) finish(*call, outcome, why);
  }

  // The times of calls in which nobody waits.
  void keep_time_of(Clock::time_point at) {
    if (at == Clock::time_point::max()) return;
    const auto ticks = at.time_since_epoch().count();
    auto next = next_time_.load(std::memory_order_relaxed);  // relaxed: whoever is called looks again
    do {
      if (ticks >= next) return;
    } while (!next_time_.compare_exchange_weak(next, ticks, std::memory_order_relaxed));  // relaxed: as above
    call_worker();
  }

  Clock::time_point keep_time() override {
    const auto next = Clock::time_point(Clock::duration(next_time_.load(std::memory_order_relaxed)));  // relaxed: see keep_time_of
    if (next == Clock::time_point::max() || gate_.is_closing()) return Clock::time_point::max();
    const auto now = Clock::now();
    if (now < next) return next;
    next_time_.store(Clock::time_point::max().time_since_epoch().count(), std::memory_order_seq_cst);  // SYNC time: before the walk
    auto earliest = Clock::time_point::max();
    std::vector<std::shared_ptr<AsyncCall>> over;
    {
      const std::lock_guard lock(table_);
      calls_.for_each([&](Call& call) {
        if (call.async == nullptr) return;
        if (call.async->deadline.passed(now)) {
          over.push_back(call.async->self);
        } else {
          earliest = std::min(earliest, call.async->deadline.at());
        }
      });
    }
    for (const auto& call : over) give_up(*call);
    // SYNC time: whoever put an earlier one meanwhile has called a worker.
    auto seen = next_time_.load(std::memory_order_seq_cst);
    const auto ticks = earliest.time_since_epoch().count();
    while (ticks < seen && !next_time_.compare_exchange_weak(seen, ticks, std::memory_order_seq_cst)) {  // SYNC time
    }
    return std::min(earliest, Clock::time_point(Clock::duration(seen)));
  }

  // ---- sending -----------------------------------------------------------------------------------------------------------

  PacketHeader request_header(const Call& call, std::size_t size, std::uint8_t flags) const noexcept {
    return header(PacketType::request, RpcOutcome::ok, flags, call.peer, call.id, size);
  }

  PacketHeader header(PacketType type, RpcOutcome outcome, std::uint8_t flags, std::uint32_t to, std::uint64_t id, std::size_t size) const noexcept {
    PacketHeader h{};
    h.type = static_cast<std::uint8_t>(type);
    h.outcome = static_cast<std::uint8_t>(outcome);
    h.flags = flags;
    h.from = channel_->epoch();
    h.to = to;
    h.total = static_cast<std::uint32_t>(size);
    h.id = id;
    return h;
  }

  // From `offset` on, which moves with what was sent. False: given up, or out of time.
  template <class GiveUp>
  bool send(PacketHeader header, std::span<const std::byte> payload, std::size_t& offset, Call* call, GiveUp give_up, Clock::time_point until) {
    do {
      auto claimed = channel_->out().claim_once();
      if (claimed.status != Status::ok) [[unlikely]] {
        const auto start = Clock::now();
        const bool found = wait_for_room(claimed, call, give_up, until);
        counters_.writing.max_wait.raise((Clock::now() - start).count());
        if (!found) return false;
      }
      write_packet(claimed.ticket, header, payload, offset);
    } while (offset < payload.size());
    finished_message(payload.size());
    return true;
  }

  void write_packet(handle::Ticket ticket, PacketHeader& header, std::span<const std::byte> payload, std::size_t& offset) {
    const std::size_t size = std::min(slice_size_, payload.size() - offset);
    header.offset = static_cast<std::uint32_t>(offset);
    std::byte* const to = channel_->out().room(ticket).data();
    std::memcpy(to, &header, sizeof header);
    if (size != 0) std::memcpy(to + sizeof header, payload.data() + offset, size);
    // Closed only by a ring of its own: never here.
    static_cast<void>(channel_->out().publish(ticket, sizeof header + size));
    offset += size;
    counters_.writing.packets.add();
    counters_.writing.bytes.add(size);
    counters_.writing.last_packet.set(static_cast<std::int64_t>(size));
    counters_.writing.max_packet.raise(static_cast<std::int64_t>(size));
  }

  void finished_message(std::size_t size) noexcept {
    counters_.writing.last_message.set(static_cast<std::int64_t>(size));
    counters_.writing.max_wait.raise(0);
  }

  // All packets or none, without waiting.
  bool send_if_it_fits(PacketHeader header, std::span<const std::byte> payload) {
    const std::size_t packets = payload.empty() ? 1 : (payload.size() + slice_size_ - 1) / slice_size_;
    if (packets > channel_->node_count()) return false;
    std::vector<handle::Ticket> tickets;
    if (packets > 1) tickets.reserve(packets);
    handle::Ticket first{};
    for (std::size_t i = 0; i < packets; ++i) {
      const auto claimed = channel_->out().claim_once();
      if (claimed.status != Status::ok) {
        for (const auto ticket : tickets) channel_->out().abandon(ticket);
        return false;
      }
      if (packets > 1) {
        tickets.push_back(claimed.ticket);
      } else {
        first = claimed.ticket;
      }
    }
    std::size_t offset = 0;
    if (packets == 1) {
      write_packet(first, header, payload, offset);
    } else {
      for (const auto ticket : tickets) write_packet(ticket, header, payload, offset);
    }
    finished_message(payload.size());
    return true;
  }

  // S1's fire and forget.
  RpcResponse forget_about(std::span<const std::byte> args) {
    const PlaceWord peer = channel_->peer();
    if (peer.bits != known()) check_peer();
    if (!peer.is_occupied()) return ended(outcome_of_vacancy(peer));
    std::uint64_t id = 0;
    {
      const std::lock_guard lock(table_);
      id = calls_.take_id();
    }
    if (send_if_it_fits(header(PacketType::request, RpcOutcome::ok, layout::packet_forgotten, peer.epoch(), id, args.size()), args)) counters_.writing.requests.add();
    return ended(RpcOutcome::timed_out);
  }

  bool send_async_now(AsyncCall& call, std::span<const std::byte> args) {
    if (call.is_done()) return true;
    if (call.peer == 0) return false;
    {
      const std::lock_guard lock(outbox_mutex_);
      if (!outbox_.empty() || outbox_sender_) return false;  // not before those that wait
    }
    if (!send_if_it_fits(request_header(call, args.size(), 0), args)) return false;
    counters_.writing.requests.add();
    return true;
  }

  struct Outgoing {
    PacketHeader header;
    std::vector<std::byte> payload;
    std::shared_ptr<AsyncCall> call;  // or nothing, and the header is complete
  };

  void put_into_outbox(Outgoing&& one) {
    {
      const std::lock_guard lock(outbox_mutex_);
      outbox_.push_back(std::move(one));
      if (outbox_sender_) return;
      outbox_sender_ = true;
    }
    queue_task([this] { empty_outbox(); });
  }

  // A worker, one at a time.
  void empty_outbox() {
    for (;;) {
      Outgoing one;
      {
        const std::lock_guard lock(outbox_mutex_);
        if (outbox_.empty()) {
          outbox_sender_ = false;
          return;
        }
        one = std::move(outbox_.front());
        outbox_.pop_front();
      }
      if (gate_.is_closing()) continue;
      std::size_t offset = 0;
      if (!one.call) {
        const auto to = one.header.to;
        if (send(one.header, one.payload, offset, nullptr, [&] { return is_gone(to); }, Clock::time_point::max())) count_sent(one.header);
        continue;
      }
      AsyncCall& call = *one.call;
      if (!wait_for_peer(call, call.deadline)) continue;
      const PacketHeader header = request_header(call, one.payload.size(), 0);
      if (send(header, one.payload, offset, nullptr, [&] { return call.is_done(); }, call.deadline.at())) {
        counters_.writing.requests.add();
      } else if (offset != 0) {
        give_up(call);
        tell_cancelled(header.id, header.to);  // after the last packet: the other side forgets its half
      }
    }
  }

  void count_sent(const PacketHeader& header) noexcept {
    if (header.type == static_cast<std::uint8_t>(PacketType::cancel)) {
      counters_.writing.cancels.add();
    } else if (header.type == static_cast<std::uint8_t>(PacketType::reply)) {
      (header.outcome == static_cast<std::uint8_t>(RpcOutcome::ok) ? counters_.writing.responses : counters_.writing.errors).add();
    }
  }

  // At once or later, never waiting here.
  void send_now_or_later(const PacketHeader& header, std::string_view text) {
    const auto payload = std::as_bytes(std::span(text));
    if (send_if_it_fits(header, payload)) return count_sent(header);
    put_into_outbox({header, {payload.begin(), payload.end()}, nullptr});
  }

  void tell_cancelled(std::uint64_t id, std::uint32_t peer) {
    if (peer == 0 || gate_.is_closing() || is_gone(peer)) return;
    // Not a message: it is counted on its own.
    const PacketHeader packet = header(PacketType::cancel, RpcOutcome::ok, 0, peer, id, 0);
    const auto claimed = channel_->out().claim_once();
    if (claimed.status != Status::ok) return put_into_outbox({packet, {}, nullptr});
    std::memcpy(channel_->out().room(claimed.ticket).data(), &packet, sizeof packet);
    static_cast<void>(channel_->out().publish(claimed.ticket, sizeof packet));
    counters_.writing.cancels.add();
  }

  // ---- receiving: with `reading_` held, except poll() and check_peer() ---------------------------------------------------

  // True: something was there. `me`: a worker that may keep a request to serve it itself.
  bool poll(Worker* me) {
    if (!channel_->in().may_have_message() || !reading_.try_lock()) return false;
    bool queued_some = false;
    constexpr int most_at_once = 64;
    for (int i = 0; i < most_at_once && receive(me, queued_some); ++i) {
    }
    reading_.unlock();
    if (queued_some && me == nullptr) call_worker();  // a worker does it itself
    return true;
  }

  // False: nothing to take, or the worker has its request.
  bool receive(Worker* me, bool& queued_some) {
    if (me != nullptr && me->has_mine) return false;
    handle::RingEnd& in = channel_->in();
    const auto taken = in.take_once();
    if (taken.status != Status::ok) return false;
    try {
      const auto packet = parse(in.message(taken.ticket), slice_size_);
      if (packet) {
        accept(*packet, me, queued_some);
      } else {
        counters_.reading.broken.add_alone();
      }
    } catch (const Error&) {
      counters_.reading.broken.add_alone();  // longer than a node: it is released already
      return true;
    } catch (const std::bad_alloc&) {
      counters_.reading.broken.add_alone();
    }
    in.release(taken.ticket);
    return true;
  }

  void accept(const Packet& packet, Worker* me, bool& queued_some) {
    const PacketHeader& header = packet.header;
    if (header.from != PlaceWord{known()}.epoch()) [[unlikely]] {
      // The first of a new life comes after the last of the old one.
      const PlaceWord peer = channel_->peer();
      if (peer.bits != known()) meet(peer);
    }
    if (header.to != channel_->epoch() || header.from != PlaceWord{known()}.epoch()) return counters_.reading.stale.add_alone();
    if (packet.type() == PacketType::cancel) {
      counters_.reading.cancels.add_alone();
      return forget_request(header.id);
    }
    const auto size = static_cast<std::int64_t>(packet.slice.size());
    counters_.reading.packets.add_alone();
    counters_.reading.bytes.add_alone(packet.slice.size());
    counters_.reading.last_packet.set(size);
    if (size > counters_.reading.max_packet.get()) counters_.reading.max_packet.set(size);
    if (packet.type() == PacketType::reply) {
      accept_reply(packet);
    } else {
      accept_request(packet, me, queued_some);
    }
  }

  void accept_request(const Packet& packet, Worker* me, bool& queued_some) {
    const PacketHeader& header = packet.header;
    Bytes* whole = &spare_;
    if (packet.is_whole_message()) {
      if (me != nullptr && handler_ && me->mine.payload.capacity() <= greatest_spare) whole = &me->mine.payload;
      whole->start(packet.slice.size());
      whole->append(packet.slice);
    } else {
      switch (halves_.add(packet, spare_)) {
        case Reassembly::Added::more_to_come: return;
        case Reassembly::Added::broken: return counters_.reading.broken.add_alone();
        case Reassembly::Added::complete: break;
      }
    }
    counters_.reading.requests.add_alone();
    counters_.reading.last_message.set(header.total);
    if (!handler_) return send_now_or_later(this->header(PacketType::reply, RpcOutcome::no_handler, 0, header.from, header.id, no_handler_text.size()), no_handler_text);

    if (me != nullptr && try_keep()) {
      me->has_mine = true;
      me->mine.id = header.id;
      me->mine.from = header.from;
      me->mine.forgotten = (header.flags & layout::packet_forgotten) != 0;
      if (whole == &spare_) std::swap(me->mine.payload, spare_);  // what it had before is the next one's memory
      return;
    }
    Request request;
    request.id = header.id;
    request.from = header.from;
    request.forgotten = (header.flags & layout::packet_forgotten) != 0;
    request.payload = std::move(*whole);
    *whole = {};
    queue(std::move(request));
    queued_some = true;
  }

  void accept_reply(const Packet& packet) {
    const PacketHeader& header = packet.header;
    Call* call = nullptr;
    const bool whole = packet.is_whole_message();
    {
      const std::lock_guard lock(table_);
      call = calls_.find(header.id);
      if (call != nullptr && call->peer != header.from) call = nullptr;
      if (call != nullptr && whole) {
        calls_.remove(*call);
      } else if (call != nullptr) {
        if (filled_of(*call, header) != header.offset) {
          counters_.reading.broken.add_alone();
          return;
        }
        call->filling = true;
      }
    }
    if (call == nullptr) {
      if (!packet.is_last()) return;
      counters_.reading.discarded.add_alone();
      counters_.reading.last_discarded.set(header.id);
      return;
    }
    append(call->response, packet);
    if (!whole) {
      const std::lock_guard lock(table_);
      call->filling = false;
      if (!packet.is_last()) return;
      calls_.remove(*call);
    }
    counters_.reading.last_message.set(header.total);
    (packet.outcome() == RpcOutcome::ok ? counters_.reading.responses : counters_.reading.errors).add_alone();
    call->response.outcome = packet.outcome();
    mark_done(*call);
  }

  // What has come of this reply; a wrong number where the packet contradicts it.
  static std::size_t filled_of(const Call& call, const PacketHeader& header) noexcept {
    const bool is_data = header.outcome == static_cast<std::uint8_t>(RpcOutcome::ok);
    return is_data ? call.response.data.size() : call.response.error.size();
  }

  static void append(RpcResponse& response, const Packet& packet) {
    if (packet.outcome() == RpcOutcome::ok) {
      if (response.data.capacity() < packet.header.total) response.data.reserve(packet.header.total);
      response.data.insert(response.data.end(), packet.slice.begin(), packet.slice.end());
    } else {
      response.error.append(reinterpret_cast<const char*>(packet.slice.data()), packet.slice.size());
    }
  }

  // The caller has given it up.
  void forget_request(std::uint64_t id) {
    if (halves_.forget(id)) return;
    forget_requests([id](const Request& request) { return request.id == id; });
    stop_handlers_later([id](const Running& running) { return running.id == id; });
  }

  // ---- the peer --------------------------------------------------------------------------------------------------------------

  // relaxed: changed under the receiver's and the table's lock, and looked at again under one of them where it matters
  std::uint64_t known() const noexcept { return known_.load(std::memory_order_relaxed); }

  bool is_gone(std::uint32_t epoch) const noexcept {
    const PlaceWord peer = channel_->peer();
    return gate_.is_closing() || !peer.is_occupied() || peer.epoch() != epoch;
  }

  // Has the peer come or gone? Where another thread is receiving, it will be looked at again.
  void check_peer() {
    if (channel_->peer().bits == known() || !reading_.try_lock()) return;
    bool queued_some = false;
    const PlaceWord peer = channel_->peer();
    // All that the old life has published is in the ring by now. No request is kept: it could be a dead caller's.
    while (receive(nullptr, queued_some)) {
    }
    if (peer.bits != known()) meet(peer);
    reading_.unlock();
    if (queued_some) call_worker();
  }

  // With `reading_` held: the peer's place has changed.
  void meet(PlaceWord peer) {
    const PlaceWord old{known()};
    {
      const std::lock_guard lock(table_);
      known_.store(peer.bits, std::memory_order_relaxed);  // relaxed: see known()
    }
    if (old.is_occupied()) {
      halves_.clear();
      forget_requests([&](const Request& request) { return request.from == old.epoch() && !request.forgotten; });
      stop_handlers_later([&](const Running& running) { return running.from == old.epoch(); });
      const auto outcome = outcome_of_life(old.epoch(), peer);
      end_calls([&](const Call& call) { return call.peer == old.epoch(); }, outcome,
                outcome == RpcOutcome::closed ? "the other side was closed" : "the other side's process died");
    }
    if (peer.is_occupied()) wake_those_without_peer();
    if (!peer.is_occupied() && peer.bits != vacant_from_the_start_) {
      const auto outcome = outcome_of_vacancy(peer);
      end_calls([&](const Call& call) { return call.peer == 0; }, outcome, core::name_of(outcome));
    }
  }

  static RpcOutcome outcome_of_life(std::uint32_t epoch, PlaceWord now) noexcept {
    const PlaceState end = now.epoch() == epoch ? now.state() : now.epoch() == epoch + 1 ? now.before() : PlaceState::lost;
    return end == PlaceState::closed ? RpcOutcome::closed : RpcOutcome::peer_lost;
  }

  RpcOutcome outcome_of_vacancy(PlaceWord peer) const noexcept {
    if (peer.bits == vacant_from_the_start_) return RpcOutcome::timed_out;
    return peer.state() == PlaceState::closed ? RpcOutcome::closed : RpcOutcome::peer_lost;
  }

  void wake_those_without_peer() {
    const std::lock_guard lock(table_);
    calls_.for_each([&](Call& call) {
      if (call.peer == 0 && call.unsettle(At::asleep)) park_.wake_all(call.word);
    });
  }

  // True: the call has a peer. False: it is done, or its time is over.
  bool wait_for_peer(Call& call, const core::Deadline& deadline) {
    if (call.peer != 0) [[likely]] return true;
    bool has_peer = false;
    wait_attending(call, deadline, [&] {
      if (call.is_done()) return true;
      const PlaceWord peer = channel_->peer();
      if (!peer.is_occupied() && peer.bits == vacant_from_the_start_) return false;
      if (peer.bits != known()) check_peer();
      if (!peer.is_occupied()) {
        end(call, outcome_of_vacancy(peer), core::name_of(outcome_of_vacancy(peer)));
        return true;
      }
      const std::lock_guard lock(table_);
      if (!call.listed || peer.bits != known()) return false;
      call.peer = peer.epoch();
      return has_peer = true;
    });
    return has_peer;
  }

  // ---- waiting -----------------------------------------------------------------------------------------------------------------

  void wait_for_reply(Call& call, const core::Deadline& deadline) {
    const auto start = Clock::now();
    wait_attending(call, deadline, [&] { return call.is_done(); });
    counters_.calls.max_wait.raise((Clock::now() - start).count());
  }

  // Until `finished()` or the deadline. Receives for everybody.
  template <class Finished>
  void wait_attending(Call& call, const core::Deadline& deadline, Finished finished) {
    begin_attending();
    auto now = Clock::now();
    auto spin_end = now + spin_;
    auto slice_end = now + wait::slice;
    for (;;) {
      do {
        for (int tries = 0; tries < 32; ++tries) {
          if (finished()) return stop_attending();
          if (!poll(nullptr)) platform::pause();
        }
        let_others_run();
        now = Clock::now();
        if (now >= slice_end) slice_end = after_slice(now);
      } while ((now < spin_end || !parks_) && !deadline.passed(now));

      bool woken = true;
      if (!deadline.passed(now)) {
        woken = sleep_as_caller(call, deadline.left(now, wait::slice), finished);
        now = Clock::now();
      }
      if (!woken || now >= slice_end) slice_end = after_slice(now);
      if (channel_->peer().bits != known()) check_peer();
      if (finished()) return stop_attending();
      if (deadline.passed(now)) return stop_attending();
      spin_end = woken ? now + spin_ : now;
    }
  }

  template <class Finished>
  bool sleep_as_caller(Call& call, std::chrono::nanoseconds length, Finished finished) {
    bool woken = true;
    // SYNC sleeper: seq_cst, as the count of those who sleep on words of their own.
    if (!ring_sleeper_.exchange(true, std::memory_order_seq_cst)) {
      if (call.settle(At::on_ring)) {
        const std::uint32_t announced = wait::announce(channel_->packets());
        if (!finished() && !channel_->in().may_have_message() && channel_->peer().bits == known()) {
          segment::Session::count(channel_->session().line().waits);
          woken = park_.sleep(channel_->packets(), announced, length);
        }
        call.unsettle(At::on_ring);
      }
      ring_sleeper_.store(false, std::memory_order_seq_cst);  // SYNC sleeper
      return woken;
    }
    followers_.fetch_add(1, std::memory_order_seq_cst);  // SYNC sleeper: before the look at the attenders
    end_attending();
    if (call.settle(At::asleep)) {
      // SYNC sleeper: whoever leaves the ring looks at the count of followers afterwards.
      if (attenders() != 0 && !finished()) woken = park_.sleep(call.word, static_cast<std::uint32_t>(At::asleep), length);
      call.unsettle(At::asleep);
    }
    begin_attending();
    followers_.fetch_sub(1, std::memory_order_seq_cst);  // SYNC sleeper
    return woken;
  }

  void stop_attending() {
    if (!end_attending() || gate_.is_closing()) return;
    // SYNC sleeper: after the departure
    if (followers_.load(std::memory_order_seq_cst) == 0 || !wake_a_follower()) provide_attendance(false);
  }

  bool wake_a_follower() {
    const std::lock_guard lock(table_);
    bool woken = false;
    calls_.for_each([&](Call& call) {
      if (woken || !call.unsettle(At::asleep)) return;
      park_.wake_all(call.word);  // it is on the table and we hold the lock: it is there
      woken = true;
    });
    return woken;
  }

  // Several of us may spin on fewer processors: whoever could answer must get one.
  void let_others_run() const noexcept {
    if (attenders() > 1) std::this_thread::yield();
  }

  Clock::time_point after_slice(Clock::time_point now) {
    channel_->session().mend_dead();
    if (channel_->peer().bits != known()) check_peer();
    return now + wait::slice;
  }

  // The outgoing ring is full: receives while it spins, and sees to it that others do before it sleeps.
  template <class GiveUp>
  bool wait_for_room(handle::Claimed& claimed, Call* call, GiveUp give_up, Clock::time_point until) {
    auto now = Clock::now();
    auto spin_end = now + spin_;
    auto slice_end = now + wait::slice;
    handle::RingEnd& out = channel_->out();
    const auto try_claim = [&] {
      claimed = out.claim_once();
      return claimed.status == Status::ok;
    };
    for (;;) {
      begin_attending();
      do {
        for (int tries = 0; tries < 32; ++tries) {
          if (give_up() || gate_.is_closing()) return stop_attending(), false;
          if (try_claim()) return stop_attending(), true;
          if (!poll(nullptr)) platform::pause();
        }
        let_others_run();
        now = Clock::now();
        if (now >= slice_end) slice_end = after_slice(now);
      } while ((now < spin_end || !parks_) && now < until);
      if (end_attending() && !(followers_.load(std::memory_order_seq_cst) != 0 && wake_a_follower())) provide_attendance(true);  // SYNC sleeper

      bool woken = true;
      if (now < until && (call == nullptr || call->settle(At::on_room))) {
        const std::uint32_t announced = wait::announce(channel_->room());
        const bool done = give_up() || gate_.is_closing();
        const bool found = !done && try_claim();
        if (!done && !found) {
          segment::Session::count(channel_->session().line().waits);
          const auto left = std::min<Clock::duration>(until - now, wait::slice);
          woken = park_.sleep(channel_->room(), announced, left);
        }
        if (call != nullptr) call->unsettle(At::on_room);
        if (done) return false;
        if (found) return true;
        now = Clock::now();
      }
      if (!woken || now >= slice_end) slice_end = after_slice(now);
      if (channel_->peer().bits != known()) check_peer();
      if (try_claim()) return true;
      if (give_up() || now >= until) return false;
      spin_end = woken ? now + spin_ : now;
    }
  }

  // ---- the crew's work ---------------------------------------------------------------------------------------------------------

  void attend(Worker& me) override {
    if (!begin_attending_alone()) return;
    worker_attends_.store(true, std::memory_order_seq_cst);  // SYNC work: before the look at the queues
    const auto finished = [&] { return me.has_mine || has_work() || gate_.is_closing() || attenders() > 1; };
    auto now = Clock::now();
    auto spin_end = now + spin_;
    auto slice_end = now + wait::slice;
    while (!finished()) {
      for (int tries = 0; tries < 32 && !finished(); ++tries) {
        if (!poll(&me)) {
          platform::pause();
        } else {
          spin_end = Clock::time_point::max();
        }
      }
      if (finished()) break;
      now = Clock::now();
      if (spin_end == Clock::time_point::max()) spin_end = now + spin_;
      if (now >= slice_end) slice_end = after_slice(now);
      if (now < spin_end || !parks_) continue;

      const auto next = keep_time();
      auto length = sleep_length();
      if (next != Clock::time_point::max()) length = std::clamp<std::chrono::nanoseconds>(next - now, std::chrono::microseconds(1), length);
      const std::uint32_t announced = wait::announce(channel_->packets());
      if (finished()) break;
      if (channel_->in().may_have_message()) continue;
      if (channel_->peer().bits != known()) {
        check_peer();
        continue;
      }
      segment::Session::count(channel_->session().line().waits);
      const bool woken = park_.sleep(channel_->packets(), announced, length);
      now = Clock::now();
      sleeps_long_.store(false, std::memory_order_relaxed);  // relaxed: at worst one needless wake
      if (woken) {
        spin_end = now + spin_;
      } else {
        slice_end = after_slice(now);
      }
    }
    worker_attends_.store(false, std::memory_order_seq_cst);  // SYNC work
    end_attending();
  }

  // With nothing that a death could end, nobody need ask for it often.
  std::chrono::nanoseconds sleep_length() {
    // SYNC idle: before the look; whoever begins something looks here afterwards.
    sleeps_long_.store(true, std::memory_order_seq_cst);
    bool nothing_to_end = false;
    {
      const std::scoped_lock lock(table_, running_mutex_);
      nothing_to_end = calls_.size() == 0 && running_handlers_.empty();
    }
    if (nothing_to_end) return 10 * wait::slice;
    sleeps_long_.store(false, std::memory_order_relaxed);  // relaxed: as above
    return wait::slice;
  }
  void shorten_sleep() noexcept {
    // SYNC idle: after the call or handler was put on its list
    if (sleeps_long_.load(std::memory_order_seq_cst)) [[unlikely]] wake_attender();
  }

  void serve(Request& request) override {
    // A caller that is gone is not served.
    if (!request.forgotten && is_gone(request.from)) return;
    std::stop_source stop{std::nostopstate};
    const bool stoppable = handler_.wants_stop() && begin_running(request, stop);
    const SlotScope slot(*this);
    const auto start = Clock::now();
    const auto send_result = [&](std::span<const std::byte> bytes) {
      if (bytes.size() > layout::max_message_size) {
        throw Error(Errc::message_too_large, name_, "the handler returned " + std::to_string(bytes.size()) + " bytes; at most 2^31 - 1 are possible");
      }
      reply(request, RpcOutcome::ok, bytes);
    };
    std::optional<std::string> failure;
    try {
      handler_(request.id, request.payload.view(), stop.get_token(), ReplyTo(send_result));
    } catch (const std::exception& error) {
      failure = error.what();
    } catch (...) {
      failure = "an exception that is not a std::exception";
    }
    if (stoppable) end_running(request);
    if (failure) reply(request, RpcOutcome::handler_failed, std::as_bytes(std::span(*failure)));
    after_user_code(Clock::now() - start);
    if (request.payload.capacity() > greatest_spare) request.payload = {};
  }

  void reply(const Request& request, RpcOutcome outcome, std::span<const std::byte> bytes) {
    const PacketHeader header = this->header(PacketType::reply, outcome, 0, request.from, request.id, bytes.size());
    std::size_t offset = 0;
    if (is_gone(request.from)) return;
    if (send(header, bytes, offset, nullptr, [&] { return is_gone(request.from); }, Clock::time_point::max())) count_sent(header);
  }

  std::uint64_t progress() const noexcept override { return counters_.reading.packets.get(); }
  void wake_attender() noexcept override { wait::wake(channel_->packets(), park_); }
  bool is_closing() const noexcept override { return gate_.is_closing(); }
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }

  // The slot of the handler that this thread runs. A call that waits gives it back meanwhile.
  struct SlotScope {
    explicit SlotScope(Endpoint& owner) noexcept : outer(held()) { held() = &owner; }
    ~SlotScope() { held() = outer; }
    SlotScope(const SlotScope&) = delete;
    SlotScope& operator=(const SlotScope&) = delete;
    static Endpoint*& held() noexcept {
      static thread_local Endpoint* endpoint = nullptr;
      return endpoint;
    }
    Endpoint* outer;
  };
  struct SlotPause {
    SlotPause() : owner(SlotScope::held()) {
      if (owner == nullptr) return;
      owner->give_slot_back();
      if (owner->queued() != 0) owner->call_worker();
    }
    ~SlotPause() {
      if (owner != nullptr) owner->retake_slot();
    }
    SlotPause(const SlotPause&) = delete;
    SlotPause& operator=(const SlotPause&) = delete;
    Endpoint* owner;
  };

  // ---- stop tokens of running handlers ---------------------------------------------------------------------------------------------

  struct Running {
    std::uint64_t id;
    std::uint32_t from;
    bool forgotten;
    std::stop_source stop;
  };

  bool begin_running(const Request& request, std::stop_source& stop) {
    stop = std::stop_source();
    {
      const std::lock_guard lock(running_mutex_);
      running_handlers_.push_back({request.id, request.from, request.forgotten, stop});
    }
    shorten_sleep();
    return true;
  }

  void end_running(const Request& request) {
    const std::lock_guard lock(running_mutex_);
    std::erase_if(running_handlers_, [&](const Running& one) { return one.id == request.id && one.from == request.from; });
  }

  // On this thread, which runs user code then.
  template <class Which>
  void stop_handlers(Which which) {
    for (auto& stop : stops_of(which)) stop.request_stop();
  }

  template <class Which>
  void stop_handlers_later(Which which) {
    auto stops = stops_of([&](const Running& running) { return !running.forgotten && which(running); });
    if (stops.empty()) return;
    queue_task([stops = std::move(stops)] {
      for (auto stop : stops) stop.request_stop();
    });
  }

  template <class Which>
  std::vector<std::stop_source> stops_of(Which which) {
    std::vector<std::stop_source> stops;
    const std::lock_guard lock(running_mutex_);
    for (const Running& running : running_handlers_) {
      if (which(running)) stops.push_back(running.stop);
    }
    return stops;
  }

  static constexpr std::string_view no_handler_text = "the other side has no handler";
  static constexpr std::size_t greatest_spare = std::size_t{8} << 20;  // memory kept for the next request

  const std::string name_;
  const Handler handler_;
  const std::chrono::nanoseconds spin_;
  const bool parks_;
  platform::Park park_;
  handle::Gate gate_;
  std::mutex finish_;
  std::unique_ptr<Channel> channel_;
  const std::size_t slice_size_;
  const bool is_master_;

  alignas(64) TryLock reading_;
  Reassembly halves_;  // under `reading_`, as the next one
  Bytes spare_;

  alignas(64) std::atomic<std::uint64_t> known_{0};
  std::uint64_t vacant_from_the_start_ = ~std::uint64_t{0};

  alignas(64) std::atomic<bool> ring_sleeper_{false};
  std::atomic<bool> sleeps_long_{false};
  std::atomic<std::uint32_t> followers_{0};
  std::atomic<Clock::rep> next_time_{Clock::time_point::max().time_since_epoch().count()};

  alignas(64) std::mutex table_;
  PendingCalls calls_;
  bool ended_all_ = false;

  std::mutex outbox_mutex_;
  std::deque<Outgoing> outbox_;
  bool outbox_sender_ = false;

  std::mutex running_mutex_;
  std::vector<Running> running_handlers_;

  Counters counters_;
};

}  // namespace strait::rpc
