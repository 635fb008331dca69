// Calls, topics and structs between two builds of Strait (mixed.cpp), one of which dies at the end.

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/notifying_buffer.hpp>
#include <strait/publisher.hpp>
#include <strait/rpc_buffer.hpp>
#include <strait/shared_struct.hpp>
#include <strait/subscriber.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using strait::Delivery;
using strait::forever;
using strait::NotifyingBuffer;
using strait::Publisher;
using strait::RpcBuffer;
using strait::RpcOptions;
using strait::RpcOutcome;
using strait::SharedStruct;
using strait::Status;
using strait::Subscriber;
using strait::TopicOptions;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::eventually;
using strait::test::hear;
using strait::test::NameGuard;
using strait::test::Program;
using strait::test::say;
using strait::test::Watchdog;

namespace {

constexpr std::uint32_t rounds = 500;

// Lengths on both sides of whole packets and nodes.
std::vector<std::byte> pattern(std::uint32_t round) {
  std::vector<std::byte> bytes(round * 7 % 1500);
  for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<std::byte>((at * 31 + round) >> 2);
  return bytes;
}

const auto backwards = [](std::uint64_t, std::span<const std::byte> asked) { return std::vector<std::byte>(asked.rbegin(), asked.rend()); };

bool all_answered(RpcBuffer& calls) {
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const auto asked = pattern(round);
    if (calls.remote_request(asked, forever).data != backwards(0, asked)) return false;
  }
  return true;
}

const ChildFunction call{"mixed: call", [](std::span<const std::string> arguments) -> int {
  RpcBuffer calls(arguments[0], backwards);
  say(all_answered(calls) ? "answered" : "wrong");
  hear();
  return 0;
}};

const ChildFunction publish_again{"mixed: publish again", [](std::span<const std::string> arguments) -> int {
  Subscriber subscriber(arguments[0], arguments[2] == "lossy" ? Delivery::lossy : Delivery::lossless);
  Publisher publisher(arguments[1]);
  say("ready");
  for (;;) {
    const auto received = subscriber.receive(forever);
    if (!received || publisher.publish(received.data, forever) != Status::ok) return 1;
  }
}};

struct Position {
  std::uint32_t turns;
  alignas(8) double seconds;
};

const ChildFunction change{"mixed: change", [](std::span<const std::string> arguments) -> int {
  SharedStruct<Position> position(arguments[0]);
  NotifyingBuffer latest(arguments[1], 2000);
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    position.update([&](Position& now) { now = {round, round / 4.0}; });
    latest.write(pattern(round));
  }
  return 0;
}};

}  // namespace

TEST_CASE("two builds call each other, and one is told that the other is lost") {
  const Watchdog watchdog(150s);
  NameGuard name("mixed");
  RpcOptions options;
  options.buffer_capacity = 512;
  RpcBuffer calls(name, backwards, options);
  Child other("mixed: call", {name.str()}, Program::other);
  CHECK(all_answered(calls));
  CHECK(other.read_line() == "answered");
  other.kill();
  other.wait();
  CHECK(calls.remote_request(pattern(1), forever).outcome == RpcOutcome::peer_lost);
}

TEST_CASE("two builds publish to each other, and one is told that the other is gone") {
  const Watchdog watchdog(150s);
  TopicOptions options;
  options.node_count = 32;
  options.node_buffer_size = 128;
  for (const std::string delivery : {"lossless", "lossy"}) {
    NameGuard there("mixed");
    NameGuard back("mixed");
    Publisher publisher(there, options);
    Subscriber subscriber(back);
    Child other("mixed: publish again", {there.str(), back.str(), delivery}, Program::other);
    REQUIRE(other.read_line() == "ready");
    CHECK(publisher.wait_for_subscribers(1, forever) == Status::ok);
    std::uint32_t wrong = 0;
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const auto message = pattern(round);
      wrong += publisher.publish(message, forever) != Status::ok || subscriber.receive(forever).data != message;
    }
    CHECK(wrong == 0);
    other.kill();
    other.wait();
    eventually([&] { return publisher.active_connections() == 0 && subscriber.active_connections() == 0; });
  }
}

TEST_CASE("two builds see each other's changes of a struct and of a notifying buffer, whole") {
  const Watchdog watchdog(150s);
  NameGuard name("mixed");
  NameGuard latest_name("mixed");
  SharedStruct<Position> position(name, Position{});
  NotifyingBuffer latest(latest_name, 2000);
  Child other("mixed: change", {name.str(), latest_name.str()}, Program::other);
  std::uint32_t torn = 0;
  for (std::uint64_t seen = 0; seen < rounds;) {
    CHECK(position.wait_for_change(seen, forever) == Status::ok);
    seen = position.version();
    const Position now = position.load();
    torn += now.seconds != now.turns / 4.0;
  }
  CHECK(torn == 0);
  CHECK(position.load().turns == rounds);
  CHECK(latest.wait_for_change(rounds - 1, forever) == Status::ok);
  CHECK(latest.read() == pattern(rounds));
  CHECK(other.wait().clean());
}
