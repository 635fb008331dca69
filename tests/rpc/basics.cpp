#include "rpc.hpp"

#include "support/caught.hpp"
#include "support/eventually.hpp"

#include <strait/strait.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <stdexcept>
#include <thread>

using namespace strait;
using namespace strait::test;

namespace {

template <class T>
concept FirstArgument = requires(RpcBuffer& buffer, T value) { buffer.remote_request(value); };
template <class H>
concept AcceptedHandler = requires(H handler) { RpcBuffer("x", handler); };

struct Point {
  int x, y;
};

static_assert(FirstArgument<int> && FirstArgument<Point> && FirstArgument<std::array<std::byte, 2>> && FirstArgument<std::vector<std::byte>>);
static_assert(!FirstArgument<std::chrono::seconds> && !FirstArgument<Timeout> && !FirstArgument<const char*> && !FirstArgument<std::string>);
static_assert(AcceptedHandler<void (*)(std::uint64_t, Payload)> && AcceptedHandler<std::string (*)(std::uint64_t, Payload)>);
static_assert(AcceptedHandler<Point (*)(std::uint64_t, Payload, std::stop_token)> && AcceptedHandler<std::vector<int> (*)(std::uint64_t, Payload)>);
static_assert(!AcceptedHandler<int* (*)(std::uint64_t, Payload)> && !AcceptedHandler<std::vector<std::string> (*)(std::uint64_t, Payload)> &&
              !AcceptedHandler<int (*)(int)>);

}  // namespace

TEST_CASE("the first endpoint is the master, the second the slave, a third is refused", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer master(name);
  CHECK(master.is_master());
  CHECK_FALSE(master.has_peer());
  CHECK(master.name() == name.str());
  RpcBuffer slave(name);
  CHECK_FALSE(slave.is_master());
  CHECK(master.has_peer());
  CHECK(slave.has_peer());
  const auto third = caught([&] { RpcBuffer refused(name); return 0; });
  CHECK(third == Errc::channel_full);
  CHECK(third.segment == name.str());
  // The refused one has changed nothing.
  CHECK(master.has_peer());
  slave.close();
  RpcBuffer next(name);
  CHECK_FALSE(next.is_master());
  CHECK(master.has_peer());
}

TEST_CASE("many handles that are refused at the same time leave the two endpoints as they are", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer master(name), slave(name, echo);
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 20; ++i) {
      threads.emplace_back([&] {
        for (int turn = 0; turn < 20; ++turn) refused += caught([&] { RpcBuffer third(name); return 0; }) == Errc::channel_full;
      });
    }
  }
  CHECK(refused == 400);
  CHECK(master.remote_request(7).as<int>() == 7);
}

TEST_CASE("capacities from 256 bytes to 1 MiB and at least two nodes are accepted, others are invalid_argument", "[two-mappings]") {
  const NameGuard name("rpc");
  for (const std::size_t wrong : {std::size_t{0}, std::size_t{255}, (std::size_t{1} << 20) + 1}) {
    CHECK(caught([&] { RpcBuffer buffer(name, small(wrong, 10)); return 0; }) == Errc::invalid_argument);
  }
  CHECK(caught([&] { RpcBuffer buffer(name, small(256, 1)); return 0; }) == Errc::invalid_argument);
  for (const std::size_t right : {std::size_t{256}, std::size_t{1} << 20}) {
    CHECK(caught([&] { RpcBuffer buffer(name, small(right, 2)); return 0; }).nothing());
  }
  CHECK(caught([&] { RpcBuffer buffer("no/name"); return 0; }) == Errc::invalid_argument);
}

TEST_CASE("a name of another kind is refused", "[two-mappings]") {
  const NameGuard name("rpc");
  CircularBuffer ring(name, 4, 64);
  CHECK(caught([&] { RpcBuffer buffer(name); return 0; }) == Errc::wrong_kind);
}

TEST_CASE("the second endpoint takes the first one's sizes", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer master(name, small(256, 2));
  RpcBuffer slave(name, echo, small(100'000, 50));
  const auto message = pattern(1000, 1);
  CHECK(master.remote_request(message).data == message);
  CHECK(master.statistics().packets_written == (1000 + 223) / 224);
}

TEST_CASE("handlers return nothing, a value or a range, and take a stop token if they like", "[two-mappings]") {
  const Watchdog watchdog;
  const auto call = [](auto handler) {
    const NameGuard name("rpc");
    RpcBuffer caller(name), callee(name, handler);
    auto response = caller.remote_request(Point{3, 4});
    CHECK(response.outcome == RpcOutcome::ok);
    CHECK(response.success());
    CHECK(static_cast<bool>(response));
    return response;
  };
  const auto sum = [](Payload payload) {
    Point point{};
    std::memcpy(&point, payload.data(), sizeof point);
    return point.x + point.y;
  };
  CHECK(call([&](std::uint64_t, Payload) {}).data.empty());
  CHECK(call([&](std::uint64_t, Payload p) { return sum(p); }).as<int>() == 7);
  CHECK(call([&](std::uint64_t, Payload p, std::stop_token) { return Point{sum(p), -1}; }).as<Point>().x == 7);
  CHECK(call([&](std::uint64_t, Payload) { return std::vector<int>{1, 2, 3}; }).as<std::array<int, 3>>() == std::array<int, 3>{1, 2, 3});
  CHECK(text_of(call([&](std::uint64_t, Payload, const std::stop_token&) { return std::string("text"); }).data) == "text");
  CHECK(call([&](std::uint64_t, Payload) { return std::vector<std::byte>{}; }).data.empty());
  // A handler that can only be moved, and one that is called through a reference to a const range.
  const NameGuard name("rpc");
  RpcBuffer caller(name);
  RpcBuffer callee(name, [own = std::make_unique<int>(5)](std::uint64_t, Payload) { return *own; });
  CHECK(caller.remote_request().as<int>() == 5);
}

TEST_CASE("message ids are the caller's own, and differ", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::vector<std::uint64_t> ids;
  RpcOptions in_order;
  in_order.handler_threads = 1;
  RpcBuffer caller(name), callee(name, [&](std::uint64_t id, Payload) { ids.push_back(id); }, in_order);
  for (int i = 0; i < 3; ++i) CHECK(caller.remote_request());
  CHECK(ids == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("an endpoint without a handler answers no_handler at once", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer master(name), slave(name);
  for (RpcBuffer* caller : {&master, &slave}) {
    const auto response = caller->remote_request(pattern(200'000, 1), 1h);
    CHECK(response.outcome == RpcOutcome::no_handler);
    CHECK_FALSE(response.error.empty());
    CHECK(response.data.empty());
  }
}

TEST_CASE("what a handler throws reaches the caller as text", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name, small(256, 2));
  RpcBuffer callee(name, [](std::uint64_t, Payload payload) {
    if (payload.size() == 1) throw std::runtime_error("out of cheese");
    if (payload.size() == 2) throw 42;
    if (payload.size() == 3) throw std::runtime_error(std::string(5000, 'x'));
  });
  auto response = caller.remote_request(bytes_of("1"));
  CHECK(response.outcome == RpcOutcome::handler_failed);
  CHECK_FALSE(response);
  CHECK(response.error == "out of cheese");
  const auto wrong = caught([&] { return response.as<int>(); });
  CHECK(wrong == Errc::type_mismatch);
  CHECK(wrong.says("out of cheese"));
  CHECK(caller.remote_request(bytes_of("12")).outcome == RpcOutcome::handler_failed);
  CHECK(caller.remote_request(bytes_of("123")).error == std::string(5000, 'x'));
  CHECK(caller.remote_request().success());
}

TEST_CASE("a response of another size than asked for is a type_mismatch", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name), callee(name, [](std::uint64_t, Payload) { return std::int64_t{1}; });
  CHECK(caught([&] { return caller.remote_request().as<int>(); }) == Errc::type_mismatch);
}

TEST_CASE("an empty message is delivered, and an empty answer is an answer", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::atomic<std::size_t> size = 99;
  RpcBuffer caller(name), callee(name, [&](std::uint64_t, Payload payload) { size = payload.size(); });
  const auto response = caller.remote_request();
  CHECK(response.outcome == RpcOutcome::ok);
  CHECK(response.data.empty());
  CHECK(size == 0);
}

TEST_CASE("a call made before there is a peer waits for one", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer master(name);
  CHECK(master.remote_request(1, 20ms).outcome == RpcOutcome::timed_out);
  auto future = master.remote_request_async(pattern(300'000, 3));
  std::jthread later([&] { CHECK_NOTHROW(std::this_thread::sleep_for(30ms)); });
  RpcResponse response;
  std::thread caller([&] { response = master.remote_request(7); });
  later.join();
  RpcBuffer slave(name, echo);
  caller.join();
  CHECK(response.as<int>() == 7);
  CHECK(future.get().data == pattern(300'000, 3));
}

TEST_CASE("futures and callbacks bring the same answers", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer caller(name, small(1000, 4)), callee(name, echo);
  std::vector<std::future<RpcResponse>> futures;
  std::atomic<int> called = 0, right = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    auto message = pattern(i * 97, i);
    futures.push_back(caller.remote_request_async(message));
    caller.remote_request_async(message, [&, message](RpcResponse response) {
      right += response.data == message;
      ++called;
    });
    // The arguments were copied.
    std::fill(message.begin(), message.end(), std::byte{0xEE});
  }
  for (std::size_t i = 0; i < futures.size(); ++i) {
    const auto response = futures[i].get();
    CHECK(response.outcome == RpcOutcome::ok);
    CHECK(response.data == pattern(i * 97, i));
  }
  eventually([&] { return called == 100; });
  CHECK(right == 100);
  CHECK(caught([&] { caller.remote_request_async({}, std::function<void(RpcResponse)>()); return 0; }) == Errc::invalid_argument);
}

TEST_CASE("an exception of a callback goes to the hook, and the endpoint goes on", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::atomic<int> reported = 0;
  on_error([&](std::exception_ptr error, std::string_view where) {
    try {
      std::rethrow_exception(error);
    } catch (const std::runtime_error& thrown) {
      if (std::string_view(thrown.what()) == "mine" && where.find("RpcBuffer") != std::string_view::npos) ++reported;
    }
  });
  {
    RpcBuffer caller(name), callee(name, echo);
    caller.remote_request_async({}, [](RpcResponse) { throw std::runtime_error("mine"); });
    eventually([&] { return reported == 1; });
    CHECK(caller.remote_request(1).as<int>() == 1);
  }
  on_error({});
}

TEST_CASE("calls go both ways at once, and handlers and callbacks call back", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  RpcBuffer *a = nullptr, *b = nullptr;
  // Counts down by calling the other side, three deep and more.
  const auto handler = [&](RpcBuffer*& other) {
    return [&other](std::uint64_t, Payload payload) {
      int left = 0;
      std::memcpy(&left, payload.data(), sizeof left);
      return left == 0 ? 0 : 1 + other->remote_request(left - 1).as<int>();
    };
  };
  RpcBuffer master(name, handler(a), small(256, 2));
  RpcBuffer slave(name, handler(b));
  a = &master;
  b = &slave;
  CHECK(master.remote_request(20).as<int>() == 20);
  CHECK(slave.remote_request(21).as<int>() == 21);
  std::promise<int> nested;
  const int five = 5;
  master.remote_request_async(std::as_bytes(std::span(&five, 1)), [&](RpcResponse response) {
    nested.set_value(response.as<int>() + master.remote_request(3).as<int>());
  });
  CHECK(nested.get_future().get() == 8);
}

TEST_CASE("with one handler thread requests run in order, one at a time", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::vector<int> order;
  std::atomic<int> inside = 0, most = 0;
  RpcOptions options;
  options.handler_threads = 1;
  RpcBuffer caller(name);
  RpcBuffer callee(name, [&](std::uint64_t, Payload payload) {
    most = std::max(most.load(), ++inside);
    int number = 0;
    std::memcpy(&number, payload.data(), sizeof number);
    order.push_back(number);
    if (number % 10 == 0) std::this_thread::sleep_for(2ms);
    --inside;
  }, options);
  std::vector<std::future<RpcResponse>> futures;
  std::vector<int> expected;
  for (int i = 0; i < 200; ++i) {
    futures.push_back(caller.remote_request_async(std::as_bytes(std::span(&i, 1))));
    expected.push_back(i);
  }
  for (auto& future : futures) CHECK(future.get().success());
  CHECK(order == expected);
  CHECK(most == 1);
}

TEST_CASE("handlers run at the same time up to handler_threads, and those that wait in a call do not count", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::atomic<int> inside = 0, most = 0;
  RpcOptions options;
  options.handler_threads = 3;
  RpcBuffer* callee_again = nullptr;
  RpcBuffer caller(name, [](std::uint64_t, Payload) { std::this_thread::sleep_for(20ms); });
  RpcBuffer callee(name, [&](std::uint64_t, Payload payload) {
    if (payload.size() == 1) {  // waits in a call of its own
      const auto response = callee_again->remote_request();
      return static_cast<int>(response.success());
    }
    const int now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(10ms);
    --inside;
    return 1;
  }, options);
  callee_again = &callee;
  std::vector<std::future<RpcResponse>> futures;
  for (int i = 0; i < 9; ++i) futures.push_back(caller.remote_request_async(bytes_of("ab")));
  for (auto& future : futures) CHECK(future.get().as<int>() == 1);
  CHECK(most == 3);
  // Ten that wait, and one more thread's worth of work gets through although there are three slots.
  futures.clear();
  for (int i = 0; i < 10; ++i) futures.push_back(caller.remote_request_async(bytes_of("a")));
  CHECK(caller.remote_request(bytes_of("ab")).as<int>() == 1);
  for (auto& future : futures) CHECK(future.get().as<int>() == 1);
}

TEST_CASE("a slow handler does not stall others", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc");
  std::atomic<bool> go = false;
  RpcBuffer caller(name), callee(name, [&](std::uint64_t, Payload payload) {
    while (payload.size() == 1 && !go) std::this_thread::sleep_for(1ms);
  });
  auto slow = caller.remote_request_async(bytes_of("x"));
  for (int i = 0; i < 100; ++i) CHECK(caller.remote_request().success());
  CHECK(slow.wait_for(0s) == std::future_status::timeout);
  go = true;
  CHECK(slow.get().success());
}

TEST_CASE("an endpoint can be moved, and closes when it is assigned over", "[two-mappings]") {
  const Watchdog watchdog;
  const NameGuard name("rpc"), other("rpc");
  RpcBuffer a(name), b(name, echo);
  RpcBuffer moved(std::move(a));
  CHECK(moved.remote_request(1).as<int>() == 1);
  moved = RpcBuffer(other);
  CHECK(moved.name() == other.str());
  CHECK(b.remote_request(1).outcome == RpcOutcome::closed);
}
