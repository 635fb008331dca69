// The packets of calls: byte for byte what the running C# library produced, written by ours and understood by ours. Capacity 256: a
// packet is 32 bytes of header and up to 224 of payload.

#include "dotnet.hpp"

#include <strait/dotnet/packet.hpp>
#include <strait/named_mutex.hpp>
#include <strait/on_error.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>

using namespace strait::test;
using namespace std::chrono_literals;
using strait::no_wait;
using strait::RpcOptions;
using strait::RpcOutcome;
using strait::Status;
namespace dotnet = strait::dotnet;

namespace {

RpcOptions with_nodes(std::size_t count) {
  RpcOptions options;
  options.buffer_capacity = 256;
  options.node_count = count;
  return options;
}

std::string to_slave(const std::string& name) { return name + "_Slave_SharedMemory_MMF"; }
std::string to_master(const std::string& name) { return name + "_Master_SharedMemory_MMF"; }

// A master that does nothing: its mutex and its rings. What it is sent stays in them.
struct StillMaster {
  StillMaster(const std::string& name, std::size_t nodes)
      : mutex(name + "SharedMemory_MasterMutex"), out(to_slave(name), nodes, 256), in(to_master(name), nodes, 256) {
    mutex.lock();
  }
  ~StillMaster() { mutex.unlock(); }

  // As C# cuts it: no packet more than needed.
  void send(std::uint64_t id, const Bytes& payload) {
    dotnet::Outgoing message(dotnet::PacketType::request, id, 0, as_bytes(payload), static_cast<std::uint16_t>(payload.empty() ? 1 : (payload.size() + 223) / 224));
    while (!message.is_sent()) CHECK(out.write_with([&](std::span<std::byte> node) { return message.write(node); }) == Status::ok);
  }

  strait::NamedMutex mutex;
  dotnet::CircularBuffer out;
  dotnet::CircularBuffer in;
};

// A slave answers what a silent master sent; then both rings are compared.
template <class Handler>
void check_answer(std::size_t nodes, std::uint64_t id, const Bytes& request, Handler handler, std::string_view slave_ring, std::string_view master_ring) {
  const Watchdog watchdog;
  const NameGuard name("dotnet-rpc");
  StillMaster master(name, nodes);
  dotnet::RpcBuffer slave(name.str(), handler);
  CHECK_FALSE(slave.is_master());
  master.send(id, request);
  eventually([&] { return has_bytes(to_slave(name), golden(slave_ring)); });
  eventually([&] { return has_bytes(to_master(name), golden(master_ring)); });
}

}  // namespace

TEST_CASE("dotnet golden: a master's requests have the bytes of the C# library's") {
  const Watchdog watchdog;
  struct Case {
    Bytes payload;
    std::size_t nodes;
    const char* slave_ring;
    const char* master_ring;
  };
  for (const Case& one : {Case{{123, 10}, 3, "f_req_123_10_slavering", "f_req_123_10_masterring"},
                          Case{{}, 3, "f_req_null_slavering", "f_req_null_masterring"},
                          Case{counting(600), 3, "f_req_600_3nodes_slavering", "f_req_600_3nodes_masterring"},
                          Case{counting(600), 5, "f_req_600_5nodes_slavering", "f_req_600_5nodes_masterring"}}) {
    INFO(one.slave_ring);
    const NameGuard name("dotnet-rpc");
    dotnet::RpcBuffer master(name.str(), with_nodes(one.nodes));
    CHECK(master.is_master());
    CHECK(master.remote_request(as_bytes(one.payload), 30ms).outcome == RpcOutcome::timed_out);
    CHECK(differs(to_slave(name), one.slave_ring) == "");
    CHECK(differs(to_master(name), one.master_ring) == "");
  }
}

TEST_CASE("dotnet golden: a request of exactly two packets is followed by an empty third one, and is otherwise the C# library's") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-rpc");
  dotnet::RpcBuffer master(name.str(), with_nodes(5));
  CHECK(master.remote_request(as_bytes(counting(448)), no_wait).outcome == RpcOutcome::timed_out);
  CHECK(differs(to_master(name), "f_req_448_5nodes_masterring") == "");

  Bytes expected = golden("f_req_448_5nodes_slavering");
  REQUIRE(expected.size() == 1480);
  const std::size_t nodes = 40, data = nodes + 5 * 32;
  expected[24] = expected[28] = 3;                            // both cursors of the writers are one further on
  expected[nodes + 2 * 32 + 28] = 32;                         // the third node holds a header
  expected[data + 22] = expected[data + 256 + 22] = 3;        // three packets in all
  std::copy_n(expected.begin() + data, 32, expected.begin() + data + 512);
  expected[data + 512 + 20] = 3;                              // and this is the third
  CHECK(difference(bytes_of(to_slave(name), expected.size()), expected) == "");
}

TEST_CASE("dotnet golden: a slave's answers have the bytes of the C# library's") {
  check_answer(
      3, 1, {123, 10}, [](std::uint64_t, std::span<const std::byte> in) { return std::to_integer<std::int32_t>(in[0]) + std::to_integer<std::int32_t>(in[1]); },
      "f_resp_sum_slavering", "f_resp_sum_masterring");
  check_answer(
      3, 1, {123, 10}, [](std::uint64_t, std::span<const std::byte>) {}, "f_resp_void_slavering", "f_resp_void_masterring");
  check_answer(
      5, 1, {123, 10}, [](std::uint64_t, std::span<const std::byte>) { return counting(600); }, "f_resp_600_5nodes_slavering", "f_resp_600_5nodes_masterring");
  check_answer(
      5, 7, counting(600), [](std::uint64_t, std::span<const std::byte> in) { return in; }, "f_req600_echo_5nodes_slavering",
      "f_req600_echo_5nodes_masterring");
  std::string told;
  strait::on_error([&](std::exception_ptr, std::string_view where) { told = where; });
  check_answer(
      3, 1, {123, 10}, [](std::uint64_t, std::span<const std::byte>) { throw std::runtime_error("no"); }, "f_resp_error_slavering", "f_resp_error_masterring");
  strait::on_error({});
  CHECK(told == "dotnet::RpcBuffer handler");
}

TEST_CASE("dotnet golden: a C# request of exactly two packets is understood whole, where C# sees zeros in place of the second") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-rpc");
  StillMaster master(name, 5);
  dotnet::RpcBuffer slave(name.str(), [](std::uint64_t, std::span<const std::byte> in) { return in; });
  master.send(8, counting(448));
  Bytes answer;
  for (unsigned packet = 1; packet <= 3; ++packet) {
    const auto status = master.in.read_with([&](std::span<const std::byte> node) {
      const auto read = dotnet::parse(node, 224);
      REQUIRE(read);
      CHECK(read->header.current_packet == packet);
      CHECK(read->header.total_packets == 3);
      CHECK(read->header.response_id == 8);
      for (const std::byte b : read->slice) answer.push_back(std::to_integer<unsigned char>(b));
    });
    REQUIRE(status == Status::ok);
  }
  CHECK(answer == counting(448));
  CHECK(differs(to_slave(name), "f_req448_echo_5nodes_slavering") == "");
  // What C# answers: the same first packet, and zeros in the second.
  const Bytes wrong = golden("f_req448_echo_5nodes_masterring");
  REQUIRE(wrong.size() == 1480);
  CHECK(std::equal(answer.begin(), answer.begin() + 224, wrong.begin() + 200 + 32));
  CHECK(Bytes(wrong.begin() + 200 + 256 + 32, wrong.begin() + 200 + 512) == Bytes(224));
}

TEST_CASE("dotnet golden: after a round trip both rings have the bytes of the C# library's") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-rpc");
  dotnet::RpcBuffer master(name.str(), with_nodes(3));
  dotnet::RpcBuffer slave(name.str(), [](std::uint64_t, std::span<const std::byte> in) {
    return std::to_integer<std::int32_t>(in[0]) + std::to_integer<std::int32_t>(in[1]);
  });
  const Bytes request{123, 10};
  CHECK(master.remote_request(as_bytes(request)).as<std::int32_t>() == 133);
  CHECK(differs(to_slave(name), "f_roundtrip_done_slavering") == "");
  CHECK(differs(to_master(name), "f_roundtrip_done_masterring") == "");
}
