#pragma once
// Messages on their way out. Each is written whole by one thread, which holds `writing_`: packets of two messages never mix in a
// ring. What can neither be sent at once nor be waited for goes to the outbox, which a worker empties.

#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/context.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/packet.hpp>
#include <strait/dotnet/shared_ring.hpp>
#include <strait/dotnet/waiting.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/outbox.hpp>
#include <strait/rpc/statistics.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

namespace strait::dotnet {

class Sender {
 public:
  Sender(Context& context, rpc::Crew& crew, std::function<void()> empty_outbox)
      : context_(context), crew_(crew), outbox_(std::move(empty_outbox)) {}

  // False: `give_up()` said so, the time is over, or this endpoint is. (What was begun and not ended the other side throws away.)
  template <class GiveUp>
  bool send(Outgoing& message, const core::Deadline& deadline, GiveUp give_up) {
    return unless_broken([&] { return send_packets(message, deadline, give_up); });
  }

  // Never waiting here: at once, or by a worker. `call`: whose request it is.
  void send_or_post(Outgoing message, std::shared_ptr<rpc::AsyncCall> call) {
    if (!send_at_once(message)) outbox_.add(message, std::move(call));
  }

  // As fire and forget of the C# library, which sends a request if there is room for its packets. False: nothing can go any more.
  bool send_if_it_fits(std::span<const std::byte> request, std::uint16_t packets) {
    const std::unique_lock lock(writing_, std::try_to_lock);
    return unless_broken([&] {
      if (!lock.owns_lock() || !has_room_for(packets)) return true;
      Outgoing message(PacketType::request, context_.next_id(), 0, request, packets);
      while (!message.is_sent() && try_packet(message)) {
      }
      return true;
    });
  }

  rpc::Outbox<Outgoing>& outbox() noexcept { return outbox_; }

 private:
  template <class F>
  bool unless_broken(F f) {
    try {
      return f();
    } catch (const Error&) {
      context_.found_broken();
      return false;
    }
  }

  template <class GiveUp>
  bool send_packets(Outgoing& message, const core::Deadline& deadline, GiveUp give_up) {
    std::unique_lock lock(writing_, std::try_to_lock);
    while (!lock.owns_lock()) {
      call_for_relief();  // whoever has it may be waiting for room
      const auto now = core::Clock::now();
      if (give_up() || context_.is_over() || deadline.passed(now)) return false;
      if (lock.try_lock_for(deadline.left(now, longest_sleep))) break;
    }
    while (!message.is_sent()) {
      if (try_packet(message)) continue;
      // Nobody reads the other ring through us while we wait here.
      call_for_relief();
      const auto start = core::Clock::now();
      const auto verdict = [&]() -> std::optional<Status> {
        if (give_up() || context_.is_over()) return Status::closed;
        return std::nullopt;
      };
      Index node = 0;
      const Status status = context_.channel().out().reserve_for_writing(deadline.left(), verdict, node);
      context_.counters.writing.max_wait.raise((core::Clock::now() - start).count());
      if (status != Status::ok) return false;
      write(message, node);
    }
    return true;
  }

  bool send_at_once(Outgoing& message) {
    if (message.header.total_packets != 1 || !outbox_.is_empty()) return false;  // those that wait came before, more or less
    const std::unique_lock lock(writing_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    return unless_broken([&] { return try_packet(message); });
  }

  // Somebody is to read the ring while this thread waits for something else.
  void call_for_relief() {
    auto& attendance = crew_.attendance();
    if (attendance.count() == 0 && !attendance.has_worker()) attendance.call_relief(crew_, true);
  }

  // ---- with `writing_` held ------------------------------------------------------------------------------------------------

  bool has_room_for(std::uint16_t packets) {
    const SharedRing& nodes = context_.channel().out().nodes();
    // SYNC dotnet-ring: only readers change what is found, and only for the better.
    const Index start = nodes.checked(nodes.write_start().load(std::memory_order_seq_cst));
    const Index used = start - nodes.checked(nodes.read_end().load(std::memory_order_seq_cst));
    const Index free = nodes.count() - 1 - (used < 0 ? used + nodes.count() : used);
    return free >= packets;
  }

  bool try_packet(Outgoing& message) {
    const auto node = context_.channel().out().try_reserve_for_writing();
    if (!node) return false;
    write(message, *node);
    return true;
  }

  void write(Outgoing& message, Index node) {
    const SharedRing& nodes = context_.channel().out().nodes();
    const std::size_t length = message.write({nodes.data(node), nodes.node_buffer_size()});
    // Before it goes out: whoever has an answer finds it counted.
    count(message, static_cast<std::int64_t>(length - sizeof(PacketHeader)));
    context_.channel().out().post(node, length);
  }

  void count(const Outgoing& message, std::int64_t slice) noexcept {
    auto& counters = context_.counters.writing;
    counters.packets.add();
    counters.bytes.add(static_cast<std::uint64_t>(slice));
    counters.last_packet.set(slice);
    counters.max_packet.raise(slice);
    if (!message.is_sent()) return;
    counters.last_message.set(message.header.payload_size);
    counters.max_wait.raise(0);
    switch (static_cast<PacketType>(message.header.type)) {
      case PacketType::request: return counters.requests.add();
      case PacketType::response: return counters.responses.add();
      case PacketType::error: return counters.errors.add();
    }
  }

  Context& context_;
  rpc::Crew& crew_;
  std::timed_mutex writing_;
  rpc::Outbox<Outgoing> outbox_;
};

}  // namespace strait::dotnet
