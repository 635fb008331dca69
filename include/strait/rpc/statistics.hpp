#pragma once
// What an endpoint has counted. Sizes are those of payloads, without packet headers.
//
// Sending counts by several threads at once and adds atomically. Receiving counts under the receiver's lock, where a plain load and
// store of an atomic is exact and costs nothing.

#include <strait/layout/rpc_packet.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace strait {

/// One endpoint's counters since it was opened or since `reset_statistics`. -1: nothing happened yet.
struct RpcStatistics {
  std::uint32_t protocol_overhead_per_packet = sizeof(layout::PacketHeader);

  std::uint64_t bytes_read = 0;
  std::uint64_t packets_read = 0;
  std::int64_t reading_max_packet_size = -1;
  std::int64_t reading_last_packet_size = -1;
  std::int64_t reading_last_message_size = -1;
  std::uint64_t messages_received = 0;   ///< requests, responses and errors
  std::uint64_t requests_received = 0;
  std::uint64_t responses_received = 0;
  std::uint64_t errors_received = 0;     ///< handler_failed and no_handler

  std::uint64_t bytes_written = 0;
  std::uint64_t packets_written = 0;
  std::int64_t writing_max_packet_size = -1;
  std::int64_t writing_last_packet_size = -1;
  std::int64_t writing_last_message_size = -1;
  std::uint64_t messages_sent = 0;
  std::uint64_t requests_sent = 0;
  std::uint64_t responses_sent = 0;
  std::uint64_t errors_sent = 0;

  std::uint64_t discarded_responses = 0;  ///< whole, for calls that had ended; their packets are counted as read
  std::uint64_t last_discarded_response_id = 0;
  std::uint64_t timeouts = 0;             ///< calls; those made with no_wait do not count
  std::chrono::nanoseconds last_timeout{-1};    ///< the time that the last of them had
  std::chrono::nanoseconds max_wait_write{-1};  ///< the longest that a packet waited for room
  std::chrono::nanoseconds max_wait_read{-1};   ///< the longest that a blocking call waited for its reply, once it was sent

  std::uint64_t cancelled = 0;            ///< calls of this side
  std::uint64_t peer_lost = 0;            ///< calls of this side
  std::uint64_t cancels_sent = 0;         ///< packets that tell the other side that a call was given up
  std::uint64_t cancels_received = 0;
  std::uint64_t stale_packets = 0;        ///< of, or for, an endpoint's earlier life, or of a request that was given up: dropped
  std::uint64_t broken_packets = 0;       ///< whose numbers make no sense: dropped
  std::uint64_t in_flight = 0;            ///< calls that have not ended, at this moment
  std::uint64_t queue_depth = 0;          ///< requests that wait for a thread, at this moment
};

namespace rpc {

// All orders here are relaxed: these are statistics.
class Counter {
 public:
  void add(std::uint64_t by = 1) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
  // By the one thread that may, at that moment.
  void add_alone(std::uint64_t by = 1) noexcept { value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// A last or a greatest value; -1 before the first.
class Level {
 public:
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void raise(std::int64_t value) noexcept {
    auto seen = value_.load(std::memory_order_relaxed);
    while (seen < value && !value_.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
  }
  std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{-1};
};

struct Counters {
  // Under the receiver's lock. Kept apart from what senders touch.
  struct alignas(64) Reading {
    Counter bytes, packets, requests, responses, errors, discarded, last_discarded, cancels, stale, broken;
    Level max_packet, last_packet, last_message;
  } reading;
  struct alignas(64) Writing {
    Counter bytes, packets, requests, responses, errors, cancels;
    Level max_packet, last_packet, last_message, max_wait;
  } writing;
  struct alignas(64) Calls {
    Counter timeouts, cancelled, peer_lost;
    Level last_timeout, max_wait;
  } calls;

  RpcStatistics snapshot() const noexcept {
    RpcStatistics s;
    s.bytes_read = reading.bytes.get();
    s.packets_read = reading.packets.get();
    s.reading_max_packet_size = reading.max_packet.get();
    s.reading_last_packet_size = reading.last_packet.get();
    s.reading_last_message_size = reading.last_message.get();
    s.requests_received = reading.requests.get();
    s.responses_received = reading.responses.get();
    s.errors_received = reading.errors.get();
    s.messages_received = s.requests_received + s.responses_received + s.errors_received;
    s.bytes_written = writing.bytes.get();
    s.packets_written = writing.packets.get();
    s.writing_max_packet_size = writing.max_packet.get();
    s.writing_last_packet_size = writing.last_packet.get();
    s.writing_last_message_size = writing.last_message.get();
    s.requests_sent = writing.requests.get();
    s.responses_sent = writing.responses.get();
    s.errors_sent = writing.errors.get();
    s.messages_sent = s.requests_sent + s.responses_sent + s.errors_sent;
    s.discarded_responses = reading.discarded.get();
    s.last_discarded_response_id = reading.last_discarded.get();
    s.timeouts = calls.timeouts.get();
    s.last_timeout = std::chrono::nanoseconds(calls.last_timeout.get());
    s.max_wait_write = std::chrono::nanoseconds(writing.max_wait.get());
    s.max_wait_read = std::chrono::nanoseconds(calls.max_wait.get());
    s.cancelled = calls.cancelled.get();
    s.peer_lost = calls.peer_lost.get();
    s.cancels_sent = writing.cancels.get();
    s.cancels_received = reading.cancels.get();
    s.stale_packets = reading.stale.get();
    s.broken_packets = reading.broken.get();
    return s;
  }

  // Under the receiver's lock.
  void reset() noexcept {
    for (Counter* c : {&reading.bytes, &reading.packets, &reading.requests, &reading.responses, &reading.errors, &reading.discarded,
                       &reading.last_discarded, &reading.cancels, &reading.stale, &reading.broken, &writing.bytes, &writing.packets,
                       &writing.requests, &writing.responses, &writing.errors, &writing.cancels, &calls.timeouts, &calls.cancelled,
                       &calls.peer_lost}) {
      c->set(0);
    }
    for (Level* l : {&reading.max_packet, &reading.last_packet, &reading.last_message, &writing.max_packet, &writing.last_packet,
                     &writing.last_message, &writing.max_wait, &calls.last_timeout, &calls.max_wait}) {
      l->set(-1);
    }
  }
};

}  // namespace rpc
}  // namespace strait
