// Deadlines, cancellation, fire and forget, closing.

#include "rpc.hpp"

#include "support/eventually.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

using namespace strait;
using namespace strait::test;

namespace {

// A handler that runs until its stop token fires or the gate opens.
struct Stuck {
  std::atomic<int> entered = 0;
  std::atomic<int> stopped = 0;
  std::atomic<bool> open = false;

  auto handler() {
    return [this](std::uint64_t, Payload, std::stop_token stop) {
      ++entered;
      while (!stop.stop_requested() && !open) std::this_thread::sleep_for(1ms);
      stopped += stop.stop_requested();
    };
  }
};

}  // namespace

TEST_CASE("a call whose time is over ends with timed_out, and the handler is told", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  Stuck stuck;
  RpcBuffer caller(name), callee(name, stuck.handler());
  const auto start = std::chrono::steady_clock::now();
  const auto response = caller.remote_request(1, 100ms);
  CHECK(std::chrono::steady_clock::now() - start >= 100ms);
  CHECK(response.outcome == RpcOutcome::timed_out);
  eventually([&] { return stuck.stopped == 1; });
  // The same for those in which nobody waits.
  CHECK(caller.remote_request_async({}, 30ms).get().outcome == RpcOutcome::timed_out);
  std::promise<RpcOutcome> done;
  caller.remote_request_async({}, [&](RpcResponse late) { done.set_value(late.outcome); }, 30ms);
  CHECK(done.get_future().get() == RpcOutcome::timed_out);
  eventually([&] { return stuck.stopped == 3; });
  const auto statistics = caller.statistics();
  CHECK(statistics.timeouts == 3);
  CHECK(statistics.last_timeout == 30ms);
  CHECK(statistics.in_flight == 0);
  CHECK(statistics.cancels_sent == 3);
}

TEST_CASE("the time of a call covers the sending: a full ring does not make it longer, and what was begun is forgotten", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  // The peer is there and never receives: its place is taken, its threads are not.
  RpcBuffer caller(name, small(256, 2));
  rpc::Channel silent(name, small(256, 2));
  const auto message = pattern(100'000, 1);
  const auto start = std::chrono::steady_clock::now();
  CHECK(caller.remote_request(message, 50ms).outcome == RpcOutcome::timed_out);
  CHECK(caller.remote_request(message, 1ms).outcome == RpcOutcome::timed_out);
  CHECK(caller.remote_request_async(message, 20ms).get().outcome == RpcOutcome::timed_out);
  CHECK(std::chrono::steady_clock::now() - start < 10s);
  CHECK(caller.statistics().in_flight == 0);
  silent.leave();
  CHECK(caller.remote_request(message, 10s).outcome == RpcOutcome::closed);
}

TEST_CASE("a half of a request that its caller gave up does not stay with the callee", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name, small(256, 2)), callee(name, echo);
  for (int i = 0; i < 50; ++i) {
    static_cast<void>(caller.remote_request(pattern(400'000, 1), 1ms));
    CHECK(caller.remote_request(i).as<int>() == i);
  }
}

TEST_CASE("no_wait sends and returns: the handler runs, its answer is discarded, its stop token stays quiet", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  Stuck stuck;
  std::optional<RpcBuffer> caller(std::in_place, name);
  RpcBuffer callee(name, stuck.handler());
  CHECK(caller->remote_request(1, no_wait).outcome == RpcOutcome::timed_out);
  eventually([&] { return stuck.entered == 1; });
  CHECK(caller->remote_request_async({}, 0ms).get().outcome == RpcOutcome::timed_out);
  eventually([&] { return stuck.entered == 2; });
  stuck.open = true;
  eventually([&] { return caller->statistics().discarded_responses == 2; });
  CHECK(caller->statistics().last_discarded_response_id != 0);
  CHECK(caller->statistics().timeouts == 0);
  CHECK(caller->statistics().requests_sent == 2);
  stuck.open = false;
  static_cast<void>(caller->remote_request(1, no_wait));
  eventually([&] { return stuck.entered == 3; });
  caller.reset();
  std::this_thread::sleep_for(20ms);
  CHECK(stuck.stopped == 0);
  stuck.open = true;
}

TEST_CASE("a no_wait request that does not fit at once is not sent at all", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::atomic<int> calls = 0;
  RpcBuffer caller(name, small(256, 4));
  CHECK(caller.remote_request(1, no_wait).outcome == RpcOutcome::timed_out);  // nobody there
  RpcBuffer callee(name, [&](std::uint64_t, Payload payload) { calls += static_cast<int>(payload.size()); });
  CHECK(caller.remote_request(pattern(224 * 5, 1), no_wait).outcome == RpcOutcome::timed_out);  // more than the ring holds
  CHECK(caller.remote_request(pattern(3, 1)).success());
  CHECK(calls == 3);
  eventually([&] {
    static_cast<void>(caller.remote_request(pattern(224 * 4, 1), no_wait));
    return calls > 3;
  });
  CHECK((calls - 3) % (224 * 4) == 0);
}

TEST_CASE("a stop token ends the call in every form, and reaches the handler", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  Stuck stuck;
  RpcBuffer caller(name), callee(name, stuck.handler());

  std::stop_source stop;
  RpcOutcome outcome{};
  std::thread blocking([&] { outcome = caller.remote_request(1, 1h, stop.get_token()).outcome; });
  auto future = caller.remote_request_async({}, 1h, stop.get_token());
  std::promise<RpcOutcome> done;
  caller.remote_request_async({}, [&](RpcResponse response) { done.set_value(response.outcome); }, 1h, stop.get_token());
  eventually([&] { return stuck.entered == 3; });
  stop.request_stop();
  blocking.join();
  CHECK(outcome == RpcOutcome::cancelled);
  CHECK(future.get().outcome == RpcOutcome::cancelled);
  CHECK(done.get_future().get() == RpcOutcome::cancelled);
  eventually([&] { return stuck.stopped == 3; });
  // A token that has fired already.
  CHECK(caller.remote_request(1, 1h, stop.get_token()).outcome == RpcOutcome::cancelled);
  CHECK(caller.remote_request_async({}, 1h, stop.get_token()).get().outcome == RpcOutcome::cancelled);
  CHECK(caller.statistics().cancelled == 5);
  CHECK(caller.statistics().in_flight == 0);
}

TEST_CASE("calls that end at the moment at which their tokens are told to stop have one verdict", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name), callee(name, echo);
  constexpr int rounds = 500;
  std::vector<std::stop_source> stops(rounds);
  std::atomic<int> begun = 0, told = 0;
  std::thread stopper([&] {
    for (int round = 0; round < rounds; ++round) {
      while (begun.load() <= round) std::this_thread::yield();
      for (int turn = 0; turn < round % 50; ++turn) std::this_thread::yield();
      stops[static_cast<std::size_t>(round)].request_stop();
      ++told;
    }
  });
  int answered = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto token = stops[static_cast<std::size_t>(round)].get_token();
    begun = round + 1;
    auto future = caller.remote_request_async({}, 1h, token);
    for (const auto outcome : {caller.remote_request(1, 1h, token).outcome, future.get().outcome}) {
      if (outcome != RpcOutcome::cancelled) CHECK(outcome == RpcOutcome::ok);
      answered += outcome == RpcOutcome::ok;
    }
    while (told.load() <= round) std::this_thread::yield();
  }
  stopper.join();
  CHECK(caller.statistics().cancelled == static_cast<std::uint64_t>(2 * rounds - answered));
  CHECK(caller.statistics().in_flight == 0);
}

TEST_CASE("cancelling while a request is still being sent ends it", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name, small(256, 2));
  rpc::Channel silent(name, small(256, 2));
  std::stop_source stop;
  RpcOutcome outcome{};
  std::thread blocking([&] { outcome = caller.remote_request(pattern(10'000, 1), forever, stop.get_token()).outcome; });
  auto future = caller.remote_request_async(pattern(10'000, 1), forever, stop.get_token());
  std::this_thread::sleep_for(20ms);
  stop.request_stop();
  blocking.join();
  CHECK(outcome == RpcOutcome::cancelled);
  CHECK(future.get().outcome == RpcOutcome::cancelled);
  silent.leave();
}

TEST_CASE("a request that is cancelled before a thread was free for it is never run", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  Stuck stuck;
  RpcOptions options;
  options.handler_threads = 1;
  RpcBuffer caller(name), callee(name, stuck.handler(), options);
  auto first = caller.remote_request_async();
  eventually([&] { return stuck.entered == 1; });
  std::stop_source stop;
  auto second = caller.remote_request_async({}, 1h, stop.get_token());
  eventually([&] { return callee.statistics().queue_depth == 1; });
  stop.request_stop();
  CHECK(second.get().outcome == RpcOutcome::cancelled);
  eventually([&] { return callee.statistics().queue_depth == 0; });
  stuck.open = true;
  CHECK(first.get().success());
  CHECK(stuck.entered == 1);
}

TEST_CASE("after close every form of call ends with closed, and closing again does nothing", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name), callee(name, echo);
  caller.close();
  caller.close();
  CHECK(caller.remote_request(1).outcome == RpcOutcome::closed);
  CHECK(caller.remote_request(1, no_wait).outcome == RpcOutcome::closed);
  CHECK(caller.remote_request_async().get().outcome == RpcOutcome::closed);
  CHECK(caller.name() == name.str());
  CHECK(caller.is_master());
  CHECK_FALSE(caller.has_peer());
  caller.reset_statistics();
  // A callback has its one call too.
  std::atomic<bool> called = false;
  caller.remote_request_async({}, [&](RpcResponse response) { called = response.outcome == RpcOutcome::closed; });
  CHECK(called);
}

TEST_CASE("the other side's close ends pending calls with closed at once, and new ones until somebody takes its place", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  Stuck stuck;
  for (const bool caller_is_master : {true, false}) {
    std::optional<RpcBuffer> first, second;
    first.emplace(name, stuck.handler());
    second.emplace(name, stuck.handler());
    auto& caller = caller_is_master ? first : second;
    auto& callee = caller_is_master ? second : first;
    const int entered = stuck.entered;
    RpcOutcome outcome{};
    std::thread blocking([&] { outcome = caller->remote_request(1, 1h).outcome; });
    auto future = caller->remote_request_async({}, 1h);
    eventually([&] { return stuck.entered == entered + 2; });
    callee.reset();  // its handlers are stopped by that
    blocking.join();
    CHECK(outcome == RpcOutcome::closed);
    CHECK(future.get().outcome == RpcOutcome::closed);
    CHECK(caller->remote_request(1, 1h).outcome == RpcOutcome::closed);
    CHECK(caller->remote_request_async({}, 1h).get().outcome == RpcOutcome::closed);
    callee.emplace(name, echo);
    CHECK(callee->is_master() == !caller_is_master);
    CHECK(caller->remote_request(5).as<int>() == 5);
  }
}

TEST_CASE("closing ends this side's blocked calls, wherever they are blocked", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  Stuck stuck;
  RpcBuffer caller(name, small(256, 2)), callee(name, stuck.handler());
  std::vector<RpcOutcome> outcomes(6, RpcOutcome::ok);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    threads.emplace_back([&, i] { outcomes[i] = caller.remote_request(pattern(i % 2 * 100'000, 1), forever).outcome; });
  }
  eventually([&] { return stuck.entered >= 3; });
  caller.close();
  for (auto& thread : threads) thread.join();
  CHECK(outcomes == std::vector<RpcOutcome>(6, RpcOutcome::closed));

  // Without a peer.
  const NameGuard alone_name("rpc");
  RpcBuffer alone(alone_name);
  RpcOutcome outcome{};
  std::thread waiting([&] { outcome = alone.remote_request(1, forever).outcome; });
  auto future = alone.remote_request_async({}, forever);
  eventually([&] { return alone.statistics().in_flight == 2; });
  alone.close();
  waiting.join();
  CHECK(outcome == RpcOutcome::closed);
  CHECK(future.get().outcome == RpcOutcome::closed);
}

TEST_CASE("close works inside a handler and inside a callback, on either side", "[two-mappings]") {
  const Watchdog watchdog;
  for (int turn = 0; turn < 50; ++turn) {
    const NameGuard name("rpc");
    std::unique_ptr<RpcBuffer> caller = std::make_unique<RpcBuffer>(name), callee;
    callee = std::make_unique<RpcBuffer>(name, [&](std::uint64_t, Payload) { callee->close(); });
    CHECK(caller->remote_request(1).outcome == RpcOutcome::closed);
    CHECK(caller->remote_request(1).outcome == RpcOutcome::closed);
    CHECK(callee->remote_request(1).outcome == RpcOutcome::closed);
    callee.reset();
    callee = std::make_unique<RpcBuffer>(name, echo);
    std::promise<RpcOutcome> done;
    caller->remote_request_async({}, [&](RpcResponse response) {
      caller->close();
      done.set_value(response.outcome);
    });
    CHECK(done.get_future().get() == RpcOutcome::ok);
    CHECK(caller->remote_request(1).outcome == RpcOutcome::closed);
  }
}

TEST_CASE("the last handle may go inside its own handler", "[two-mappings]") {
  const Watchdog watchdog;
  for (int turn = 0; turn < 20; ++turn) {
    const NameGuard name("rpc");
    {
      RpcBuffer caller(name);
      std::atomic<bool> gone = false;
      auto callee = std::make_shared<std::unique_ptr<RpcBuffer>>();
      *callee = std::make_unique<RpcBuffer>(name, [&gone, callee](std::uint64_t, Payload) {
        callee->reset();
        gone = true;
      });
      CHECK(caller.remote_request(1).outcome == RpcOutcome::closed);
      eventually([&] { return gone.load(); });
    }
    eventually([&] { return left_behind(name.str()).empty(); });
  }
}

TEST_CASE("closing runs every callback once", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  Stuck stuck;
  std::atomic<int> called = 0, closed = 0;
  {
    RpcBuffer caller(name), callee(name, stuck.handler());
    for (int i = 0; i < 40; ++i) {
      caller.remote_request_async({}, [&](RpcResponse response) {
        ++called;
        closed += response.outcome == RpcOutcome::closed;
      });
    }
    caller.close();
    CHECK(called == 40);
  }
  CHECK(closed == 40);
}
