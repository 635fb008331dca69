// More requests than the other side's handlers keep up with: senders wait, nothing is lost, and everything else moves.

#include "rpc.hpp"

#include "support/eventually.hpp"
#include "support/workers.hpp"

#include <atomic>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

using namespace strait;
using namespace strait::test;

namespace {

constexpr std::uint64_t most = rpc::Work::most_requests;

// One handler at a time, which waits until it is told; what came, in order.
struct Dam {
  std::atomic<bool> open = false;
  std::atomic<int> entered = 0;
  std::vector<std::uint32_t> came;  // by one handler at a time

  auto handler() {
    return [this](std::uint64_t, Payload payload) {
      ++entered;
      while (!open) std::this_thread::sleep_for(1ms);
      std::uint32_t number = 0;
      std::memcpy(&number, payload.data(), sizeof number);
      came.push_back(number);
      return number;
    };
  }
};

RpcOptions one_at_a_time(std::size_t capacity, std::size_t nodes) {
  auto options = small(capacity, nodes);
  options.handler_threads = 1;
  return options;
}

std::vector<std::byte> numbered(std::uint32_t number, std::size_t size = sizeof(std::uint32_t)) {
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

// Requests 0 .. count - 1 without waiting for the answers.
std::vector<std::future<RpcResponse>> flood(RpcBuffer& caller, std::uint32_t count, std::size_t size = sizeof(std::uint32_t)) {
  std::vector<std::future<RpcResponse>> futures;
  for (std::uint32_t i = 0; i < count; ++i) futures.push_back(caller.remote_request_async(numbered(i, size), 100s));
  return futures;
}

}  // namespace

TEST_CASE("a flood of requests is held back at its senders: the callee keeps so many and no more, and every one is served, in order", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  Dam dam;
  const auto options = one_at_a_time(256, 4);
  RpcBuffer caller(name, [](std::uint64_t, Payload payload) { return payload; }, options);
  RpcBuffer callee(name, dam.handler(), options);
  constexpr std::uint32_t count = 3 * most;
  auto futures = flood(caller, count);
  eventually([&] { return callee.statistics().queue_depth >= most; });

  // Answers, requests the other way, and the statistics go on.
  for (int i = 0; i < 100; ++i) CHECK(callee.remote_request(i).as<int>() == i);

  const auto sent = caller.statistics().requests_sent;
  CHECK(callee.statistics().queue_depth <= most + 4);  // a ring of 4 may have been on its way
  CHECK(sent <= most + 4 + 1);
  CHECK(caller.remote_request(1, no_wait).outcome == RpcOutcome::timed_out);  // does not fit: not sent
  CHECK(caller.remote_request(1, 20ms).outcome == RpcOutcome::timed_out);     // waits for its time, and is not sent
  CHECK(caller.statistics().requests_sent == sent);

  dam.open = true;
  for (std::uint32_t i = 0; i < count; ++i) CHECK(futures[i].get().as<std::uint32_t>() == i);
  REQUIRE(dam.came.size() == count);
  for (std::uint32_t i = 0; i < count; ++i) CHECK(dam.came[i] == i);
  CHECK(caller.remote_request(numbered(7)).as<std::uint32_t>() == 7);
}

TEST_CASE("requests without an answer that fit are served, also when there are more than the callee keeps", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  Dam dam;
  const auto options = one_at_a_time(256, 4);
  RpcBuffer caller(name, options);
  RpcBuffer callee(name, dam.handler(), options);
  while (callee.statistics().queue_depth < most) static_cast<void>(caller.remote_request(numbered(1), no_wait));
  for (int i = 0; i < 1000; ++i) static_cast<void>(caller.remote_request(numbered(1), no_wait));
  CHECK(callee.statistics().queue_depth <= most + 4);
  dam.open = true;
  eventually([&] { return caller.statistics().discarded_responses == caller.statistics().requests_sent; });
  CHECK(dam.came.size() == caller.statistics().requests_sent);
}

TEST_CASE("long requests are bounded by their bytes", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  Dam dam;
  const auto options = one_at_a_time(1 << 20, 2);
  RpcBuffer caller(name, options);
  RpcBuffer callee(name, dam.handler(), options);
  constexpr std::size_t size = 8 << 20, fitting = rpc::Work::most_bytes / size;
  auto futures = flood(caller, fitting + 4, size);
  eventually([&] { return callee.statistics().queue_depth >= fitting; });
  CHECK(callee.statistics().queue_depth <= fitting + 1);
  dam.open = true;
  for (std::uint32_t i = 0; i < futures.size(); ++i) CHECK(futures[i].get().as<std::uint32_t>() == i);
}

TEST_CASE("a cancellation overtakes the requests that are held back", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  const auto options = one_at_a_time(256, 4);
  RpcBuffer caller(name, options);
  std::atomic<bool> first = true;
  RpcBuffer callee(name, [&](std::uint64_t, Payload payload, std::stop_token stop) {
    while (first && !stop.stop_requested()) std::this_thread::sleep_for(1ms);
    first = false;
    return payload;
  }, options);
  std::stop_source stop;
  auto stopped = caller.remote_request_async(numbered(0), 100s, stop.get_token());
  auto futures = flood(caller, 2 * most);
  eventually([&] { return callee.statistics().queue_depth >= most; });
  stop.request_stop();
  CHECK(stopped.get().outcome == RpcOutcome::cancelled);
  for (std::uint32_t i = 0; i < futures.size(); ++i) CHECK(futures[i].get().as<std::uint32_t>() == i);
}

TEST_CASE("callers that are held back end when the other side closes, and its successor is not taken for full", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  Dam dam;
  const auto options = one_at_a_time(256, 4);
  RpcBuffer caller(name, options);
  std::optional<RpcBuffer> callee(std::in_place, name, dam.handler(), options);
  auto futures = flood(caller, most + 100);
  eventually([&] { return callee->statistics().queue_depth >= most; });
  Workers workers;
  std::atomic<int> closed = 0, blocked = 0;
  for (int i = 0; i < 4; ++i) {
    workers.run([&] {
      ++blocked;
      closed += caller.remote_request(numbered(1), forever).outcome == RpcOutcome::closed;
    });
  }
  eventually([&] { return blocked == 4; });
  workers.run([&] { callee->close(); });
  eventually([&] { return closed == 4; });
  dam.open = true;
  CHECK(workers.join() == "");
  for (auto& future : futures) CHECK(future.get().outcome == RpcOutcome::closed);
  {
    // One that said so and never took it back, as if it had been killed.
    rpc::Channel full(name, options);
    full.tell_full(true);
    const auto sent = caller.statistics().requests_sent;
    CHECK(caller.remote_request(1, 20ms).outcome == RpcOutcome::timed_out);
    CHECK(caller.statistics().requests_sent == sent);
    full.leave();
  }
  RpcBuffer next(name, [](std::uint64_t, Payload payload) { return payload; });
  for (std::uint32_t i = 0; i < 10; ++i) CHECK(caller.remote_request(numbered(i)).as<std::uint32_t>() == i);
}

TEST_CASE("of what a peer sends that does not wait when it is told to, 65,536 requests are kept and served in order, and the rest is dropped", "[two-mappings]") {
  const Watchdog watchdog;
  NameGuard name("rpc");
  constexpr std::uint64_t kept = rpc::Work::most_of_a_deaf_peer;
  constexpr std::uint64_t beyond = 1000;
  static_assert(kept == 65'536);
  Dam dam;
  RpcBuffer callee(name, dam.handler(), one_at_a_time(256, 1024));
  {
    rpc::Channel peer(name, one_at_a_time(256, 1024));
    for (std::uint32_t number = 0; number < 1 + kept + beyond; ++number) {
      auto claimed = peer.out().claim_once();
      for (; claimed.status != Status::ok; claimed = peer.out().claim_once()) std::this_thread::yield();
      layout::PacketHeader header{};
      header.type = static_cast<std::uint8_t>(layout::PacketType::request);
      header.flags = layout::packet_forgotten;
      header.from = peer.epoch();
      header.to = peer.peer().epoch();
      header.id = number + 1;
      header.total = sizeof number;
      const auto room = peer.out().room(claimed.ticket);
      std::memcpy(room.data(), &header, sizeof header);
      std::memcpy(room.data() + sizeof header, &number, sizeof number);
      REQUIRE(peer.out().publish(claimed.ticket, sizeof header + sizeof number) == Status::ok);
      // The first one is in its handler before the others are counted.
      while (number == 0 && dam.entered == 0) std::this_thread::yield();
    }
    eventually([&] { return callee.statistics().packets_read == 1 + kept + beyond; });
    eventually([&] { return callee.statistics().broken_packets == beyond; });
    CHECK(callee.statistics().queue_depth == kept);
    dam.open = true;
    eventually([&] {
      for (auto reply = peer.in().take_once(); reply.status == Status::ok; reply = peer.in().take_once()) peer.in().release(reply.ticket);
      return dam.entered == static_cast<int>(1 + kept);
    });
  }
  callee.close();
  REQUIRE(dam.came.size() == 1 + kept);
  bool in_order = true;
  for (std::uint32_t number = 0; number <= kept; ++number) in_order = in_order && dam.came[number] == number;
  CHECK(in_order);
}
