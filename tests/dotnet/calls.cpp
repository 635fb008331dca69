// Calls over a channel of the C# library, between our own endpoints, and with a peer that is made by hand.

#include "dotnet.hpp"

#include "../support/workers.hpp"

#include <strait/dotnet/packet.hpp>
#include <strait/named_mutex.hpp>
#include <strait/on_error.hpp>

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <thread>

using namespace strait::test;
using namespace std::chrono_literals;
using strait::Errc;
using strait::forever;
using strait::no_wait;
using strait::RpcOptions;
using strait::RpcOutcome;
using strait::RpcResponse;
using strait::Status;
namespace dotnet = strait::dotnet;

namespace {

using Payload = std::span<const std::byte>;

RpcOptions small(std::size_t nodes, std::size_t capacity = 256) {
  RpcOptions options;
  options.buffer_capacity = capacity;
  options.node_count = nodes;
  return options;
}

Bytes echo(std::uint64_t, Payload in) {
  const auto* const first = reinterpret_cast<const unsigned char*>(in.data());
  return {first, first + in.size()};
}

bool is(const RpcResponse& response, const Bytes& expected) {
  return response.outcome == RpcOutcome::ok && response.data.size() == expected.size() &&
         (expected.empty() || std::memcmp(response.data.data(), expected.data(), expected.size()) == 0);
}

// A master by hand: its mutex and its rings.
struct HandMade {
  HandMade(const std::string& name, std::size_t nodes)
      : mutex(name + "SharedMemory_MasterMutex"), out(name + "_Slave_SharedMemory_MMF", nodes, 256), in(name + "_Master_SharedMemory_MMF", nodes, 256) {
    mutex.lock();
  }
  ~HandMade() { mutex.unlock(); }

  void packet(dotnet::PacketHeader header, std::size_t slice) {
    Bytes node(sizeof header + slice, 7);
    std::memcpy(node.data(), &header, sizeof header);
    REQUIRE(out.write(node) == Status::ok);
  }

  // Type and number of the message that is answered.
  std::string answer() {
    std::string text = "nothing";
    static_cast<void>(in.read_with(
        [&](Payload node) {
          const auto packet = dotnet::parse(node, 224);
          text = packet ? std::to_string(packet->header.type) + " to " + std::to_string(packet->header.response_id) : "broken";
        },
        5s));
    return text;
  }

  strait::NamedMutex mutex;
  dotnet::CircularBuffer out;
  dotnet::CircularBuffer in;
};

dotnet::PacketHeader header_of(unsigned type, std::uint64_t id, std::int32_t size, std::uint16_t current, std::uint16_t total, std::uint64_t answers = 0) {
  dotnet::PacketHeader header{};
  header.type = static_cast<std::uint8_t>(type);
  header.message_id = id;
  header.payload_size = size;
  header.current_packet = current;
  header.total_packets = total;
  header.response_id = answers;
  return header;
}

// What handlers throw goes nowhere during a test.
struct Quiet {
  Quiet() { strait::on_error([](std::exception_ptr, std::string_view) {}); }
  ~Quiet() { strait::on_error({}); }
};

}  // namespace

TEST_CASE("dotnet calls: payloads of every length around whole numbers of packets arrive whole, both ways, whatever the ring's length") {
  const Watchdog watchdog;
  for (const std::size_t nodes : {2u, 3u, 10u}) {
    INFO(nodes << " nodes");
    const NameGuard name("dotnet-rpc");
    dotnet::RpcBuffer master(name.str(), echo, small(nodes));
    dotnet::RpcBuffer slave(name.str(), echo);
    CHECK(master.is_master());
    CHECK_FALSE(slave.is_master());
    for (std::size_t packets = 0; packets <= 5; ++packets) {
      for (const int more : {-1, 0, 1}) {
        if (packets == 0 && more < 0) continue;
        const Bytes payload = counting(packets * 224 + static_cast<std::size_t>(more));
        INFO(payload.size() << " bytes");
        CHECK(is(master.remote_request(as_bytes(payload)), payload));
        CHECK(is(slave.remote_request(as_bytes(payload)), payload));
      }
    }
  }
}

TEST_CASE("dotnet calls: no handler, a handler that fails, no time, a stop token and the end: each call has its verdict") {
  const Watchdog watchdog;
  const Quiet quiet;
  const NameGuard name("dotnet-rpc");
  dotnet::RpcBuffer master(name.str(), small(3));
  CHECK(master.remote_request(1, 5ms).outcome == RpcOutcome::timed_out);   // nobody is there
  CHECK(master.remote_request(as_bytes(counting(2000)), 5ms).outcome == RpcOutcome::timed_out);  // nor is there room
  CHECK(master.remote_request(1, no_wait).outcome == RpcOutcome::timed_out);
  CHECK(caught([&] { return master.remote_request(std::vector<std::byte>(65'535u * 224u)); }) == Errc::message_too_large);
  std::promise<void> go_on;
  auto gone_on = go_on.get_future().share();
  dotnet::RpcBuffer slave(name.str(), [=](std::uint64_t, Payload in) {
    if (in.size() == 1) gone_on.wait();
    if (in.size() == 2) throw std::runtime_error("no");
  });
  CHECK(master.remote_request(as_bytes(Bytes(2))).outcome == RpcOutcome::handler_failed);
  CHECK(slave.remote_request(1).outcome == RpcOutcome::handler_failed);
  CHECK(master.remote_request(as_bytes(Bytes(1)), 5ms).outcome == RpcOutcome::timed_out);
  std::stop_source stop;
  auto cancelled = master.remote_request_async(as_bytes(Bytes(1)), forever, stop.get_token());
  stop.request_stop();
  CHECK(cancelled.get().outcome == RpcOutcome::cancelled);
  CHECK(is(master.remote_request(as_bytes(Bytes(3))), {}));
  auto pending = master.remote_request_async(as_bytes(Bytes(1)), forever);
  go_on.set_value();
  CHECK(pending.get().outcome == RpcOutcome::ok);
  master.close();
  CHECK(master.remote_request(1).outcome == RpcOutcome::closed);
  CHECK(slave.remote_request(1).outcome == RpcOutcome::closed);
}

TEST_CASE("dotnet calls: the master's close ends the slave's pending calls, and the channel begins anew when both are gone") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-rpc");
  std::promise<void> go_on;
  auto gone_on = go_on.get_future().share();
  std::optional<dotnet::RpcBuffer> master(std::in_place, name.str(), [=](std::uint64_t, Payload) { gone_on.wait(); }, small(3));
  std::optional<dotnet::RpcBuffer> slave(std::in_place, name.str());
  RpcOptions impatient;
  impatient.open_timeout = 20ms;
  CHECK(caught([&] { return dotnet::RpcBuffer(name.str(), impatient); }) == Errc::channel_full);
  Workers callers;
  callers.run([&] {
    if (slave->remote_request(1, forever).outcome != RpcOutcome::closed) throw std::runtime_error("not closed");
  });
  auto future = slave->remote_request_async({}, forever);
  // The handlers wait, so the master's close does too: it is told first, and they go on afterwards.
  Workers closer;
  closer.run([&] { master->close(); });
  CHECK(callers.join() == "");
  CHECK(future.get().outcome == RpcOutcome::closed);
  go_on.set_value();
  CHECK(closer.join() == "");
  master.reset();
  CHECK(caught([&] { return dotnet::RpcBuffer(name.str(), impatient); }) == Errc::closed);
  slave.reset();
  dotnet::RpcBuffer next(name.str(), small(4));
  CHECK(next.is_master());
}

TEST_CASE("dotnet calls: the statistics count every packet, byte and message") {
  const Watchdog watchdog;
  const Quiet quiet;
  const NameGuard name("dotnet-rpc");
  dotnet::RpcBuffer master(name.str(), small(5));
  dotnet::RpcBuffer slave(name.str(), [](std::uint64_t, Payload in) {
    if (in.empty()) throw std::runtime_error("no");
    return Bytes(10);
  });
  CHECK(master.remote_request(as_bytes(counting(448))));
  CHECK(master.remote_request(as_bytes(counting(100))));
  CHECK_FALSE(master.remote_request());
  const auto m = master.statistics();
  CHECK(m.protocol_overhead_per_packet == 32);
  CHECK(m.packets_written == 3 + 1 + 1);
  CHECK(m.bytes_written == 548);
  CHECK(m.requests_sent == 3);
  CHECK(m.messages_sent == 3);
  CHECK(m.writing_max_packet_size == 224);
  CHECK(m.writing_last_message_size == 0);
  CHECK(m.packets_read == 3);
  CHECK(m.bytes_read == 20);
  CHECK(m.responses_received == 2);
  CHECK(m.errors_received == 1);
  CHECK(m.timeouts == 0);
  const auto s = slave.statistics();
  CHECK(s.requests_received == 3);
  CHECK(s.packets_read == 5);
  CHECK(s.responses_sent == 2);
  CHECK(s.errors_sent == 1);
  master.reset_statistics();
  CHECK(master.statistics().packets_written == 0);
}

TEST_CASE("dotnet calls: callbacks and handlers may call back, also when all threads and both rings are in use") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-rpc");
  std::unique_ptr<dotnet::RpcBuffer> slave;
  dotnet::RpcBuffer master(name.str(), echo, small(2));
  slave = std::make_unique<dotnet::RpcBuffer>(name.str(), [&](std::uint64_t, Payload in) {
    const auto response = slave->remote_request(in);
    if (!response) throw std::runtime_error(response.error);
    return response.data;
  });
  std::promise<RpcResponse> done;
  master.remote_request_async(as_bytes(counting(300)), [&](RpcResponse first) { done.set_value(master.remote_request(first.data)); });
  CHECK(is(done.get_future().get(), counting(300)));
  slave->close();
}

TEST_CASE("dotnet calls: a storm both ways through two nodes, with messages longer than the ring, ends with every answer") {
  const Watchdog watchdog(120s);
  for (const std::size_t size : {101u, 1500u}) {
    const NameGuard name("dotnet-rpc");
    dotnet::RpcBuffer master(name.str(), echo, small(2));
    dotnet::RpcBuffer slave(name.str(), echo);
    Workers callers;
    for (int i = 0; i < 8; ++i) {
      callers.run([&, i] {
        auto& mine = i % 2 == 0 ? master : slave;
        for (int n = 0; n < 60; ++n) {
          Bytes payload = counting(size + static_cast<std::size_t>(n % 3));
          payload[0] = static_cast<unsigned char>(i);
          payload[1] = static_cast<unsigned char>(n);
          const auto response = n % 4 == 0 ? mine.remote_request_async(as_bytes(payload), forever).get() : mine.remote_request(as_bytes(payload), forever);
          if (!is(response, payload)) throw std::runtime_error("a wrong answer: " + response.error);
        }
      });
    }
    CHECK(callers.join() == "");
  }
}

TEST_CASE("dotnet calls: messages of which C# has dropped packets are lost, are not taken for whole, and hold up nothing") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-rpc");
  HandMade master(name, 10);
  std::atomic<int> served{0};
  dotnet::RpcBuffer slave(name.str(), [&](std::uint64_t, Payload) { ++served; });
  // The middle one of three is missing.
  master.packet(header_of(1, 1, 600, 1, 3), 224);
  master.packet(header_of(1, 1, 600, 3, 3), 152);
  CHECK(master.answer() == "3 to 1");
  // The last one is missing, and another message follows.
  master.packet(header_of(1, 2, 300, 1, 2), 224);
  master.packet(header_of(1, 3, 5, 1, 1), 5);
  CHECK(master.answer() == "3 to 2");
  CHECK(master.answer() == "2 to 3");
  // The first one is missing.
  master.packet(header_of(1, 4, 300, 2, 2), 76);
  CHECK(master.answer() == "3 to 4");
  CHECK(served == 1);
  // The same with an answer.
  auto call = slave.remote_request_async({}, forever);
  CHECK(master.answer() == "1 to 0");
  master.packet(header_of(2, 5, 300, 2, 2, slave.statistics().messages_sent), 76);
  // (whichever number it had: every one that it may have had is answered so)
  for (std::uint64_t id = 1; id < 10; ++id) master.packet(header_of(2, 6, 300, 2, 2, id), 76);
  CHECK(call.get().outcome == RpcOutcome::handler_failed);
}

TEST_CASE("dotnet calls: packets of random numbers and lengths never crash or stop an endpoint") {
  const Watchdog watchdog(120s);
  const Quiet quiet;
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const NameGuard name("dotnet-rpc");
  HandMade master(name, 10);
  dotnet::RpcBuffer slave(name.str(), echo);
  std::jthread drain([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) static_cast<void>(master.in.read_with([](Payload) {}, 5ms));
  });
  for (int i = 0; i < 5000; ++i) {
    const auto odd = [&](std::int64_t usual) { return random() % 4 == 0 ? static_cast<std::int64_t>(random()) : usual + static_cast<std::int64_t>(random() % 3) - 1; };
    const auto header = header_of(static_cast<unsigned>(odd(1)), static_cast<std::uint64_t>(odd(5)), static_cast<std::int32_t>(odd(448)), static_cast<std::uint16_t>(odd(1)),
                                  static_cast<std::uint16_t>(odd(2)), static_cast<std::uint64_t>(odd(1)));
    Bytes node(random() % 257, 7);
    if (node.size() >= sizeof header || random() % 8 != 0) node.resize(std::max(node.size(), sizeof header));
    if (!node.empty()) std::memcpy(node.data(), &header, std::min(node.size(), sizeof header));
    REQUIRE(master.out.write(node, 10s) == Status::ok);
  }
  drain.request_stop();
  drain.join();
  while (master.in.read_with([](Payload) {}, 100ms) == Status::ok) {
  }
  master.packet(header_of(1, 9999, 5, 1, 1), 5);
  for (std::string answer = master.answer(); answer != "2 to 9999"; answer = master.answer()) CHECK(answer != "nothing");
}

TEST_CASE("dotnet calls: an endpoint whose ring was spoilt ends its calls") {
  const Watchdog watchdog;
  for (const char* ring : {"_Slave_SharedMemory_MMF", "_Master_SharedMemory_MMF"}) {
    const NameGuard name("dotnet-rpc");
    dotnet::RpcBuffer master(name.str(), small(3));
    const std::int32_t bad[4] = {-5, 77, 1 << 30, -1};
    shm_patch(name.str() + ring, 16, bad, sizeof bad);
    CHECK(master.remote_request(1, forever).outcome == RpcOutcome::closed);
    CHECK(master.remote_request_async({}, forever).get().outcome == RpcOutcome::closed);
  }
}

TEST_CASE("dotnet calls: opening tells what is wrong") {
  const NameGuard name("dotnet-rpc");
  CHECK(caught([&] { return dotnet::RpcBuffer(name.str(), small(3, 255)); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::RpcBuffer(name.str(), small(3, (1 << 20) + 1)); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::RpcBuffer(name.str(), small(1)); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::RpcBuffer("", small(3)); }) == Errc::invalid_argument);
  dotnet::RpcBuffer moved_from(name.str(), small(3));
  dotnet::RpcBuffer endpoint(std::move(moved_from));
  CHECK(caught([&] { return moved_from.is_master(); }) == Errc::closed);
  CHECK(endpoint.is_master());
}
