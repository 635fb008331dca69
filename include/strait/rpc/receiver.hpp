#pragma once
// What comes in. The incoming ring has one reader, and that is whoever holds `reading`, tried and never waited for: every thread
// that waits for something of this endpoint looks at the ring while it does, takes what is there for everybody, and lets go. Whoever
// receives runs no user code and waits for nothing while it holds the lock: replies end calls; requests are copied out and
// queued, or kept, by a worker that serves the request itself after it has let go; what must be answered goes out at once or to an
// outbox.
//
// The peer comes and goes. When its place has changed, the ring is first drained of all that the old life had published, then
// the calls of the old life end.

#include <strait/core/error.hpp>
#include <strait/handle/ring_end.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/rpc_packet.hpp>
#include <strait/rpc/bytes.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/call_table.hpp>
#include <strait/rpc/context.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/packet.hpp>
#include <strait/rpc/reassembly.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/running.hpp>
#include <strait/rpc/sender.hpp>
#include <strait/rpc/verdicts.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

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

class Receiver {
 public:
  Receiver(Context& context, CallTable& table, Sender& sender, Verdicts& verdicts, Crew& crew, RunningHandlers& running, bool has_handler)
      : context_(context), table_(table), sender_(sender), verdicts_(verdicts), crew_(crew), running_(running), counters_(context.counters.reading), has_handler_(has_handler) {}

  // True: something was there. `me`: a worker that may keep a request to serve it itself.
  bool poll(Worker* me) {
    if (!context_.channel().in().may_have_message() || !reading_.try_lock()) return false;
    bool queued_some = false;
    constexpr int most_at_once = 64;
    for (int i = 0; i < most_at_once && receive(me, queued_some); ++i) {
    }
    reading_.unlock();
    if (queued_some && me == nullptr) crew_.call_worker();  // a worker does it itself
    return true;
  }

  bool peer_has_changed() const noexcept { return context_.hold->peer() != table_.known(); }

  // Has the peer come or gone? Where another thread is receiving, it will be looked at again.
  void check_peer() {
    if (!peer_has_changed() || !reading_.try_lock()) return;
    bool queued_some = false;
    const PlaceWord peer = context_.hold->peer();
    // All that the old life has published is in the ring by now; more than the ring holds is the new one's, and is not waited for.
    // No request is kept: it could be a dead caller's.
    for (auto left = context_.channel().node_count(); left != 0 && receive(nullptr, queued_some); --left) {
    }
    if (peer != table_.known()) meet(peer);
    reading_.unlock();
    if (queued_some) crew_.call_worker();
  }

  TryLock& reading() noexcept { return reading_; }

 private:
  // ---- with `reading_` held ------------------------------------------------------------------------------------------------

  // False: nothing to take, or the worker has its request.
  bool receive(Worker* me, bool& queued_some) {
    if (me != nullptr && me->has_mine) return false;
    handle::RingEnd& in = context_.channel().in();
    const auto taken = in.take_once();
    if (taken.status != Status::ok) return false;
    try {
      const auto packet = parse(in.message(taken.ticket), context_.slice_size);
      if (packet) {
        accept(*packet, me, queued_some);
      } else {
        counters_.broken.add_alone();
      }
    } catch (const Error&) {
      counters_.broken.add_alone();  // longer than a node: it is released already
      return true;
    } catch (const std::bad_alloc&) {
      counters_.broken.add_alone();
    }
    in.release(taken.ticket);
    return true;
  }

  void accept(const Packet& packet, Worker* me, bool& queued_some) {
    const PacketHeader& header = packet.header;
    // The first of a new life comes after the last of the old one.
    if (header.from != table_.known().epoch() && peer_has_changed()) [[unlikely]] meet(context_.hold->peer());
    if (header.to != context_.hold->epoch() || header.from != table_.known().epoch()) return counters_.stale.add_alone();
    if (packet.type() == PacketType::cancel) {
      counters_.cancels.add_alone();
      return forget_request(header);
    }
    const auto size = static_cast<std::int64_t>(packet.slice.size());
    counters_.packets.add_alone();
    counters_.bytes.add_alone(packet.slice.size());
    counters_.last_packet.set(size);
    if (size > counters_.max_packet.get()) counters_.max_packet.set(size);
    if (packet.type() == PacketType::reply) {
      accept_reply(packet);
    } else {
      try {
        accept_request(packet, me, queued_some);
      } catch (const std::bad_alloc&) {
        halves_.forget(header.id);
        verdicts_.send_note(sender_.reply(RpcOutcome::handler_failed, header.from, header.id, text_bytes(no_memory_text)));
      }
    }
  }

  // ---- requests --------------------------------------------------------------------------------------------------------------

  void accept_request(const Packet& packet, Worker* me, bool& queued_some) {
    const PacketHeader& header = packet.header;
    Bytes* whole = &spare_;
    if (packet.is_whole_message()) {
      if (me != nullptr && me->mine.payload.capacity() <= Work::greatest_spare) whole = &me->mine.payload;
      whole->start(packet.slice.size());
      whole->append(packet.slice);
    } else {
      switch (halves_.add(packet, spare_)) {
        case Reassembly::Added::more_to_come: return;
        case Reassembly::Added::unknown: return counters_.stale.add_alone();
        case Reassembly::Added::broken: return counters_.broken.add_alone();
        case Reassembly::Added::complete: break;
      }
    }
    counters_.requests.add_alone();
    counters_.last_message.set(header.total);
    if (!has_handler_) return verdicts_.send_note(sender_.reply(RpcOutcome::no_handler, header.from, header.id, text_bytes(no_handler_text)));

    const bool forgotten = (header.flags & layout::packet_forgotten) != 0;
    if (me != nullptr && crew_.work().try_keep()) {
      if (whole == &spare_) std::swap(me->mine.payload, spare_);  // what it had before is the next one's memory
      me->mine.id = header.id;
      me->mine.from = header.from;
      me->mine.forgotten = forgotten;
      crew_.begin(me->mine);  // under `reading_`: a cancel that comes after it finds it begun
      me->has_mine = true;
      return;
    }
    if (crew_.work().requests_waiting() >= Work::most_of_a_deaf_peer) return counters_.broken.add_alone();
    Bytes next = crew_.work().add({header.id, header.from, forgotten, std::move(*whole)}, [this](bool full) { context_.channel().tell_full(full); });
    *whole = std::move(next);
    queued_some = true;
  }

  // The caller has given it up.
  void forget_request(const PacketHeader& header) {
    if (halves_.forget(header.id)) return;
    const auto is_it = [id = header.id, from = header.from](const auto& one) { return one.id == id && one.from == from; };
    forget_requests(is_it);
    stop_handlers(is_it);
  }

  template <class Which>
  void forget_requests(Which which) {
    crew_.work().forget_requests(which, [this](bool full) { context_.channel().tell_full(full); });
  }

  // By a worker, because what hangs on a stop token is user code.
  template <class Which>
  void stop_handlers(Which which) {
    auto stops = running_.stops_of([&](const Running& running) { return !running.forgotten && which(running); });
    if (stops.empty()) return;
    crew_.queue_task([stops = std::move(stops)] {
      for (const auto& stop : stops) stop.request_stop();
    });
  }

  // ---- replies ---------------------------------------------------------------------------------------------------------------

  void accept_reply(const Packet& packet) {
    const PacketHeader& header = packet.header;
    bool broken = false;
    Call* const call = table_.begin_slice(packet, broken);
    if (broken) return counters_.broken.add_alone();
    if (call == nullptr) {
      if (!packet.is_last()) return;
      counters_.discarded.add_alone();
      counters_.last_discarded.set(header.id);
      return;
    }
    try {
      append(call->response, packet);
    } catch (const std::bad_alloc&) {
      table_.drop(*call);
      return verdicts_.finish(*call, RpcOutcome::handler_failed, no_memory_text.data());
    }
    if (!table_.filled(*call, packet)) return;
    counters_.last_message.set(header.total);
    (packet.outcome() == RpcOutcome::ok ? counters_.responses : counters_.errors).add_alone();
    call->response.outcome = packet.outcome();
    verdicts_.mark_done(*call);
  }

  static void append(RpcResponse& response, const Packet& packet) {
    if (packet.outcome() == RpcOutcome::ok) {
      if (response.data.capacity() < packet.header.total) response.data.reserve(packet.header.total);
      response.data.insert(response.data.end(), packet.slice.begin(), packet.slice.end());
    } else {
      response.error.append(reinterpret_cast<const char*>(packet.slice.data()), packet.slice.size());
    }
  }

  // ---- the peer --------------------------------------------------------------------------------------------------------------

  void meet(PlaceWord peer) {
    const PlaceWord old = table_.known();
    table_.know(peer);
    if (old.is_occupied()) {
      const auto epoch = old.epoch();
      halves_.clear();
      forget_requests([epoch](const Request& request) { return request.from == epoch && !request.forgotten; });
      stop_handlers([epoch](const Running& running) { return running.from == epoch; });
      const auto outcome = outcome_of_life(epoch, peer);
      verdicts_.end_those_of(epoch, outcome, outcome == RpcOutcome::closed ? "the other side was closed" : "the other side's process died");
    }
    constexpr std::uint32_t nobody_yet = 0;
    if (peer.is_occupied()) {
      table_.wake_sleepers(true, [](const Call& call) { return call.peer == nobody_yet; }, [this](std::atomic<std::uint32_t>& word) { context_.park.wake_all(word, static_cast<std::uint32_t>(At::asleep)); });
    } else if (!verdicts_.was_never_there(peer)) {
      const auto outcome = verdicts_.outcome_of_vacancy(peer);
      verdicts_.end_those_of(nobody_yet, outcome, core::name_of(outcome));
    }
  }

  static std::span<const std::byte> text_bytes(std::string_view text) noexcept { return std::as_bytes(std::span(text)); }

  static constexpr std::string_view no_memory_text = "out of memory";  // short enough to need none
  static constexpr std::string_view no_handler_text = "the other side has no handler";

  Context& context_;
  CallTable& table_;
  Sender& sender_;
  Verdicts& verdicts_;
  Crew& crew_;
  RunningHandlers& running_;
  Counters::Reading& counters_;
  const bool has_handler_;

  alignas(64) TryLock reading_;
  Reassembly halves_;  // under `reading_`, as the next one
  Bytes spare_;
};

}  // namespace strait::rpc
