#pragma once
// How calls end: each once, by whoever takes it off the list, with one of the outcomes. Its caller is woken where it sleeps, its
// future is set, or its callback is a worker's next work; no user code runs here.

#include <strait/core/config.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/calls.hpp>
#include <strait/dotnet/context.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/sleep_word.hpp>
#include <strait/rpc/statistics.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>

namespace strait::dotnet {

class Verdicts {
 public:
  using TimePoint = core::Clock::time_point;

  Verdicts(Context& context, Calls& calls, rpc::Crew& crew) : context_(context), calls_(calls), crew_(crew) {}

  void end(rpc::Call& call, RpcOutcome outcome, const char* why) {
    if (calls_.take(call)) finish(call, outcome, why);
  }

  // `stop` ends the call, which is on the list.
  void end_on(const std::stop_token& stop, rpc::Call& call) {
    if (!stop.stop_possible()) return;
    if constexpr (core::sound_stop_callbacks) {
      call.on_stop.emplace(stop, [this, &call] { end(call, RpcOutcome::cancelled, rpc::told_to_stop); });
    } else {
      if (stop.stop_requested()) return end(call, RpcOutcome::cancelled, rpc::told_to_stop);
      calls_.look_at(call, stop);
      keep_time_of(core::Clock::now() + rpc::between_looks_at_tokens);
    }
  }

  // Its time is over, or nothing can come any more.
  void give_up(rpc::Call& call) {
    if (context_.is_over()) return end(call, RpcOutcome::closed, context_.why_over());
    end(call, RpcOutcome::timed_out, "no reply within the time that the call had");
  }

  void end_all(const char* why, bool for_good) {
    for (rpc::Call* const call : calls_.take_all(for_good)) finish(*call, RpcOutcome::closed, why);
  }

  // Off the list.
  void finish(rpc::Call& call, RpcOutcome outcome, const char* why) {
    call.response = {outcome, {}, why};
    mark_done(call);
  }

  // Off the list, and its response is filled in.
  void mark_done(rpc::Call& call) {
    rpc::AsyncCall* const async = call.async;
    const auto alive = async != nullptr ? std::move(async->self) : nullptr;
    auto& word = call.word.word();
    switch (call.word.finish()) {
      case rpc::At::asleep: context_.park.wake_all(word, static_cast<std::uint32_t>(rpc::At::asleep)); break;
      case rpc::At::on_ring: context_.channel().in().data_exists().set(); break;
      default: break;
    }
    if (async == nullptr) return;
    count(async->response.outcome, async->timeout);
    deliver(*async);
  }

  void deliver(rpc::AsyncCall& call) {
    if (!call.callback) return call.promise.set_value(std::move(call.response));
    crew_.queue_callback([callback = std::move(call.callback), response = std::make_shared<RpcResponse>(std::move(call.response))] {
      callback(std::move(*response));
    });
  }

  void count(RpcOutcome outcome, Timeout timeout) noexcept {
    auto& calls = context_.counters.calls;
    if (outcome == RpcOutcome::timed_out) {
      calls.timeouts.add();
      calls.last_timeout.set(timeout.length().count());
    } else if (outcome == RpcOutcome::cancelled) {
      calls.cancelled.add();
    }
  }

  // ---- the times of calls in which nobody waits ------------------------------------------------------------------------------

  void keep_time_of(TimePoint at) {
    if (note_time(at)) crew_.call_worker();
  }

  // Ends those whose time is over or whose tokens tell it; when to look again.
  TimePoint keep_time() {
    const auto next = next_time();
    if (next == (TimePoint::max)() || context_.gate.is_closing()) return (TimePoint::max)();
    const auto now = core::Clock::now();
    if (now < next) return next;
    next_time_.store(never, std::memory_order_seq_cst);  // SYNC dotnet-time: before the walk
    auto earliest = (TimePoint::max)();
    for (const auto& call : calls_.overdue(now, earliest)) give_up(*call);
    if constexpr (!core::sound_stop_callbacks) {
      for (rpc::Call* const call : calls_.take_stopped(now, earliest)) finish(*call, RpcOutcome::cancelled, rpc::told_to_stop);
    }
    note_time(earliest);
    return next_time();
  }

 private:
  using Ticks = core::Clock::rep;
  static constexpr Ticks never = (TimePoint::max)().time_since_epoch().count();

  TimePoint next_time() const noexcept {
    return TimePoint(TimePoint::duration(next_time_.load(std::memory_order_seq_cst)));  // SYNC dotnet-time
  }

  // True: it is earlier than all others.
  bool note_time(TimePoint at) noexcept {
    const Ticks ticks = at.time_since_epoch().count();
    auto next = next_time_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    do {
      if (ticks >= next) return false;
      // SYNC dotnet-time: before the call of a worker
    } while (!next_time_.compare_exchange_weak(next, ticks, std::memory_order_seq_cst, std::memory_order_relaxed));
    return true;
  }

  Context& context_;
  Calls& calls_;
  rpc::Crew& crew_;
  std::atomic<Ticks> next_time_{never};
};

}  // namespace strait::dotnet
