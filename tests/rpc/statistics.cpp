#include "rpc.hpp"

#include "support/eventually.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

using namespace strait;
using namespace strait::test;

TEST_CASE("before anything happened the counters are zero and the levels -1", "[two-mappings]") {
  const NameGuard name("rpc");
  RpcBuffer buffer(name);
  const RpcStatistics s = buffer.statistics();
  CHECK(s.protocol_overhead_per_packet == 32);
  CHECK((s.bytes_read | s.packets_read | s.messages_received | s.requests_received | s.responses_received | s.errors_received) == 0);
  CHECK((s.bytes_written | s.packets_written | s.messages_sent | s.requests_sent | s.responses_sent | s.errors_sent) == 0);
  CHECK((s.discarded_responses | s.timeouts | s.cancelled | s.peer_lost | s.in_flight | s.queue_depth) == 0);
  CHECK(s.reading_last_packet_size == -1);
  CHECK(s.reading_last_message_size == -1);
  CHECK(s.writing_last_packet_size == -1);
  CHECK(s.writing_last_message_size == -1);
  CHECK(s.max_wait_write == -1ns);
  CHECK(s.max_wait_read == -1ns);
  CHECK(s.last_timeout == -1ns);
}

TEST_CASE("every counter is exact, on both sides, and reset sets them back", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name, small(256, 10));
  RpcBuffer callee(name, [](std::uint64_t, Payload payload) {
    if (payload.size() == 3) throw std::runtime_error("four");
    return std::vector<std::byte>(payload.size() == 500 ? 225 : 7);
  });
  // Requests of 500, 10, 3 and 0 bytes; answers of 225, 7, an error of 4 and 7 bytes.
  // An answer is counted by the thread that has sent it, after it has: the next one's thread must not overtake it.
  for (std::uint64_t answers = 0; const std::size_t size : {500u, 10u, 3u, 0u}) {
    static_cast<void>(caller.remote_request(pattern(size, 1)));
    ++answers;
    eventually([&] { return callee.statistics().messages_sent == answers; });
  }

  RpcStatistics s = caller.statistics();
  CHECK(s.requests_sent == 4);
  CHECK(s.responses_sent == 0);
  CHECK(s.errors_sent == 0);
  CHECK(s.messages_sent == 4);
  CHECK(s.bytes_written == 513);
  CHECK(s.packets_written == 3 + 1 + 1 + 1);
  CHECK(s.writing_max_packet_size == 224);
  CHECK(s.writing_last_packet_size == 0);
  CHECK(s.writing_last_message_size == 0);
  CHECK(s.requests_received == 0);
  CHECK(s.responses_received == 3);
  CHECK(s.errors_received == 1);
  CHECK(s.messages_received == 4);
  CHECK(s.bytes_read == 225 + 7 + 4 + 7);
  CHECK(s.packets_read == 2 + 1 + 1 + 1);
  CHECK(s.reading_max_packet_size == 224);
  CHECK(s.reading_last_packet_size == 7);
  CHECK(s.reading_last_message_size == 7);
  CHECK(s.max_wait_write >= 0ns);
  CHECK(s.max_wait_read > 0ns);
  CHECK(s.discarded_responses == 0);
  CHECK(s.cancels_sent == 0);

  s = callee.statistics();
  CHECK(s.requests_received == 4);
  CHECK(s.messages_received == 4);
  CHECK(s.responses_received == 0);
  CHECK(s.bytes_read == 513);
  CHECK(s.packets_read == 6);
  CHECK(s.reading_max_packet_size == 224);
  CHECK(s.reading_last_packet_size == 0);
  CHECK(s.reading_last_message_size == 0);
  CHECK(s.responses_sent == 3);
  CHECK(s.errors_sent == 1);
  CHECK(s.messages_sent == 4);
  CHECK(s.bytes_written == 243);
  CHECK(s.packets_written == 5);
  CHECK(s.writing_max_packet_size == 224);
  CHECK(s.writing_last_packet_size == 7);
  CHECK(s.writing_last_message_size == 7);
  CHECK((s.broken_packets | s.stale_packets) == 0);

  caller.reset_statistics();
  s = caller.statistics();
  CHECK((s.bytes_read | s.packets_read | s.messages_received | s.bytes_written | s.packets_written | s.messages_sent) == 0);
  CHECK(s.writing_max_packet_size == -1);
  CHECK(s.reading_last_message_size == -1);
  CHECK(s.max_wait_read == -1ns);
  CHECK(s.protocol_overhead_per_packet == 32);
}

TEST_CASE("in_flight and queue_depth tell this moment, and reset leaves them alone", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::atomic<bool> go = false;
  RpcOptions options;
  options.handler_threads = 1;
  RpcBuffer caller(name), callee(name, [&](std::uint64_t, Payload) {
    while (!go) std::this_thread::sleep_for(1ms);
  }, options);
  std::vector<std::future<RpcResponse>> futures;
  for (int i = 0; i < 5; ++i) futures.push_back(caller.remote_request_async());
  CHECK(caller.statistics().in_flight == 5);
  eventually([&] { return callee.statistics().queue_depth == 4; });
  caller.reset_statistics();
  callee.reset_statistics();
  CHECK(caller.statistics().in_flight == 5);
  CHECK(callee.statistics().queue_depth == 4);
  go = true;
  for (auto& future : futures) CHECK(future.get().success());
  CHECK(caller.statistics().in_flight == 0);
  CHECK(callee.statistics().queue_depth == 0);
}

TEST_CASE("counters stay exact when many threads call in both directions", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  RpcBuffer a(name, echo, small(1000, 10)), b(name, echo);
  constexpr int calls = 300;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        RpcBuffer& caller = i % 2 == 0 ? a : b;
        for (int n = 0; n < calls; ++n) static_cast<void>(caller.remote_request(pattern(1500, 1)));
      });
    }
  }
  eventually([&] { return a.statistics().messages_sent == 4 * calls && b.statistics().messages_sent == 4 * calls; });
  for (RpcBuffer* one : {&a, &b}) {
    const RpcStatistics s = one->statistics();
    CHECK(s.requests_sent == 2 * calls);
    CHECK(s.responses_sent == 2 * calls);
    CHECK(s.requests_received == 2 * calls);
    CHECK(s.responses_received == 2 * calls);
    CHECK(s.bytes_written == 4ull * calls * 1500);
    CHECK(s.bytes_read == 4ull * calls * 1500);
    CHECK(s.packets_written == 4ull * calls * 2);
    CHECK(s.packets_read == 4ull * calls * 2);
    CHECK((s.timeouts | s.discarded_responses | s.broken_packets | s.stale_packets) == 0);
  }
}
