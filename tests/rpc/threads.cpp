// Many threads on one endpoint, the other endpoint in a process of its own: what the thread sanitizer can follow.

#include "rpc.hpp"

#include "support/child.hpp"
#include "support/workers.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>

using namespace strait;
using namespace strait::test;

namespace {

enum Kind : std::uint8_t { echoed, called_back, failed, stuck, kinds };

std::vector<std::byte> request_of(Kind kind, std::size_t size, std::uint64_t seed) {
  auto bytes = pattern(size + 1, seed);
  bytes[0] = static_cast<std::byte>(kind);
  return bytes;
}

// Does as the first byte says, until it is told to end.
const ChildFunction mirror{"rpc mirror", [](std::span<const std::string> arguments) {
  std::unique_ptr<RpcBuffer> buffer;
  std::promise<void> made;
  const auto ready = made.get_future().share();
  buffer = std::make_unique<RpcBuffer>(arguments[0], [&](std::uint64_t, Payload payload, std::stop_token stop) {
    ready.wait();
    switch (static_cast<Kind>(payload[0])) {
      case called_back: return buffer->remote_request(payload, 60s).data;
      case failed: throw std::runtime_error("as asked");
      case stuck:
        while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
        [[fallthrough]];
      default: return std::vector<std::byte>(payload.begin(), payload.end());
    }
  });
  made.set_value();
  say("ready");
  while (const auto line = hear()) {
    if (line == "end") break;
  }
  buffer->close();
  return 0;
}};

}  // namespace

TEST_CASE("many threads call in every form, are called back, give up and cancel, and each gets its own answer") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  Child child("rpc mirror", {name});
  REQUIRE(child.read_line() == "ready");
  RpcBuffer buffer(name, [](std::uint64_t, Payload payload) { return payload; });
  std::mutex mutex;
  std::condition_variable changed;
  int callbacks = 0, wanted_callbacks = 0, wrong = 0;
  const auto check = [&](bool right) {
    const std::lock_guard lock(mutex);
    wrong += !right;
  };
  constexpr int threads = 4, rounds = 150;
  Workers workers;
  for (int thread = 0; thread < threads; ++thread) {
    workers.run([&, thread] {
      for (int i = 0; i < rounds; ++i) {
        const auto seed = static_cast<std::uint64_t>(thread * rounds + i);
        const auto kind = static_cast<Kind>(seed % kinds);
        const auto request = request_of(kind, static_cast<std::size_t>(seed * 37 % 300) + (i % 50 == 0 ? 200'000 : 0), seed);
        const auto right = [kind, request](const RpcResponse& response) {
          return kind == failed ? response.outcome == RpcOutcome::handler_failed && response.error == "as asked" : response.success() && response.data == request;
        };
        if (kind == stuck) {
          std::stop_source stop;
          auto future = buffer.remote_request_async(request, 60s, stop.get_token());
          if (i % 8 < 4) std::this_thread::yield();
          stop.request_stop();
          check(future.get().outcome == RpcOutcome::cancelled);
          check(buffer.remote_request(request, 1ms).outcome == RpcOutcome::timed_out);
          continue;
        }
        check(right(buffer.remote_request(request, 60s)));
        auto future = buffer.remote_request_async(request, 60s);
        {
          const std::lock_guard lock(mutex);
          ++wanted_callbacks;
        }
        buffer.remote_request_async(request, [&, right](RpcResponse response) {
          const std::lock_guard lock(mutex);
          wrong += !right(response);
          ++callbacks;
          changed.notify_one();
        }, 60s);
        static_cast<void>(buffer.remote_request(request_of(echoed, 1, seed), no_wait));
        check(right(future.get()));
        static_cast<void>(buffer.statistics());
      }
    });
  }
  CHECK(workers.join() == "");
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return callbacks == wanted_callbacks; });
    CHECK(wrong == 0);
  }
  child.write_line("end");
  CHECK(child.wait().clean());
}

TEST_CASE("an endpoint closes while threads call on it and are called: every call ends, and so does the endpoint") {
  const Watchdog watchdog(120s);
  for (int round = 0; round < 20; ++round) {
    const NameGuard name("rpc");
    Child child("rpc mirror", {name});
    REQUIRE(child.read_line() == "ready");
    RpcBuffer buffer(name, [](std::uint64_t, Payload payload) { return payload; });
    std::atomic<int> under_way = 0, ended = 0, strange = 0;
    Workers workers;
    for (int thread = 0; thread < 3; ++thread) {
      workers.run([&, thread] {
        for (;;) {
          ++under_way;
          const auto request = request_of(thread == 0 ? called_back : echoed, 1000, 1);
          const auto outcome = thread == 2 ? buffer.remote_request_async(request, 60s).get().outcome : buffer.remote_request(request, 60s).outcome;
          if (outcome == RpcOutcome::ok) continue;
          strange += outcome != RpcOutcome::closed;
          ++ended;
          return;
        }
      });
    }
    while (under_way < 10 * round) std::this_thread::yield();
    buffer.close();
    CHECK(workers.join() == "");
    CHECK(ended == 3);
    CHECK(strange == 0);
    child.write_line("end");
    CHECK(child.wait().clean());
  }
}
