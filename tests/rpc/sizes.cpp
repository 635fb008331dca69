#include "rpc.hpp"

#include <cstdlib>
#include <random>
#include <set>
#include <thread>

using namespace strait;
using namespace strait::test;

namespace {

// A request says which answer it wants: | size of the answer u64 | seed u64 | filler |. The answer bears the same seed.
std::vector<std::byte> answer_to(Payload payload) {
  std::uint64_t wanted[2] = {0, 0};
  if (payload.size() >= sizeof wanted) std::memcpy(wanted, payload.data(), sizeof wanted);
  return pattern(static_cast<std::size_t>(wanted[0]), wanted[1]);
}

std::vector<std::byte> question(std::size_t size, std::uint64_t answer_size, std::uint64_t seed) {
  auto bytes = pattern(size, seed);
  const std::uint64_t wanted[2] = {answer_size, seed};
  if (size >= sizeof wanted) std::memcpy(bytes.data(), wanted, sizeof wanted);
  return bytes;
}

}  // namespace

TEST_CASE("messages of every size around whole packets arrive as they were, in both directions", "[two-mappings]") {
  const Watchdog watchdog(120s);
  for (const std::size_t capacity : {std::size_t{256}, std::size_t{1000}, std::size_t{50'000}}) {
    for (const std::size_t nodes : {std::size_t{2}, std::size_t{10}}) {
      const NameGuard name("rpc");
      std::vector<std::byte> got;
      const auto keep = [&](std::uint64_t, Payload payload) {
        got.assign(payload.begin(), payload.end());
        return payload;
      };
      RpcBuffer master(name, keep, small(capacity, nodes)), slave(name, keep);
      const std::size_t slice = capacity - 32;
      std::set<std::size_t> sizes;
      for (std::size_t k = 0; k <= 5; ++k) {
        for (const std::size_t around : {k * slice - 1, k * slice, k * slice + 1}) {
          if (around <= 6 * slice) sizes.insert(around);
        }
      }
      for (const std::size_t size : sizes) {
        CAPTURE(capacity, nodes, size);
        for (RpcBuffer* caller : {&master, &slave}) {
          const auto message = pattern(size, size);
          const auto response = caller->remote_request(message);
          REQUIRE(response.outcome == RpcOutcome::ok);
          REQUIRE(response.data == message);
          REQUIRE(got == message);
        }
      }
    }
  }
}

TEST_CASE("random messages of up to 8 MiB arrive as they were, in both directions at once", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  for (const auto& options : {small(256, 2), small(50'000, 10), small(std::size_t{1} << 20, 3)}) {
    const NameGuard name("rpc");
    const auto answer = [](std::uint64_t, Payload payload) { return answer_to(payload); };
    RpcBuffer master(name, answer, options), slave(name, answer);
    const std::size_t most = options.buffer_capacity == 256 ? 300'000 : std::size_t{8} << 20;
    std::string failures[2];
    const auto call = [&](RpcBuffer& caller, std::uint32_t own_seed, std::string& failure) {
      std::mt19937_64 random(own_seed);
      const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
      for (int i = 0; i < 6 && failure.empty(); ++i) {
        const std::size_t there = 16 + below(most), back = below(most);
        const auto response = caller.remote_request(question(there, back, random()), 60s);
        if (!response) failure = std::string(core::name_of(response.outcome)) + " " + response.error;
        else if (response.data.size() != back) failure = "wrong size";
      }
      for (int i = 0; i < 6 && failure.empty(); ++i) {
        const std::size_t there = 16 + below(most), back = below(most);
        const std::uint64_t own = random();
        if (caller.remote_request(question(there, back, own), 60s).data != pattern(back, own)) failure = "wrong contents";
      }
    };
    {
      std::jthread one([&] { call(master, seed, failures[0]); });
      std::jthread other([&] { call(slave, seed + 1, failures[1]); });
    }
    CHECK(failures[0] == "");
    CHECK(failures[1] == "");
  }
}

TEST_CASE("a message of a hundred times what the ring holds arrives", "[two-mappings]") {
  const Watchdog watchdog(60s);
  const NameGuard name("rpc");
  RpcBuffer caller(name, small(1000, 2)), callee(name, echo);
  const auto message = pattern(std::size_t{2} * 968 * 100 + 5, 9);
  CHECK(caller.remote_request(message).data == message);
}
