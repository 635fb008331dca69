#pragma once
// Messages on their way out, a packet at a time. Nothing here waits: `try_packet` says that there is no room, and whoever can
// wait does (rpc/waiter.hpp). What can neither be sent at once nor be waited for goes to an outbox, which a worker empties.

#include <strait/handle/ring_end.hpp>
#include <strait/layout/rpc_packet.hpp>
#include <strait/rpc/context.hpp>
#include <strait/rpc/outbox.hpp>
#include <strait/rpc/packet.hpp>
#include <strait/rpc/response.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace strait::rpc {

// What is left of a message.
struct Message {
  PacketHeader header;  // its offset is where the next slice begins
  std::span<const std::byte> rest;
  bool begun = false;

  bool is_sent() const noexcept { return begun && rest.empty(); }
  bool is_request() const noexcept { return header.type == static_cast<std::uint8_t>(PacketType::request); }
};

class Sender {
 public:
  Sender(Context& context, std::function<void()> empty_requests, std::function<void()> empty_notes)
      : context_(context), counters_(context.counters.writing), requests_(std::move(empty_requests)), notes_(std::move(empty_notes)) {}

  Message request(std::uint32_t to, std::uint64_t id, std::span<const std::byte> bytes, std::uint8_t flags = 0) const noexcept {
    return message(PacketType::request, RpcOutcome::ok, flags, to, id, bytes);
  }
  Message reply(RpcOutcome outcome, std::uint32_t to, std::uint64_t id, std::span<const std::byte> bytes) const noexcept {
    return message(PacketType::reply, outcome, 0, to, id, bytes);
  }
  Message cancel(std::uint32_t to, std::uint64_t id) const noexcept { return message(PacketType::cancel, RpcOutcome::ok, 0, to, id, {}); }

  // The next packet, if there is room; a request begins only where the other side takes more of them.
  bool try_packet(Message& message) {
    if (!may_begin(message)) return false;
    const auto claimed = context_.channel().out().claim_once();
    if (claimed.status != Status::ok) return false;
    write(claimed.ticket, message);
    return true;
  }

  // As much as there is room for, but of a long message only so much that the time can be looked at. False: there was no room.
  bool send_some(Message& message) {
    for (int packets = 0; packets < 16 && !message.is_sent(); ++packets) {
      if (!try_packet(message)) return false;
    }
    return true;
  }

  // All of it or nothing.
  bool send_if_it_fits(Message& message) {
    const std::size_t packets = message.rest.empty() ? 1 : (message.rest.size() + context_.slice_size - 1) / context_.slice_size;
    if (packets == 1) return try_packet(message);
    if (packets > context_.channel().node_count() || !may_begin(message)) return false;
    std::vector<handle::Ticket> tickets;
    tickets.reserve(packets);
    handle::RingEnd& out = context_.channel().out();
    while (tickets.size() < packets) {
      const auto claimed = out.claim_once();
      if (claimed.status != Status::ok) {
        for (const auto ticket : tickets) out.abandon(ticket);
        return false;
      }
      tickets.push_back(claimed.ticket);
    }
    for (const auto ticket : tickets) write(ticket, message);
    return true;
  }

  Outbox<Message>& requests() noexcept { return requests_; }
  // Cancellations, and answers that cost nothing: on their own, because a request may have to wait until the other side has ended
  // a handler, and what waits here may be what ends it.
  Outbox<Message>& notes() noexcept { return notes_; }

 private:
  Message message(PacketType type, RpcOutcome outcome, std::uint8_t flags, std::uint32_t to, std::uint64_t id, std::span<const std::byte> bytes) const noexcept {
    Message m{};
    m.header.type = static_cast<std::uint8_t>(type);
    m.header.outcome = static_cast<std::uint8_t>(outcome);
    m.header.flags = flags;
    m.header.from = context_.hold->epoch();
    m.header.to = to;
    m.header.total = static_cast<std::uint32_t>(bytes.size());
    m.header.id = id;
    m.rest = bytes;
    return m;
  }

  bool may_begin(const Message& message) const noexcept {
    return message.begun || !message.is_request() || !context_.hold->is_full(message.header.to);
  }

  void write(handle::Ticket ticket, Message& message) {
    handle::RingEnd& out = context_.channel().out();
    const auto slice = message.rest.first((std::min)(context_.slice_size, message.rest.size()));
    std::byte* const to = out.room(ticket).data();
    std::memcpy(to, &message.header, sizeof message.header);
    if (!slice.empty()) std::memcpy(to + sizeof message.header, slice.data(), slice.size());
    // Closed only by a ring of its own: never here.
    static_cast<void>(out.publish(ticket, sizeof message.header + slice.size()));
    message.rest = message.rest.subspan(slice.size());
    message.header.offset += static_cast<std::uint32_t>(slice.size());
    message.begun = true;
    count(message, slice.size());
    if (message.rest.empty() && slice.size() <= 2048) out.prepare_next(sizeof message.header + slice.size());
  }

  void count(const Message& message, std::size_t slice) noexcept {
    if (message.header.type == static_cast<std::uint8_t>(PacketType::cancel)) return counters_.cancels.add();  // no message: counted on its own
    counters_.packets.add();
    counters_.bytes.add(slice);
    counters_.last_packet.set(static_cast<std::int64_t>(slice));
    counters_.max_packet.raise(static_cast<std::int64_t>(slice));
    if (!message.is_sent()) return;
    counters_.last_message.set(message.header.total);
    counters_.max_wait.raise(0);
    if (message.is_request()) {
      counters_.requests.add();
    } else {
      (message.header.outcome == static_cast<std::uint8_t>(RpcOutcome::ok) ? counters_.responses : counters_.errors).add();
    }
  }

  Context& context_;
  Counters::Writing& counters_;
  Outbox<Message> requests_;
  Outbox<Message> notes_;
};

}  // namespace strait::rpc
