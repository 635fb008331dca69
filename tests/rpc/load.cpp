// Many calls at once: the loads of the original's tests, and the full-duplex storm.

#include "rpc.hpp"

#include "support/workers.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace strait;
using namespace strait::test;

TEST_CASE("5,000 small calls, one after the other", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  RpcBuffer caller(name), callee(name, echo);
  int right = 0;
  for (int i = 0; i < 5000; ++i) right += caller.remote_request(i).as<int>() == i;
  CHECK(right == 5000);
}

TEST_CASE("10 threads make 5,000 small calls each", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  RpcBuffer caller(name), callee(name, echo);
  Workers workers;
  for (int thread = 0; thread < 10; ++thread) {
    workers.run([&, thread] {
      for (int i = 0; i < 5000; ++i) {
        if (caller.remote_request(thread * 10'000 + i).as<int>() != thread * 10'000 + i) workers.fail("wrong answer");
      }
    });
  }
  CHECK(workers.join() == "");
}

TEST_CASE("1,000 calls of 525,000 bytes", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  RpcBuffer caller(name), callee(name, [](std::uint64_t, Payload payload) { return payload[payload.size() - 1]; });
  auto message = pattern(525'000, 1);
  int right = 0;
  for (int i = 0; i < 1000; ++i) {
    message.back() = static_cast<std::byte>(i);
    right += caller.remote_request(message).as<std::byte>() == static_cast<std::byte>(i);
  }
  CHECK(right == 1000);
}

namespace {

// Eight callers on each side, each of whose requests makes its handler call back before it answers, and callbacks that call again.
void storm(std::size_t size, const RpcOptions& options) {
  const NameGuard name("rpc");
  RpcBuffer *a = nullptr, *b = nullptr;
  const auto handler = [](RpcBuffer*& other) {
    return [&other](std::uint64_t, Payload payload) {
      // 1: calls back with 0.
      if (payload[0] == std::byte{1}) {
        std::vector<std::byte> nested(payload.begin(), payload.end());
        nested[0] = std::byte{0};
        return other->remote_request(nested).data;
      }
      return std::vector<std::byte>(payload.begin(), payload.end());
    };
  };
  RpcBuffer master(name, handler(a), options), slave(name, handler(b), options);
  a = &master;
  b = &slave;
  constexpr int callers = 8, calls = 15;
  std::mutex mutex;
  std::condition_variable changed;
  int callbacks = 0;
  std::atomic<int> failed = 0;
  Workers workers;
  for (RpcBuffer* own : {&master, &slave}) {
    for (int caller = 0; caller < callers; ++caller) {
      workers.run([&, own, caller] {
        for (int i = 0; i < calls; ++i) {
          auto message = pattern(size, static_cast<std::uint64_t>(caller * 1000 + i));
          message[0] = static_cast<std::byte>(i % 2);
          auto wanted = message;
          wanted[0] = std::byte{0};
          const auto response = own->remote_request(message, 60s);
          failed += !response || response.data != wanted;
          own->remote_request_async(message, [&, own, message, wanted](RpcResponse first) {
            const auto second = own->remote_request(message, 60s);
            failed += !first || !second || first.data != wanted || second.data != wanted;
            const std::lock_guard lock(mutex);
            ++callbacks;
            changed.notify_one();
          }, 60s);
        }
      });
    }
  }
  CHECK(workers.join() == "");
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return callbacks == 2 * callers * calls; });
  CHECK(failed == 0);
  CHECK(master.statistics().timeouts + slave.statistics().timeouts == 0);
}

}  // namespace

TEST_CASE("the full-duplex storm finishes without a failed call: 2 nodes, 101 bytes", "[two-mappings]") {
  const Watchdog watchdog(120s);
  storm(101, small(256, 2));
}

TEST_CASE("the full-duplex storm finishes without a failed call: 2 nodes, 5,001 bytes", "[two-mappings]") {
  const Watchdog watchdog(120s);
  storm(5001, small(256, 2));
}

TEST_CASE("the full-duplex storm finishes without a failed call: 10 nodes, 5,001 bytes, one handler thread", "[two-mappings]") {
  const Watchdog watchdog(120s);
  auto options = small(1000, 10);
  options.handler_threads = 1;
  storm(5001, options);
}

TEST_CASE("a flood of requests with answers larger than the ring does not stall the answers to the other side's", "[two-mappings]") {
  const Watchdog watchdog(120s);
  const NameGuard name("rpc");
  const auto large = [](std::uint64_t, Payload) { return std::vector<std::byte>(100'000); };
  RpcBuffer a(name, large, small(256, 2)), b(name, large);
  std::vector<std::future<RpcResponse>> futures;
  for (int i = 0; i < 20; ++i) {
    futures.push_back(a.remote_request_async());
    futures.push_back(b.remote_request_async(pattern(50'000, 1)));
  }
  for (auto& future : futures) CHECK(future.get().data.size() == 100'000);
}
