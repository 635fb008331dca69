#pragma once
// One endpoint of a channel of the C# library: its parts put together, and what users see of it.
//
//     context      the hold on the channel, the gate, the counters        calls       calls that have not ended
//     sender       messages on their way out                              verdicts    how calls end
//     receiver     what comes in                                          waiter      how threads wait, receiving meanwhile
//
// Its threads, and who of them receives, are those of Strait's own RpcBuffer (rpc/crew.hpp, rpc/attendance.hpp): whoever waits in
// a call receives for everybody, a quick handler runs on the thread that received its request, and somebody always steps in while
// user code runs. What differs is the channel:
//
//   - the rings, the packets and the ids (dotnet/channel.hpp, dotnet/packet.hpp); a message is written whole by one thread;
//   - two auto-reset events to sleep on: whoever stops looking at the ring and leaves messages there passes the wake-up on;
//   - of the other side the format tells nothing but that the master has closed. There is no cancelling, no epoch, no flow control: a
//     request that was given up is served all the same, an answer that comes too late is thrown away, and requests that wait for
//     a thread are kept, however many.

#include <strait/core/error.hpp>
#include <strait/core/error_hook.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/calls.hpp>
#include <strait/dotnet/context.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/packet.hpp>
#include <strait/dotnet/receiver.hpp>
#include <strait/dotnet/sender.hpp>
#include <strait/dotnet/verdicts.hpp>
#include <strait/dotnet/waiter.hpp>
#include <strait/handle/gate.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/slot.hpp>
#include <strait/rpc/statistics.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace strait::dotnet {

class Endpoint final : public rpc::Crew, public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(std::string_view name, rpc::Handler handler, const RpcOptions& options)
      : Crew(options.handler_threads),
        handler_(std::move(handler)),
        context_(name, options),
        sender_(context_, *this, [this] { queue_task([this] { empty_outbox(); }); }),
        verdicts_(context_, calls_, *this),
        receiver_(context_, calls_, sender_, verdicts_, *this, static_cast<bool>(handler_)),
        waiter_(context_, calls_, verdicts_, receiver_, *this) {}

  ~Endpoint() override = default;

  // After construction, when there is a shared pointer to keep.
  void start() { add_first_worker(); }

  const std::string& name() const noexcept { return context_.name; }
  bool is_master() const noexcept { return context_.is_master; }

  // ---- calls -----------------------------------------------------------------------------------------------------------

  RpcResponse request(std::span<const std::byte> args, Timeout timeout, const std::stop_token& stop) {
    const auto packets = context_.count_packets(args.size(), "a message of ");
    const handle::Gate::Visit visit(context_.gate);
    if (context_.is_over()) return rpc::ended(RpcOutcome::closed);
    if (timeout.is_no_wait()) return forget_about(args, packets);
    const rpc::SlotPause pause;

    const core::Deadline deadline(timeout);
    rpc::Call call;
    if (!calls_.add(call, context_.next_id())) return rpc::ended(RpcOutcome::closed);
    verdicts_.end_on(stop, call);

    Outgoing message(PacketType::request, call.id, 0, args, packets);
    if (sender_.send(message, deadline, [&] { return call.is_done(); })) {
      const auto start = core::Clock::now();
      waiter_.wait(call, deadline);
      context_.counters.calls.max_wait.raise((core::Clock::now() - start).count());
    }
    if (!call.is_done()) verdicts_.give_up(call);
    while (!call.is_done()) std::this_thread::yield();  // another thread has taken it
    call.on_stop.reset();
    verdicts_.count(call.response.outcome, timeout);
    return std::move(call.response);
  }

  // One of `promise` and `callback` of the call is to be used.
  void request_async(std::shared_ptr<rpc::AsyncCall> call, std::span<const std::byte> args, const std::stop_token& stop) {
    const auto packets = context_.count_packets(args.size(), "a message of ");
    const handle::Gate::Visit visit(context_.gate);
    if (call->timeout.is_no_wait() || context_.is_over()) {
      call->response = context_.is_over() ? rpc::ended(RpcOutcome::closed) : forget_about(args, packets);
      return verdicts_.deliver(*call);
    }
    call->self = call;
    if (!calls_.add(*call, context_.next_id())) {
      call->self.reset();
      call->response = rpc::ended(RpcOutcome::closed);
      return verdicts_.deliver(*call);
    }
    verdicts_.end_on(stop, *call);
    sender_.send_or_post(Outgoing(PacketType::request, call->id, 0, args, packets), call);
    verdicts_.keep_time_of(call->deadline.at());
  }

  // ---- statistics ------------------------------------------------------------------------------------------------------

  RpcStatistics statistics() {
    RpcStatistics snapshot = context_.counters.snapshot();
    snapshot.protocol_overhead_per_packet = sizeof(PacketHeader);
    snapshot.in_flight = calls_.size();
    snapshot.queue_depth = work().requests_waiting();
    return snapshot;
  }

  void reset_statistics() {
    const std::lock_guard lock(receiver_.reading());
    context_.counters.reset();
  }

  // ---- the end ---------------------------------------------------------------------------------------------------------

  // From any thread, user code called by this endpoint included.
  void close() {
    if (!context_.gate.shut() || context_.channel().is_inherited()) return;
    context_.channel().leave();
    verdicts_.end_all("this side was closed", true);
    stopping_.request_stop();
    wake_all_workers();
  }

  // Not from user code called by this endpoint. Returns when no thread is inside and the channel is let go.
  void finish() {
    const std::lock_guard lock(finish_);
    if (!context_.hold) return;
    if (context_.channel().is_inherited()) {  // a forked child: neither threads nor mappings are there
      abandon();
      static_cast<void>(context_.hold.release());
      return;
    }
    // An event lets one sleeper go, perhaps the other side's: until ours have left.
    while (!context_.gate.is_empty()) {
      context_.channel().wake();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    context_.channel().wake();
    join_workers();
    context_.hold.reset();
  }

  // From user code called by this endpoint, when nobody will call finish(): the threads keep what they need.
  void abandon() { detach_workers(); }

  bool is_called_from_user_code() const noexcept { return is_worker_of(this); }

 private:
  RpcResponse forget_about(std::span<const std::byte> args, std::uint16_t packets) {
    return rpc::ended(sender_.send_if_it_fits(args, packets) ? RpcOutcome::timed_out : RpcOutcome::closed);
  }

  // By a worker.
  void empty_outbox() {
    while (auto item = sender_.outbox().next()) {
      if (context_.is_over()) continue;
      if (item->call == nullptr) {
        send_in_time(item->message);
      } else if (!sender_.send(item->message, item->call->deadline, [&] { return item->call->is_done(); })) {
        verdicts_.give_up(*item->call);
      }
    }
  }

  // ---- handlers ----------------------------------------------------------------------------------------------------------

  void serve(rpc::Request& request) override {
    if (context_.is_over()) return;
    const rpc::SlotScope slot(*this);
    const auto send_result = [&](std::span<const std::byte> bytes) {
      const auto packets = context_.count_packets(bytes.size(), "the handler returned ");
      answer(Outgoing(PacketType::response, context_.next_id(), request.id, bytes, packets));
    };
    try {
      handler_(request.id, request.payload.view(), stopping_.get_token(), rpc::ReplyTo(send_result));
    } catch (...) {
      // The format carries no text: it is told here.
      core::ErrorHook::instance().report(std::current_exception(), "dotnet::RpcBuffer handler");
      answer(Outgoing(PacketType::error, context_.next_id(), request.id, {}, 1));
    }
    if (request.payload.capacity() > rpc::Work::greatest_spare) request.payload = {};
  }

  void answer(Outgoing message) {
    if (send_in_time(message) || context_.is_over()) return;
    const Error error(Errc::timed_out, context_.name, "the other side made no room for an answer; it was given up");
    core::ErrorHook::instance().report(std::make_exception_ptr(error), "dotnet::RpcBuffer answer");
  }

  // Nobody knows whether the other side lives: an answer for which it makes no room for so long is given up.
  bool send_in_time(Outgoing& message) {
    constexpr Timeout patience{std::chrono::seconds(30)};
    return sender_.send(message, core::Deadline(patience), [] { return false; });
  }

  // ---- for the crew ------------------------------------------------------------------------------------------------------

  void attend(rpc::Worker& me) override { waiter_.attend(me); }
  core::Clock::time_point keep_time() override { return verdicts_.keep_time(); }
  std::uint64_t progress() const noexcept override { return context_.counters.reading.packets.get(); }
  void wake_attender() noexcept override { waiter_.wake_attender(); }
  void tell_full(bool) noexcept override {}  // the format has no way
  bool is_closing() const noexcept override { return context_.gate.is_closing(); }
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }

  const rpc::Handler handler_;
  Context context_;
  Calls calls_;
  Sender sender_;
  Verdicts verdicts_;
  Receiver receiver_;
  Waiter waiter_;
  std::stop_source stopping_;
  std::mutex finish_;
};

}  // namespace strait::dotnet
