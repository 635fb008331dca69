// What a message may be: every size, several parts, values and ranges, nodes filled in place.

#include "publish.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <random>
#include <span>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Delivery;
using strait::Errc;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;
using strait::WriteClaim;

TEST_CASE("messages of every size from nothing to half the ring arrive whole, for lossless and lossy subscribers") {
  const Watchdog watchdog;
  for (const std::size_t count : {2u, 3u, 8u, 65u}) {
    NameGuard topic("topic");
    Publisher publisher(topic, nodes(count, 24));
    Subscriber lossless(topic);
    Subscriber lossy(topic, Delivery::lossy);
    const std::size_t most = count * 24 / 2;
    for (std::size_t size = 0; size <= most; ++size) {
      const auto message = pattern(size, size);
      REQUIRE(publisher.publish(message) == Status::ok);
      for (Subscriber* subscriber : {&lossless, &lossy}) {
        const auto received = subscriber->receive();
        REQUIRE(received);
        REQUIRE(received.data == message);
        REQUIRE(received.missed == 0);
      }
    }
    CHECK(caught([&] { return publisher.publish(pattern(most + 1, 1)); }) == Errc::message_too_large);
    CHECK(!lossless.receive(strait::no_wait));
  }
}

TEST_CASE("an empty message is a message") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic);
  Subscriber subscriber(topic);
  CHECK(publisher.publish(std::span<const std::byte>()) == Status::ok);
  CHECK(publisher.publish(std::string()) == Status::ok);
  CHECK(publisher.publish(std::string("after")) == Status::ok);
  CHECK(next_text(subscriber) == "");
  CHECK(next_text(subscriber) == "");
  CHECK(next_text(subscriber) == "after");
}

TEST_CASE("64 MiB and more arrive whole where the ring is sized for them") {
  const Watchdog watchdog(120s);
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(130, 1u << 20));
  Subscriber subscriber(topic);
  const auto message = pattern((64u << 20) + 12345, 5);
  std::vector<std::byte> received;
  Workers workers;
  workers.run([&] { received = subscriber.receive(60s).data; });
  CHECK(publisher.publish(message, 60s) == Status::ok);
  CHECK(workers.join() == "");
  CHECK(received == message);
}

TEST_CASE("several parts are published as one message") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(64, 8));
  Subscriber subscriber(topic);
  const std::string a = "several ";
  const std::string b = "parts, of which one is longer than a node";
  const std::vector<std::span<const std::byte>> spans{std::as_bytes(std::span(a)), {}, std::as_bytes(std::span(b))};
  CHECK(publisher.publish(spans) == Status::ok);
  CHECK(publisher.publish(std::span<const std::span<const std::byte>>(spans)) == Status::ok);
  CHECK(publisher.publish(std::array{spans[0], spans[1], spans[2]}) == Status::ok);
  CHECK(publisher.publish(std::vector<std::string>{a, "", b}) == Status::ok);
  for (int i = 0; i < 4; ++i) CHECK(next_text(subscriber) == a + b);
  CHECK(publisher.publish(std::vector<std::vector<std::byte>>{pattern(5, 1), pattern(6, 2)}) == Status::ok);
  auto both = pattern(5, 1);
  const auto rest = pattern(6, 2);
  both.insert(both.end(), rest.begin(), rest.end());
  CHECK(subscriber.receive().data == both);
  CHECK(publisher.publish(std::vector<std::string>{}) == Status::ok);
  CHECK(next_text(subscriber) == "");
  CHECK(caught([&] { return publisher.publish(std::deque<std::string>{std::string(200, 'x'), std::string(60, 'y')}); }) == Errc::message_too_large);
}

TEST_CASE("values and ranges are published as their bytes") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic);
  Subscriber subscriber(topic);
  struct Point {
    int x, y;
  };
  CHECK(publisher.publish(Point{3, 4}) == Status::ok);
  const auto received = subscriber.receive();
  Point point{};
  REQUIRE(received.data.size() == sizeof point);
  std::memcpy(&point, received.data.data(), sizeof point);
  CHECK(point.x == 3);
  CHECK(point.y == 4);
  CHECK(publisher.publish(std::vector<std::uint16_t>{1, 2, 3}) == Status::ok);
  CHECK(subscriber.receive().data.size() == 6);
  CHECK(publisher.publish(std::string_view("view")) == Status::ok);
  CHECK(next_text(subscriber) == "view");
}

TEST_CASE("a lossless subscriber reads in place what fits a node, a lossy one a copy, and longer messages come put together") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(8, 32));
  Subscriber lossless(topic);
  Subscriber lossy(topic, Delivery::lossy);
  for (const std::size_t size : {0u, 1u, 32u, 33u, 100u}) {
    CHECK(publisher.publish(pattern(size, size)) == Status::ok);
    for (Subscriber* subscriber : {&lossless, &lossy}) {
      std::vector<std::byte> seen;
      CHECK(subscriber->receive_with([&](std::span<const std::byte> message) { seen.assign(message.begin(), message.end()); }) == Status::ok);
      CHECK(seen == pattern(size, size));
    }
  }
  // In place: the publisher has no room before it is done with.
  for (int i = 0; i < 8; ++i) CHECK(publisher.publish(i) == Status::ok);
  CHECK(lossless.receive_with([&](std::span<const std::byte>) { CHECK(publisher.publish(8, strait::no_wait) == Status::timed_out); }) == Status::ok);
  CHECK(publisher.publish(8, strait::no_wait) == Status::ok);
}

TEST_CASE("a message that receive_with's function throws on is the next one again") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(8, 32));
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    Subscriber subscriber(topic, delivery);
    for (const std::size_t size : {10u, 100u}) {
      CHECK(publisher.publish(pattern(size, size)) == Status::ok);
      for (int i = 0; i < 2; ++i) {
        CHECK(caught([&] { return subscriber.receive_with([](auto) { throw std::runtime_error("not now"); }); }).says("not now"));
      }
      CHECK(subscriber.receive().data == pattern(size, size));
    }
    CHECK(!subscriber.receive(strait::no_wait));
    CHECK(publisher.publish(1) == Status::ok);
    CHECK(caught([&] { return subscriber.receive_with([&](auto) { static_cast<void>(subscriber.receive()); }); }) == Errc::would_deadlock);
    CHECK(subscriber.receive());
  }
}

TEST_CASE("a node is filled in place and published, and one that is given up leaves nothing") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(4, 64));
  Subscriber subscriber(topic);
  for (std::int64_t i = 0; i < 10; ++i) {
    auto loan = publisher.loan();
    REQUIRE(loan);
    CHECK(loan.bytes().size() == 64);
    loan.as<std::int64_t>() = i;
    CHECK(!subscriber.receive(strait::no_wait));
    if (i % 3 == 0) continue;  // given up
    loan.publish(sizeof i);
    CHECK(loan.status() == Status::ok);
    CHECK(!loan);
    CHECK(next_number(subscriber) == i);
  }
  auto loan = publisher.loan();
  CHECK(caught([&] { loan.publish(65); }) == Errc::message_too_large);
  loan.publish(0);
  CHECK(next_text(subscriber) == "");
}

TEST_CASE("loans are delivered in the order in which they were taken, whatever the order in which they are finished, and so is what is published meanwhile") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  std::minstd_rand random(7);
  Publisher publisher(topic, nodes(16, 16));
  Subscriber lossless(topic);
  Subscriber lossy(topic, Delivery::lossy);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::pair<WriteClaim, std::int64_t>> loans;
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i < 6; ++i) {
      if (random() % 2 == 0) {
        loans.emplace_back(publisher.loan(), i);
        REQUIRE(loans.back().first);
        if (random() % 3 == 0) {
          loans.back().second = -1;
        } else {
          expected.push_back(i);
        }
      } else {
        std::array<std::int64_t, 3> long_one{i, i, i};  // two nodes
        CHECK(publisher.publish(long_one, strait::no_wait) == Status::ok);
        expected.push_back(i);
      }
    }
    std::shuffle(loans.begin(), loans.end(), random);
    for (auto& [loan, number] : loans) {
      if (number < 0) {
        loan.abandon();
      } else {
        loan.as<std::int64_t>() = number;
        loan.publish(sizeof number);
      }
    }
    for (Subscriber* subscriber : {&lossless, &lossy}) {
      for (const auto number : expected) {
        const auto received = subscriber->receive(strait::no_wait);
        REQUIRE(received);
        std::int64_t got = -1;
        std::memcpy(&got, received.data.data(), sizeof got);
        REQUIRE(got == number);
      }
      REQUIRE(!subscriber->receive(strait::no_wait));
      REQUIRE(subscriber->missed() == 0);
    }
  }
}

TEST_CASE("a loan that outlives its publisher is not published, and what was published behind it still arrives") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Subscriber subscriber(topic);
  std::optional<Publisher> publisher(std::in_place, topic, nodes(4, 64));
  auto loan = publisher->loan();
  loan.as<int>() = 1;
  CHECK(publisher->publish(std::int64_t{2}) == Status::ok);
  CHECK(!subscriber.receive(strait::no_wait));
  publisher.reset();
  CHECK(next_number(subscriber) == 2);
  CHECK(loan);
  loan.as<int>() = 3;
  loan.publish(4);
  CHECK(loan.status() == Status::closed);
  CHECK(!subscriber.receive(strait::no_wait));
}

TEST_CASE("whoever has a message in its hands may ask how many were missed, on whichever thread") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(8));
  Subscriber subscriber(topic);
  std::uint64_t missed = 99;
  for (int i = 0; i < 3; ++i) REQUIRE(publisher.publish(i) == Status::ok);
  const auto ask = [&] {
    return subscriber.receive_with([&](std::span<const std::byte>) { missed = subscriber.missed(publisher.id()) + subscriber.missed(); });
  };
  CHECK(ask() == Status::ok);
  CHECK(std::exchange(missed, 99) == 0);
  Status of_another = Status::timed_out;
  std::thread([&] { of_another = ask(); }).join();
  CHECK(of_another == Status::ok);
  CHECK(std::exchange(missed, 99) == 0);
  CHECK(ask() == Status::ok);
  CHECK(missed == 0);
}
