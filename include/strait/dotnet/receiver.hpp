#pragma once
// What comes in. Whoever holds `reading_`, tried and never waited for, takes what is there for everybody: every thread that waits
// for something of this endpoint looks while it does. It runs no user code and waits for nothing while it holds the lock: answers
// end calls; requests are copied out and queued, or kept, by a worker that serves the request itself after it has let go.

#include <strait/core/error.hpp>
#include <strait/dotnet/calls.hpp>
#include <strait/dotnet/context.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/packet.hpp>
#include <strait/dotnet/ring_end.hpp>
#include <strait/dotnet/sender.hpp>
#include <strait/dotnet/verdicts.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/statistics.hpp>
#include <strait/rpc/work.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <span>
#include <utility>

namespace strait::dotnet {

class Receiver {
 public:
  Receiver(Context& context, Calls& calls, Sender& sender, Verdicts& verdicts, rpc::Crew& crew, bool has_handler)
      : context_(context),
        calls_(calls),
        sender_(sender),
        verdicts_(verdicts),
        crew_(crew),
        counters_(context.counters.reading),
        has_handler_(has_handler) {}

  // True: something was there. `me`: a worker that may keep a request to serve it itself.
  bool poll(rpc::Worker* me) {
    if (!context_.has_packet()) return false;
    const std::unique_lock lock(reading_, std::try_to_lock);
    if (!lock.owns_lock() || context_.gate.is_closing()) return false;
    bool queued_some = false;
    bool found_some = false;
    constexpr int most_at_once = 64;
    for (int i = 0; i < most_at_once && receive(me, queued_some); ++i) {
      found_some = true;
      if (me != nullptr && me->has_mine) break;
    }
    if (queued_some) crew_.call_worker();
    return found_some;
  }

  std::mutex& reading() noexcept { return reading_; }

 private:
  // ---- with `reading_` held ------------------------------------------------------------------------------------------------

  bool receive(rpc::Worker* me, bool& queued_some) {
    RingEnd& in = context_.channel().in();
    RingEnd::Found found{};
    try {
      found = in.try_reserve_for_reading([](std::size_t) { return true; });
    } catch (const Error&) {
      context_.found_broken();
    }
    if (found.what != RingEnd::Found::What::reserved) return false;
    rpc::Call* done = nullptr;
    try {
      const auto node = in.message(found.node);
      try {
        if (const auto packet = parse(node, context_.slice_size)) {
          done = accept(*packet, me, queued_some);
        } else {
          counters_.broken.add_alone();
        }
      } catch (const std::bad_alloc&) {
        incoming_.forget();
        counters_.broken.add_alone();
      }
      in.give_back(found.node);
    } catch (const Error&) {
      counters_.broken.add_alone();  // its length could not be; it was given back
    }
    if (done != nullptr) verdicts_.mark_done(*done);
    return true;
  }

  // What it returns is to be marked as done.
  rpc::Call* accept(const Packet& packet, rpc::Worker* me, bool& queued_some) {
    const auto slice = static_cast<std::int64_t>(packet.slice.size());
    counters_.packets.add_alone();
    counters_.bytes.add_alone(packet.slice.size());
    counters_.last_packet.set(slice);
    if (slice > counters_.max_packet.get()) counters_.max_packet.set(slice);

    if (incoming_.interrupts(packet)) lose(incoming_.begun());
    if (packet.is_first() && packet.is_last()) return take(packet.header, packet.slice, me, queued_some);
    switch (incoming_.add(packet)) {
      case Reassembly::Added::more_to_come: return nullptr;
      case Reassembly::Added::lost:
        // Its first packets were dropped; the last one is as good a moment as any to say so.
        if (packet.is_last()) lose(packet.header);
        return nullptr;
      case Reassembly::Added::complete: return take(packet.header, incoming_.view(), me, queued_some);
    }
    return nullptr;
  }

  // A message of which packets are missing: C# has dropped them. Told once, however many of its packets still come.
  void lose(const PacketHeader& header) {
    incoming_.forget();
    if (is_same_message(header, last_lost_)) return;
    last_lost_ = header;
    counters_.broken.add_alone();
    if (is_request(header)) {
      refuse(header.message_id);
    } else if (rpc::Call* const call = calls_.take(header.response_id)) {
      verdicts_.finish(*call, RpcOutcome::handler_failed,
                       "packets of the answer were lost: the other side found no room for them in time");
    }
  }

  rpc::Call* take(const PacketHeader& header, std::span<const std::byte> payload, rpc::Worker* me, bool& queued_some) {
    counters_.last_message.set(header.payload_size);
    if (!is_request(header)) return take_answer(header, payload);
    counters_.requests.add_alone();
    if (!has_handler_) {
      refuse(header.message_id);
    } else if (me != nullptr && crew_.work().try_keep()) {
      fill(me->mine, header, payload);
      me->has_mine = true;
    } else {
      rpc::Request request;
      fill(request, header, payload);
      crew_.work().add(std::move(request), [](bool) {});
      queued_some = true;
    }
    return nullptr;
  }

  static bool is_request(const PacketHeader& header) noexcept { return header.type == static_cast<std::uint8_t>(PacketType::request); }

  static void fill(rpc::Request& request, const PacketHeader& header, std::span<const std::byte> payload) {
    request.id = header.message_id;
    request.payload.start(payload.size());
    request.payload.append(payload);
  }

  rpc::Call* take_answer(const PacketHeader& header, std::span<const std::byte> payload) {
    const bool is_error = header.type == static_cast<std::uint8_t>(PacketType::error);
    rpc::Call* const call = calls_.take(header.response_id);
    if (call == nullptr) {
      counters_.discarded.add_alone();
      counters_.last_discarded.set(header.response_id);
      return nullptr;
    }
    (is_error ? counters_.errors : counters_.responses).add_alone();
    RpcResponse& response = call->response;
    try {
      if (is_error) {
        response.outcome = RpcOutcome::handler_failed;
        response.error = "the other side's handler failed, or it has none; the format carries no reason";
      } else {
        response.outcome = RpcOutcome::ok;
        response.data.assign(payload.begin(), payload.end());
      }
    } catch (const std::bad_alloc&) {
      response = {RpcOutcome::handler_failed, {}, "out of memory"};
    }
    return call;
  }

  void refuse(std::uint64_t request) {
    sender_.send_or_post(Outgoing(PacketType::error, context_.next_id(), request, {}, 1), nullptr);
  }

  Context& context_;
  Calls& calls_;
  Sender& sender_;
  Verdicts& verdicts_;
  rpc::Crew& crew_;
  rpc::Counters::Reading& counters_;
  const bool has_handler_;

  std::mutex reading_;
  Reassembly incoming_;  // under `reading_`, as the next one
  PacketHeader last_lost_{};
};

}  // namespace strait::dotnet
