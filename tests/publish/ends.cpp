// Connects and disconnects as events, handlers of messages, and every way to an end.

#include "publish.hpp"

#include <strait/on_error.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Delivery;
using strait::Errc;
using strait::Participant;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;

namespace {

const ChildFunction party{"publish: party", [](std::span<const std::string> arguments) -> int {
                            std::optional<Publisher> publisher;
                            std::optional<Subscriber> subscriber;
                            if (arguments[1] == "publisher") {
                              publisher.emplace(arguments[0]);
                              say(std::to_string(publisher->id()));
                            } else {
                              subscriber.emplace(arguments[0]);
                              say(std::to_string(subscriber->id()));
                            }
                            return hear() ? 0 : 1;
                          }};

// What handlers were told, in order.
class Told {
 public:
  void add(std::string what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(what));
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  void wait_for(std::size_t count) {
    eventually([&] { return all().size() >= count; });
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> all_;
};

std::string number(std::span<const std::byte> message) {
  int value = -1;
  if (message.size() == sizeof value) std::memcpy(&value, message.data(), sizeof value);
  return std::to_string(value);
}

}  // namespace

TEST_CASE("both sides are told who connects and who disconnects, closed or killed, with the same identity") {
  const Watchdog watchdog;
  for (const std::string side : {"publisher", "subscriber"}) {
    INFO("the other side is a " << side);
    NameGuard topic("topic");
    std::optional<Publisher> publisher;
    std::optional<Subscriber> subscriber;
    if (side == "subscriber") {
      publisher.emplace(topic.str());
    } else {
      subscriber.emplace(topic.str());
    }
    Told told;
    const auto connect = [&](const Participant& one) { told.add((one.alive ? "+" : "?") + std::to_string(one.id)); };
    const auto disconnect = [&](const Participant& one) { told.add((one.alive ? "?" : "-") + std::to_string(one.id)); };
    auto first = publisher ? publisher->on_connect(connect) : subscriber->on_connect(connect);
    auto second = publisher ? publisher->on_disconnect(disconnect) : subscriber->on_disconnect(disconnect);
    std::set<std::string> ids;
    std::vector<std::string> expected;
    for (int round = 0; round < 4; ++round) {
      Child child("publish: party", {topic.str(), side});
      const auto id = child.read_line();
      REQUIRE(id);
      CHECK(ids.insert(*id).second);
      expected.push_back("+" + *id);
      told.wait_for(expected.size());
      CHECK(told.all() == expected);
      CHECK((publisher ? publisher->active_connections() : subscriber->active_connections()) == 1);
      if (round % 2 == 0) {
        child.kill();
        CHECK(child.wait().killed_by(SIGKILL));
      } else {
        child.write_line("end");
        CHECK(child.wait().clean());
      }
      CHECK((publisher ? publisher->active_connections() : subscriber->active_connections()) == 0);
      expected.push_back("-" + *id);
      told.wait_for(expected.size());
      CHECK(told.all() == expected);
    }
  }
}

TEST_CASE("who is connected already is told to a handler of connects that comes late") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic);
  Subscriber subscriber(topic);
  Told told;
  const auto there = publisher.on_connect([&](const Participant& one) { told.add(std::to_string(one.id)); });
  told.wait_for(1);
  CHECK(told.all() == std::vector<std::string>{std::to_string(subscriber.id())});
  const auto here = subscriber.on_connect([&](const Participant& one) { told.add(std::to_string(one.id)); });
  told.wait_for(2);
  CHECK(told.all().back() == std::to_string(publisher.id()));
}

TEST_CASE("a publisher waits for subscribers, which may come later, and no longer than it was told") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic);
  CHECK(publisher.wait_for_subscribers(0, strait::no_wait) == Status::ok);
  CHECK(publisher.wait_for_subscribers(1, 10ms) == Status::timed_out);
  Workers workers;
  std::optional<Subscriber> one, two;
  workers.run([&] {
    one.emplace(topic.str());
    two.emplace(topic.str(), Delivery::lossy);
  });
  CHECK(publisher.wait_for_subscribers(2, strait::forever) == Status::ok);
  CHECK(workers.join() == "");
  CHECK(publisher.active_connections() == 2);
  CHECK(one->wait_for_publishers(1, strait::forever) == Status::ok);
  one.reset();
  CHECK(publisher.active_connections() == 1);
}

TEST_CASE("all handlers of messages are called by one thread, in order, until they are cancelled") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(16, 16));
  Subscriber subscriber(topic);
  Told first, second;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const auto note = [&] {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  };
  auto one = subscriber.on_message([&](std::span<const std::byte> message) {
    note();
    first.add(number(message));
  });
  {
    const auto two = subscriber.on_message([&](std::span<const std::byte> message) {
      note();
      second.add(number(message));
    });
    for (int i = 0; i < 100; ++i) CHECK(publisher.publish(i) == Status::ok);
    first.wait_for(100);
    second.wait_for(100);
  }
  for (int i = 100; i < 110; ++i) CHECK(publisher.publish(i) == Status::ok);
  first.wait_for(110);
  CHECK(second.all().size() == 100);
  for (int i = 0; i < 110; ++i) CHECK(first.all().at(static_cast<std::size_t>(i)) == std::to_string(i));
  one.cancel();
  CHECK(publisher.publish(1000) == Status::ok);
  CHECK(number(subscriber.receive(10s).data) == "1000");
  CHECK(first.all().size() == 110);
  CHECK(threads.size() == 1);
}

TEST_CASE("a handler of messages that throws is reported and goes on") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Told told;
  strait::on_error([&](std::exception_ptr, std::string_view where) { told.add(std::string(where)); });
  {
    Publisher publisher(topic);
    Subscriber subscriber(topic);
    const auto handler = subscriber.on_message([](std::span<const std::byte>) { throw std::runtime_error("no"); });
    CHECK(publisher.publish(1) == Status::ok);
    CHECK(publisher.publish(2) == Status::ok);
    told.wait_for(2);
  }
  strait::on_error({});
  CHECK(told.all().at(1) == "on_message of \"" + topic.str() + "\"");
}

TEST_CASE("a close from another thread ends every blocked call with `closed`, and so do later calls") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  {
    Publisher publisher(topic, nodes(2, 16));
    Subscriber subscriber(topic);
    Workers workers;
    std::atomic<int> started{0};
    std::atomic<int> closed{0};
    const auto expect_closed = [&](auto call) {
      workers.run([&, call] {
        started.fetch_add(1);
        if (call() == Status::closed) closed.fetch_add(1);
      });
    };
    for (int i = 0; i < 2; ++i) CHECK(publisher.publish(i) == Status::ok);
    Subscriber empty(topic);
    expect_closed([&] { return empty.receive(strait::forever).status; });
    expect_closed([&] { return empty.receive_with([](auto) {}, strait::forever); });
    expect_closed([&] { return empty.wait_for_publishers(2, strait::forever); });
    expect_closed([&] { return publisher.publish(3, strait::forever); });
    expect_closed([&] { return publisher.loan(strait::forever).status(); });
    expect_closed([&] { return publisher.wait_for_subscribers(9, strait::forever); });
    eventually([&] { return started.load() == 6; });
    empty.close();
    publisher.close();
    CHECK(workers.join() == "");
    CHECK(closed.load() == 6);
    CHECK(empty.receive().status == Status::closed);
    CHECK(publisher.publish(4) == Status::closed);
    CHECK(publisher.loan().status() == Status::closed);
    CHECK(publisher.wait_for_subscribers(0, strait::no_wait) == Status::closed);
    CHECK(caught([&] { return publisher.active_connections(); }) == Errc::closed);
    CHECK(caught([&] { return empty.active_connections(); }) == Errc::closed);
    publisher.close();
    empty.close();
    CHECK(number(subscriber.receive().data) == "0");  // what was there before
    CHECK(number(subscriber.receive().data) == "1");
  }
}

TEST_CASE("a handler may close, and destroy, the subscriber or publisher that calls it") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  for (int round = 0; round < 20; ++round) {
    Publisher publisher(topic);
    auto subscriber = std::make_unique<Subscriber>(topic.str());
    std::atomic<int> calls{0};
    std::atomic<bool> done{false};
    auto handler = subscriber->on_message([&](std::span<const std::byte>) {
      ++calls;
      if (round % 2 == 0) {
        subscriber->close();
      } else {
        subscriber.reset();
      }
      done = true;
    });
    CHECK(publisher.publish(1) == Status::ok);
    eventually([&] { return done.load(); });
    CHECK(publisher.publish(2) == Status::ok);
    eventually([&] { return publisher.active_connections() == 0; });
    handler.cancel();
    CHECK(calls.load() == 1);

    auto other = std::make_unique<Publisher>(topic.str());
    std::atomic<bool> told{false};
    auto connected = other->on_connect([&](const Participant&) {
      if (round % 2 == 0) {
        other->close();
      } else {
        other.reset();
      }
      told = true;
    });
    Subscriber last(topic);
    eventually([&] { return told.load(); });
    connected.cancel();
    std::atomic<bool> gone{false};
    auto going = last.on_connect([&](const Participant&) {
      last.close();
      gone = true;
    });
    eventually([&] { return gone.load(); });
  }
}

TEST_CASE("handles are destroyed while messages, connects and handlers are under way") {
  const Watchdog watchdog(120s);
  NameGuard topic("topic");
  std::atomic<bool> stop{false};
  Workers workers;
  for (int side = 0; side < 2; ++side) {
    workers.run([&, side] {
      for (int round = 0; !stop.load(); ++round) {
        Publisher publisher(topic, nodes(8, 16));
        const auto handler = publisher.on_connect([](const Participant&) {});
        for (int i = 0; i < 50; ++i) static_cast<void>(publisher.publish(i, side == 0 ? strait::Timeout(strait::no_wait) : strait::Timeout(1ms)));
      }
    });
    workers.run([&, side] {
      while (!stop.load()) {
        Subscriber subscriber(topic, side == 0 ? Delivery::lossless : Delivery::lossy);
        std::atomic<int> seen{0};
        const auto handler = subscriber.on_message([&](std::span<const std::byte>) { ++seen; });
        const auto events = subscriber.on_disconnect([](const Participant&) {});
        for (int i = 0; i < 20 && seen.load() < 10; ++i) std::this_thread::yield();
      }
    });
  }
  std::this_thread::sleep_for(1s);
  stop = true;
  CHECK(workers.join() == "");
}

TEST_CASE("a publisher and a subscriber that others are moved to end, and go on as what was moved") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  NameGuard other("topic");
  Publisher publisher(topic);
  Subscriber subscriber(topic);
  Publisher other_publisher(other);
  Subscriber other_subscriber(other);
  publisher = std::move(other_publisher);
  subscriber = std::move(other_subscriber);
  CHECK(left_behind(topic.str()).empty());
  CHECK(publisher.name() == other.str());
  CHECK(publisher.publish(std::string("moved")) == Status::ok);
  CHECK(next_text(subscriber) == "moved");
}
