#pragma once
// How calls end: each once, by whoever takes it off the table, with one of the outcomes. Its caller is woken where it sleeps, its
// future is set, or its callback is a worker's next work; no user code runs here.

#include <strait/core/config.hpp>
#include <strait/core/timeout.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/call_table.hpp>
#include <strait/rpc/context.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/sender.hpp>
#include <strait/wait/signal.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>

namespace strait::rpc {

// What the calls to a life of the peer end with, given how its place looks now.
inline RpcOutcome outcome_of_life(std::uint32_t epoch, PlaceWord now) noexcept {
  const PlaceState end = now.epoch() == epoch ? now.state() : now.epoch() == epoch + 1 ? now.before() : PlaceState::lost;
  return end == PlaceState::closed ? RpcOutcome::closed : RpcOutcome::peer_lost;
}

class Verdicts {
 public:
  Verdicts(Context& context, CallTable& table, Sender& sender, Crew& crew) : context_(context), table_(table), sender_(sender), crew_(crew) {
    const PlaceWord peer = table.known();
    if (!peer.is_occupied()) vacant_from_the_start_ = peer.bits;
  }

  // ---- one call ----------------------------------------------------------------------------------------------------------

  void end(Call& call, RpcOutcome outcome, const char* why) {
    if (table_.take_off(call)) finish(call, outcome, why);
  }

  // `stop` ends the call, which is on the table.
  void end_on(const std::stop_token& stop, Call& call) {
    if (!stop.stop_possible()) return;
    if constexpr (core::sound_stop_callbacks) {
      call.on_stop.emplace(stop, [this, &call] { end(call, RpcOutcome::cancelled, told_to_stop); });
    } else {
      if (stop.stop_requested()) return end(call, RpcOutcome::cancelled, told_to_stop);
      table_.look_at(call, stop);
      keep_time_of(Clock::now() + between_looks_at_tokens);
    }
  }

  // Its time is over, or whoever waited in it was turned out because this endpoint closes.
  void give_up(Call& call) {
    if (context_.gate.is_closing()) return end(call, RpcOutcome::closed, "this side was closed");
    end(call, RpcOutcome::timed_out, "no reply within the time that the call had");
  }

  // Off the table.
  void finish(Call& call, RpcOutcome outcome, const char* why) {
    call.response.outcome = outcome;
    call.response.data.clear();
    call.response.error = why;
    mark_done(call);
  }

  // Off the table, and its response is filled in.
  void mark_done(Call& call) {
    AsyncCall* const async = call.async;
    const auto alive = async != nullptr ? std::move(async->self) : nullptr;
    auto& word = call.word.word();
    switch (call.word.finish()) {
      case At::asleep: context_.park.wake_all(word, static_cast<std::uint32_t>(At::asleep)); break;
      case At::on_ring: wait::wake(context_.channel().packets(), context_.channel().park()); break;
      case At::on_room: wait::wake(context_.channel().room(), context_.channel().park()); break;
      default: break;
    }
    if (async == nullptr) return;
    const auto outcome = async->response.outcome;
    count(outcome, async->timeout);
    if (is_given_up(outcome)) tell_cancelled(async->id, async->peer);
    deliver(*async);
  }

  void deliver(AsyncCall& call) {
    if (!call.callback) {
      call.promise.set_value(std::move(call.response));
      futures_set_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a hint
      return;
    }
    crew_.queue_callback([callback = std::move(call.callback), response = std::make_shared<RpcResponse>(std::move(call.response))] { callback(std::move(*response)); });
  }

  // Changes when a future was set: its owner may need the processor of whoever did it. relaxed: a hint
  std::uint32_t futures_set() const noexcept { return futures_set_.load(std::memory_order_relaxed); }

  void count(RpcOutcome outcome, Timeout timeout) noexcept {
    auto& calls = context_.counters.calls;
    switch (outcome) {
      case RpcOutcome::timed_out:
        calls.timeouts.add();
        calls.last_timeout.set(timeout.length().count());
        break;
      case RpcOutcome::cancelled: calls.cancelled.add(); break;
      case RpcOutcome::peer_lost: calls.peer_lost.add(); break;
      default: break;
    }
  }

  static bool is_given_up(RpcOutcome outcome) noexcept { return outcome == RpcOutcome::timed_out || outcome == RpcOutcome::cancelled; }

  // The other side forgets the request, or stops its handler.
  void tell_cancelled(std::uint64_t id, std::uint32_t peer) {
    if (peer != 0 && !context_.is_gone(peer)) send_note(sender_.cancel(peer, id));
  }

  // At once or later, never waiting here.
  void send_note(Message message) {
    if (!sender_.try_packet(message)) sender_.notes().add(message, nullptr);
  }

  // ---- many calls: with the receiver's lock held -----------------------------------------------------------------------------

  void end_all(RpcOutcome outcome, const char* why) { end_those([](const Call&) { return true; }, outcome, why, true); }

  void end_those_of(std::uint32_t epoch, RpcOutcome outcome, const char* why) {
    end_those([epoch](const Call& call) { return call.peer == epoch; }, outcome, why, false);
  }

  // ---- no peer -------------------------------------------------------------------------------------------------------------

  // Has nobody been there yet? Then a call waits for somebody.
  bool was_never_there(PlaceWord peer) const noexcept { return peer.bits == vacant_from_the_start_; }

  RpcOutcome outcome_of_vacancy(PlaceWord peer) const noexcept {
    if (was_never_there(peer)) return RpcOutcome::timed_out;
    return peer.state() == PlaceState::closed ? RpcOutcome::closed : RpcOutcome::peer_lost;
  }

  // ---- the times of calls in which nobody waits --------------------------------------------------------------------------------

  void keep_time_of(Clock::time_point at) {
    if (at == (Clock::time_point::max)()) return;
    const auto ticks = at.time_since_epoch().count();
    auto next = next_time_.load(std::memory_order_relaxed);  // relaxed: whoever is called looks again
    do {
      if (ticks >= next) return;
      // SYNC time: before the call of a worker
    } while (!next_time_.compare_exchange_weak(next, ticks, std::memory_order_seq_cst, std::memory_order_relaxed));
    crew_.call_worker();
  }

  // Ends those whose time is over or whose tokens tell it; when to look again.
  Clock::time_point keep_time() {
    const auto next = Clock::time_point(Clock::duration(next_time_.load(std::memory_order_seq_cst)));  // SYNC time
    if (next == (Clock::time_point::max)() || context_.gate.is_closing()) return (Clock::time_point::max)();
    const auto now = Clock::now();
    if (now < next) return next;
    next_time_.store((Clock::time_point::max)().time_since_epoch().count(), std::memory_order_seq_cst);  // SYNC time: before the walk
    auto earliest = (Clock::time_point::max)();
    for (const auto& call : table_.overdue(now, earliest)) give_up(*call);
    if constexpr (!core::sound_stop_callbacks) {
      for (Call* call : table_.take_off_stopped(now, earliest)) finish(*call, RpcOutcome::cancelled, told_to_stop);
    }
    // SYNC time: whoever put an earlier one meanwhile has called a worker.
    auto seen = next_time_.load(std::memory_order_seq_cst);
    const auto ticks = earliest.time_since_epoch().count();
    while (ticks < seen && !next_time_.compare_exchange_weak(seen, ticks, std::memory_order_seq_cst)) {  // SYNC time
    }
    return (std::min)(earliest, Clock::time_point(Clock::duration(seen)));
  }

 private:
  template <class Which>
  void end_those(Which which, RpcOutcome outcome, const char* why, bool for_good) {
    for (Call* call : table_.take_off_all(which, for_good)) finish(*call, outcome, why);
  }

  Context& context_;
  CallTable& table_;
  Sender& sender_;
  Crew& crew_;
  std::atomic<std::uint32_t> futures_set_{0};
  std::uint64_t vacant_from_the_start_ = ~std::uint64_t{0};
  std::atomic<Clock::rep> next_time_{(Clock::time_point::max)().time_since_epoch().count()};
};

}  // namespace strait::rpc
