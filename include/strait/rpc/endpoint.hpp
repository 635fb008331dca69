#pragma once
// One endpoint: its parts put together, and what users see of it.
//
//     context      the hold on the channel, the gate, the counters        call_table  calls that have not ended
//     sender       messages on their way out, a packet at a time          verdicts    how calls end
//     receiver     what comes in, and who the peer is                     running     handlers with stop tokens
//     waiter       how threads wait, receiving meanwhile                  crew        the threads, and their work
//
// A call goes: enlisted in the table, sent by its own thread, which then receives for everybody until its reply is there. A
// request goes: received by whoever looks, served by a worker, answered by that worker.

#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/gate.hpp>
#include <strait/layout/rpc_packet.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/call_table.hpp>
#include <strait/rpc/context.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/receiver.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/running.hpp>
#include <strait/rpc/sender.hpp>
#include <strait/rpc/slot.hpp>
#include <strait/rpc/statistics.hpp>
#include <strait/rpc/verdicts.hpp>
#include <strait/rpc/waiter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace strait::rpc {

class Endpoint final : public Crew, public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(std::string_view name, Handler handler, const RpcOptions& options)
      : Crew(options.handler_threads),
        handler_(std::move(handler)),
        context_(name, options),
        table_(context_.channel().peer()),
        sender_(context_, [this] { queue_task([this] { empty_requests(); }); }, [this] { queue_task([this] { empty_notes(); }); }),
        verdicts_(context_, table_, sender_, *this),
        receiver_(context_, table_, sender_, verdicts_, *this, running_, static_cast<bool>(handler_)),
        waiter_(context_, table_, verdicts_, receiver_, *this, running_) {}

  ~Endpoint() override = default;

  // After construction, when there is a shared pointer to keep.
  void start() { add_first_worker(); }

  const std::string& name() const noexcept { return context_.name; }

  bool is_master() const noexcept { return context_.is_master; }

  bool has_peer() {
    const handle::Gate::Visit visit(context_.gate);
    if (context_.gate.is_closing()) return false;
    context_.channel().session().mend_now_and_then();
    return context_.channel().peer().is_occupied();
  }

  // ---- calls -----------------------------------------------------------------------------------------------------------

  RpcResponse request(std::span<const std::byte> args, Timeout timeout, const std::stop_token& stop) {
    context_.check_size(args.size(), "a message of ");
    const handle::Gate::Visit visit(context_.gate);
    if (context_.gate.is_closing()) return ended(RpcOutcome::closed);
    if (timeout.is_no_wait()) return forget_about(args);
    const SlotPause pause;

    const auto start = Clock::now();
    const core::Deadline deadline(timeout, start);
    Call call;
    if (!enlist(call)) return ended(RpcOutcome::closed);
    verdicts_.end_on(stop, call);

    bool begun = false;
    const bool has_peer = call.peer != 0;
    if (wait_for_peer(call, deadline)) {
      Message message = sender_.request(call.peer, call.id, args);
      const auto sent = waiter_.send(sender_, message, &call, [&] { return call.is_done(); }, deadline.at());
      // What was small and went at once was sent when it began, as far as anybody can tell: a look at the clock saved.
      const bool was_quick = has_peer && sent == Waiter::Sent::at_once && args.size() <= 4096;
      if (sent != Waiter::Sent::not_all) wait_for_reply(call, deadline, was_quick ? start : Clock::now());
      begun = message.begun;
    }
    if (!call.is_done()) verdicts_.give_up(call);
    call.on_stop.reset();
    verdicts_.count(call.response.outcome, timeout);
    if (begun && Verdicts::is_given_up(call.response.outcome)) verdicts_.tell_cancelled(call.id, call.peer);
    return std::move(call.response);
  }

  // One of `promise` and `callback` of the call is to be used.
  void request_async(std::shared_ptr<AsyncCall> call, std::span<const std::byte> args, const std::stop_token& stop) {
    context_.check_size(args.size(), "a message of ");
    const handle::Gate::Visit visit(context_.gate);
    if (call->timeout.is_no_wait()) {
      call->response = context_.gate.is_closing() ? ended(RpcOutcome::closed) : forget_about(args);
      return verdicts_.deliver(*call);
    }
    call->self = call;
    if (context_.gate.is_closing() || !enlist(*call)) {
      call->self.reset();
      call->response = ended(RpcOutcome::closed);
      return verdicts_.deliver(*call);
    }
    verdicts_.end_on(stop, *call);
    waiter_.shorten_sleep();
    if (call->is_done()) return;
    // What fits goes out at once, the rest is copied. Not before those that wait already.
    Message message = sender_.request(call->peer, call->id, args);
    if (call->peer != 0 && sender_.requests().is_empty() && waiter_.send_soon(sender_, message)) {
      take_back_if_given_up(*call, message);
    } else {
      sender_.requests().add(message, call);
    }
    verdicts_.keep_time_of(call->deadline.at());
  }

  // ---- statistics ------------------------------------------------------------------------------------------------------

  RpcStatistics statistics() {
    RpcStatistics snapshot = context_.counters.snapshot();
    snapshot.in_flight = table_.size();
    snapshot.queue_depth = work().requests_waiting();
    return snapshot;
  }

  void reset_statistics() {
    const handle::Gate::Visit visit(context_.gate);
    TryLock& reading = receiver_.reading();
    bool locked = false;
    while (!(locked = reading.try_lock()) && !context_.gate.is_closing()) std::this_thread::yield();
    context_.counters.reset();
    if (locked) reading.unlock();
  }

  // ---- the end ---------------------------------------------------------------------------------------------------------

  // From any thread, user code called by this endpoint included. Every call ends; afterwards nothing is sent or received.
  void close() {
    if (!context_.gate.shut()) return;
    if (context_.channel().session().is_inherited()) return;
    receiver_.reading().lock();  // for good: the ring's next reader may begin
    context_.channel().leave();
    verdicts_.end_all(RpcOutcome::closed, "this side was closed");
    for (auto& stop : running_.stops_of([](const Running&) { return true; })) stop.request_stop();
    // Nobody announces itself after the look at `is_closing`.
    wake_all_workers();
  }

  // Not from user code called by this endpoint. Returns when no thread is inside and the segment is let go.
  void finish() {
    const std::lock_guard lock(finish_);
    if (!context_.hold) return;
    if (context_.channel().session().is_inherited()) return abandon();  // a forked child: neither threads nor mapping are there
    context_.gate.wait_until_empty();
    join_workers();
    context_.hold.reset();
  }

  // From user code called by this endpoint, when nobody will call finish(): the threads keep what they need.
  void abandon() { detach_workers(); }

  bool is_called_from_user_code() const noexcept { return is_worker_of(this); }

 private:
  // False: closed meanwhile.
  bool enlist(Call& call) {
    for (;;) {
      const PlaceWord peer = context_.channel().peer();
      if (peer != table_.known()) receiver_.check_peer();
      switch (table_.enlist(call, peer)) {
        case CallTable::Enlisted::yes: return true;
        case CallTable::Enlisted::closed: return false;
        case CallTable::Enlisted::peer_changed: break;
      }
    }
  }

  // True: the call has a peer. False: it is done, or its time is over.
  bool wait_for_peer(Call& call, const core::Deadline& deadline) {
    if (call.peer != 0) [[likely]] return true;
    bool has_peer = false;
    waiter_.wait(call, deadline, [&] {
      if (call.is_done()) return true;
      const PlaceWord peer = context_.channel().peer();
      if (verdicts_.was_never_there(peer)) return false;
      receiver_.check_peer();
      if (!peer.is_occupied()) {
        const auto outcome = verdicts_.outcome_of_vacancy(peer);
        verdicts_.end(call, outcome, core::name_of(outcome));
        return true;
      }
      return has_peer = table_.assign(call, peer);
    });
    return has_peer;
  }

  void wait_for_reply(Call& call, const core::Deadline& deadline, Clock::time_point start) {
    waiter_.wait(call, deadline, [&] { return call.is_done(); });
    context_.counters.calls.max_wait.raise((Clock::now() - start).count());
  }

  // S1's fire and forget.
  RpcResponse forget_about(std::span<const std::byte> args) {
    receiver_.check_peer();
    const PlaceWord peer = context_.channel().peer();
    if (!peer.is_occupied()) return ended(verdicts_.outcome_of_vacancy(peer));
    Message message = sender_.request(peer.epoch(), table_.take_id(), args, layout::packet_forgotten);
    sender_.send_if_it_fits(message);
    return ended(RpcOutcome::timed_out);
  }

  // ---- what waits to be sent: a worker, one at a time for each outbox ------------------------------------------------------------

  void empty_requests() {
    while (auto item = sender_.requests().next()) {
      if (context_.gate.is_closing()) continue;
      AsyncCall& call = *item->call;
      Message& message = item->message;
      if (!message.begun) {
        if (!wait_for_peer(call, call.deadline)) continue;
        message.header.to = call.peer;
      }
      if (waiter_.send(sender_, message, &call, [&] { return call.is_done(); }, call.deadline.at()) == Waiter::Sent::not_all) verdicts_.give_up(call);
      take_back_if_given_up(call, message);
    }
  }

  // Whoever ended the call has told the other side, but perhaps before the last packet.
  void take_back_if_given_up(const AsyncCall& call, const Message& message) {
    if (message.begun && call.is_done() && Verdicts::is_given_up(call.response.outcome)) verdicts_.tell_cancelled(message.header.id, message.header.to);
  }

  void empty_notes() {
    while (auto item = sender_.notes().next()) {
      const auto to = item->message.header.to;
      waiter_.send(sender_, item->message, nullptr, [&] { return context_.is_gone(to); }, (Clock::time_point::max)());
    }
  }

  // ---- handlers ------------------------------------------------------------------------------------------------------------------

  void begin(Request& request) noexcept override {
    if (!handler_.wants_stop()) return;
    try {
      request.stop = running_.begin(request);
    } catch (const std::bad_alloc&) {
      request.stop = std::stop_source(std::nostopstate);  // it is served, and cannot be told to stop
    }
  }

  void serve(Request& request) override {
    if (handler_.wants_stop()) waiter_.shorten_sleep();
    // A caller that is gone is not served; and whoever closes has told those that had begun by then, and nobody later.
    if ((request.forgotten || !context_.is_gone(request.from)) && !context_.gate.is_closing()) handle(request);
    if (handler_.wants_stop()) running_.end(request);
    if (request.payload.capacity() > Work::greatest_spare) request.payload = {};
  }

  void handle(Request& request) {
    const SlotScope slot(*this);
    const auto send_result = [&](std::span<const std::byte> bytes) {
      context_.check_size(bytes.size(), "the handler returned ");
      reply(request, RpcOutcome::ok, bytes);
    };
    std::optional<std::string> failure;
    try {
      handler_(request.id, request.payload.view(), request.stop.get_token(), ReplyTo(send_result));
    } catch (const std::exception& error) {
      failure = error.what();
    } catch (...) {
      failure = "an exception that is not a std::exception";
    }
    if (failure) reply(request, RpcOutcome::handler_failed, std::as_bytes(std::span(*failure)));
  }

  void reply(const Request& request, RpcOutcome outcome, std::span<const std::byte> bytes) {
    if (context_.is_gone(request.from)) return;
    Message message = sender_.reply(outcome, request.from, request.id, bytes);
    waiter_.send(sender_, message, nullptr, [&] { return context_.is_gone(request.from); }, (Clock::time_point::max)());
  }

  void attend(Worker& me) override {
    waiter_.attend(me, [this] { return verdicts_.keep_time(); });
  }
  Clock::time_point keep_time() override { return verdicts_.keep_time(); }
  std::uint64_t progress() const noexcept override { return context_.counters.reading.packets.get(); }
  void wake_attender() noexcept override { waiter_.wake_attender(); }
  void tell_full(bool full) noexcept override { context_.channel().tell_full(full); }
  bool is_closing() const noexcept override { return context_.gate.is_closing(); }
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }

  const Handler handler_;
  Context context_;
  CallTable table_;
  RunningHandlers running_;
  Sender sender_;
  Verdicts verdicts_;
  Receiver receiver_;
  Waiter waiter_;
  std::mutex finish_;
};

}  // namespace strait::rpc
