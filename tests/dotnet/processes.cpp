// The C# library's objects between real processes: many messages and many calls, and what is left when somebody is killed.

#include "dotnet.hpp"

#include <strait/dotnet/packet.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>

using namespace strait::test;
using namespace std::chrono_literals;
using strait::forever;
using strait::no_wait;
using strait::RpcOptions;
using strait::RpcOutcome;
using strait::Status;
namespace dotnet = strait::dotnet;

namespace {

constexpr std::uint32_t messages = 100'000;
constexpr int calls = 10'000;

std::uint32_t hash(std::span<const unsigned char> bytes) {
  std::uint32_t h = 2166136261u;
  for (const unsigned char b : bytes) h = (h ^ b) * 16777619u;
  return h;
}

// Number, as many bytes as it says, and a sum of it all.
Bytes message(std::uint32_t number) {
  Bytes bytes(8 + number % 90);
  std::memcpy(bytes.data(), &number, 4);
  for (std::size_t i = 4; i + 4 < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(number * 7 + i);
  const auto sum = hash(std::span(bytes).first(bytes.size() - 4));
  std::memcpy(bytes.data() + bytes.size() - 4, &sum, 4);
  return bytes;
}

const ChildFunction writes{"dotnet: writes", [](std::span<const std::string> arguments) -> int {
  dotnet::CircularBuffer ring(arguments[0]);
  for (std::uint32_t i = 0; i < messages; ++i) {
    if (ring.write(message(i), forever) != Status::ok) return 1;
  }
  return 0;
}};

const ChildFunction reads{"dotnet: reads", [](std::span<const std::string> arguments) -> int {
  dotnet::CircularBuffer ring(arguments[0]);
  Bytes to(100);
  for (std::uint32_t i = 0; i < messages; ++i) {
    const auto read = ring.read(to, forever);
    if (!read || Bytes(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(read.count)) != message(i)) {
      say("message " + std::to_string(i) + " is wrong");
      return 1;
    }
  }
  return 0;
}};

const ChildFunction serves{"dotnet: serves", [](std::span<const std::string> arguments) -> int {
  dotnet::RpcBuffer slave(arguments[0], [](std::uint64_t, std::span<const std::byte> in) {
    std::vector<std::byte> out(in.begin(), in.end());
    std::reverse(out.begin(), out.end());
    return out;
  });
  say(slave.is_master() ? "master" : "slave");
  return hear() ? 0 : 1;
}};

// Holds what it is told to, until it is killed.
const ChildFunction holds{"dotnet: holds", [](std::span<const std::string> arguments) -> int {
  const auto stand = [](const char* what) {
    say(what);
    static_cast<void>(hear());
  };
  if (arguments[1] == "ring") {
    dotnet::CircularBuffer ring(arguments[0], 4, 8);
    stand("holds");
  } else if (arguments[1] == "master") {
    dotnet::RpcBuffer master(arguments[0]);
    stand(master.is_master() ? "master" : "slave");
  } else {
    dotnet::CircularBuffer ring(arguments[0]);
    if (arguments[1] == "write") {
      static_cast<void>(ring.write_with([&](std::span<std::byte>) {
        stand("holds");
        return std::size_t{8};
      }));
    } else if (arguments[1] == "read") {
      static_cast<void>(ring.read_with([&](std::span<const std::byte>) { stand("holds"); }));
    } else {
      for (std::int64_t i = 0;; ++i) static_cast<void>(ring.write(i, 1ms));
    }
  }
  return 0;
}};

}  // namespace

TEST_CASE("dotnet processes: 100,000 messages of all lengths from one process to another, none lost, doubled, torn or out of order") {
  const Watchdog watchdog(300s);
  const NameGuard name("dotnet-ring");
  const dotnet::CircularBuffer owner(name, 32, 100);
  Child reader("dotnet: reads", {name});
  Child writer("dotnet: writes", {name});
  CHECK(writer.wait().clean());
  CHECK(reader.wait().clean());
}

TEST_CASE("dotnet processes: 10,000 calls from one process to another, whole numbers of packets among them, each with its answer") {
  const Watchdog watchdog(300s);
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const NameGuard name("dotnet-rpc");
  RpcOptions options;
  options.buffer_capacity = 256;
  options.node_count = 5;
  dotnet::RpcBuffer master(name.str(), options);
  Child slave("dotnet: serves", {name});
  REQUIRE(slave.read_line() == "slave");
  int wrong = 0;
  for (int i = 0; i < calls; ++i) {
    Bytes request(i % 10 == 0 ? 224 * (1 + random() % 3) : random() % 673);
    for (auto& b : request) b = static_cast<unsigned char>(random());
    const auto response = master.remote_request(as_bytes(request));
    std::reverse(request.begin(), request.end());
    const bool same = response.data.size() == request.size() && (request.empty() || std::memcmp(response.data.data(), request.data(), request.size()) == 0);
    if (!response || !same) ++wrong;
  }
  CHECK(wrong == 0);
  slave.write_line("end");
  CHECK(slave.wait().clean());
}

TEST_CASE("dotnet processes: after a kill of all who had it, a name is free for the next creator") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  {
    Child holder("dotnet: holds", {name, "ring"});
    REQUIRE(holder.read_line() == "holds");
    CHECK(dotnet::CircularBuffer(name.str()).node_count() == 4);
    CHECK(caught([&] { return dotnet::CircularBuffer(name, 4, 8); }) == strait::Errc::already_exists);
    holder.kill();
    holder.wait();
  }
  eventually([&] { return caught([&] { return dotnet::CircularBuffer(name.str()); }) == strait::Errc::not_found; });
  CHECK(dotnet::CircularBuffer(name, 2, 16).node_count() == 2);

  const NameGuard channel("dotnet-rpc");
  Child master("dotnet: holds", {channel, "master"});
  REQUIRE(master.read_line() == "master");
  {
    dotnet::RpcBuffer slave(channel.str());
    CHECK_FALSE(slave.is_master());
    master.kill();
    master.wait();
    CHECK(slave.remote_request(1, 5ms).outcome == RpcOutcome::timed_out);  // the format does not tell
  }
  dotnet::RpcBuffer next(channel.str());
  CHECK(next.is_master());
}

TEST_CASE("dotnet processes: who is killed with nothing reserved holds up nobody, but with a node reserved it stops the ring there, and calls end in time") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 4, 8);
  std::int64_t value = 0;
  for (int i = 0; i < 10; ++i) {
    // Killed anywhere: with little luck where it has the writers' turn.
    Child busy("dotnet: holds", {name, "busy"});
    for (int n = 0; n < 100; ++n) REQUIRE(ring.read(value, forever) == Status::ok);
    busy.stop();
    busy.kill();
    busy.wait();
    while (ring.read(value, no_wait) == Status::ok) {
    }
    // It may have had a node: then nothing more can be read, and the test goes on with a ring of its own.
    const bool goes_on = ring.write(std::int64_t{1}, 1s) == Status::ok && ring.read(value, 20ms) == Status::ok;
    if (!goes_on) break;
    CHECK(value == 1);
  }

  const NameGuard second("dotnet-ring");
  dotnet::CircularBuffer other(second, 4, 8);
  Child writer("dotnet: holds", {second, "write"});
  REQUIRE(writer.read_line() == "holds");
  writer.kill();
  writer.wait();
  CHECK(other.write(std::int64_t{1}, no_wait) == Status::ok);
  CHECK(other.write(std::int64_t{2}, no_wait) == Status::ok);
  CHECK(other.write(std::int64_t{3}, 5ms) == Status::timed_out);
  CHECK(other.read(value, 5ms) == Status::timed_out);

  const NameGuard third("dotnet-ring");
  dotnet::CircularBuffer last(third, 4, 8);
  for (std::int64_t i = 0; i < 3; ++i) REQUIRE(last.write(i) == Status::ok);
  Child reader("dotnet: holds", {third, "read"});
  REQUIRE(reader.read_line() == "holds");
  reader.kill();
  reader.wait();
  CHECK(last.read(value, no_wait) == Status::ok);
  CHECK(value == 1);
  CHECK(last.write(std::int64_t{4}, 5ms) == Status::timed_out);
}
