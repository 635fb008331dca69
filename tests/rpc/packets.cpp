// The checks of what another process writes: whatever the numbers say, the answer is a packet that makes sense, or none.

#include "rpc.hpp"

#include <strait/rpc/call_table.hpp>
#include <strait/rpc/packet.hpp>
#include <strait/rpc/reassembly.hpp>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

using namespace strait;
using namespace strait::test;
using rpc::Bytes;
using rpc::PacketHeader;
using rpc::PacketType;
using rpc::Reassembly;

namespace {

constexpr std::size_t slice = 224;

PacketHeader request(std::uint32_t total, std::uint32_t offset, std::uint64_t id = 1) {
  PacketHeader header{};
  header.type = static_cast<std::uint8_t>(PacketType::request);
  header.total = total;
  header.offset = offset;
  header.id = id;
  return header;
}

std::vector<std::byte> node(const PacketHeader& header, std::size_t slice_bytes) {
  std::vector<std::byte> bytes(sizeof header + slice_bytes, std::byte{7});
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

bool makes_sense(const PacketHeader& header, std::size_t slice_bytes) { return rpc::parse(node(header, slice_bytes), slice).has_value(); }

}  // namespace

TEST_CASE("packets whose numbers fit together are taken, all others refused") {
  CHECK(makes_sense(request(0, 0), 0));
  CHECK(makes_sense(request(100, 0), 100));
  CHECK(makes_sense(request(224, 0), 224));
  CHECK(makes_sense(request(225, 0), 224));
  CHECK(makes_sense(request(225, 224), 1));
  CHECK(makes_sense(request(448, 224), 224));

  CHECK_FALSE(rpc::parse(std::vector<std::byte>(31), slice));
  CHECK_FALSE(rpc::parse({}, slice));
  CHECK_FALSE(makes_sense(request(0, 0), 1));
  CHECK_FALSE(makes_sense(request(100, 0), 99));
  CHECK_FALSE(makes_sense(request(225, 0), 225));
  CHECK_FALSE(makes_sense(request(225, 100), 125));
  CHECK_FALSE(makes_sense(request(224, 224), 0));
  CHECK_FALSE(makes_sense(request(100, 224), 100));
  CHECK_FALSE(makes_sense(request(0x80000000u, 0), 224));
  CHECK_FALSE(makes_sense(request(0xffffffffu, 0xffffff00u), 224));
  auto odd = request(0, 0);
  odd.type = 0;
  CHECK_FALSE(makes_sense(odd, 0));
  odd.type = 4;
  CHECK_FALSE(makes_sense(odd, 0));
  odd.type = static_cast<std::uint8_t>(PacketType::cancel);
  CHECK(makes_sense(odd, 0));
  CHECK_FALSE(makes_sense(odd, 1));
  odd.type = static_cast<std::uint8_t>(PacketType::reply);
  CHECK(makes_sense(odd, 0));
  odd.outcome = static_cast<std::uint8_t>(RpcOutcome::closed);  // the peer cannot say that
  CHECK_FALSE(makes_sense(odd, 0));
}

TEST_CASE("random packets never make the receiver read or write beyond what there is") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Reassembly halves;
  for (int round = 0; round < 20'000; ++round) {
    PacketHeader header = request(static_cast<std::uint32_t>(random() % 1000), static_cast<std::uint32_t>(random() % 4 * 224), random() % 3);
    if (random() % 20 == 0) header.total = static_cast<std::uint32_t>(random());
    const std::size_t size = random() % 3 == 0 ? slice : random() % (slice + 1);
    const auto bytes = node(header, size);
    const auto packet = rpc::parse(bytes, slice);
    if (!packet || packet->is_whole_message()) continue;
    REQUIRE(packet->header.offset + packet->slice.size() <= packet->header.total);
    Bytes whole;
    if (halves.add(*packet, whole) == Reassembly::Added::complete) REQUIRE(whole.size() == header.total);
    REQUIRE(halves.size() <= 3);
  }
}

TEST_CASE("slices are put together in order, of several messages at once: a gap or a repetition loses the message and nothing else") {
  Reassembly halves;
  Bytes whole;
  const auto add = [&](std::uint32_t offset, std::uint64_t id) {
    return halves.add(*rpc::parse(node(request(600, offset, id), offset == 448 ? 152 : 224), slice), whole);
  };
  using enum Reassembly::Added;
  CHECK(add(0, 1) == more_to_come);
  CHECK(add(0, 2) == more_to_come);
  CHECK(add(224, 1) == more_to_come);
  CHECK(add(448, 2) == broken);  // a gap
  CHECK(add(448, 1) == complete);
  CHECK(whole.size() == 600);
  CHECK(add(224, 3) == unknown);  // without a beginning
  CHECK(add(0, 4) == more_to_come);
  CHECK(add(0, 4) == broken);  // begun twice
  CHECK(halves.size() == 0);
  CHECK(add(0, 5) == more_to_come);
  CHECK(halves.forget(5));
  CHECK_FALSE(halves.forget(5));
  CHECK(add(224, 5) == unknown);
}

TEST_CASE("calls are found by id, however many are pending and however long some take") {
  rpc::PendingCalls calls;
  rpc::Call old;
  calls.add(old);
  for (int i = 0; i < 10'000; ++i) {
    rpc::Call quick;
    calls.add(quick);
    REQUIRE(calls.find(quick.id) == &quick);
    calls.remove(quick);
    REQUIRE(calls.find(quick.id) == nullptr);
  }
  REQUIRE(calls.find(old.id) == &old);
  std::vector<std::unique_ptr<rpc::Call>> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(std::make_unique<rpc::Call>());
    calls.add(*many.back());
  }
  for (const auto& call : many) REQUIRE(calls.find(call->id) == call.get());
  REQUIRE(calls.find(old.id) == &old);
  CHECK(calls.size() == 1001);
}
