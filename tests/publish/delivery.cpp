// Lossless subscribers hold their publisher back, lossy ones do not and know what they missed.

#include "publish.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <thread>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Delivery;
using strait::Errc;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;

namespace {

const ChildFunction idle{"publish: idle", [](std::span<const std::string> arguments) -> int {
                           Subscriber subscriber(arguments[0]);
                           say("ready");
                           return hear() ? 0 : 1;
                         }};

struct Numbered {
  std::uint64_t number;
  std::uint64_t complement;
};

}  // namespace

TEST_CASE("a publisher waits for its lossless subscriber until its deadline, and what timed out arrives nowhere") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(4, 16));
  Subscriber subscriber(topic);
  for (std::int64_t i = 0; i < 4; ++i) CHECK(publisher.publish(i, strait::no_wait) == Status::ok);
  const auto began = std::chrono::steady_clock::now();
  CHECK(publisher.publish(std::int64_t{99}, 30ms) == Status::timed_out);
  CHECK(std::chrono::steady_clock::now() - began >= 30ms);
  CHECK(publisher.loan(strait::no_wait).status() == Status::timed_out);
  CHECK(next_number(subscriber) == 0);
  CHECK(publisher.publish(pattern(32, 1), strait::no_wait) == Status::timed_out);  // two nodes, and there is one
  CHECK(publisher.publish(std::int64_t{4}, strait::no_wait) == Status::ok);
  for (std::int64_t i = 1; i <= 4; ++i) CHECK(next_number(subscriber) == i);
  CHECK(!subscriber.receive(strait::no_wait));
  CHECK(publisher.publish(pattern(32, 1), strait::no_wait) == Status::ok);
  CHECK(subscriber.receive().data == pattern(32, 1));
}

TEST_CASE("a publisher that waits goes on when its subscriber reads, leaves, or dies") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(4, 16));
  const auto fill = [&] {
    while (publisher.publish(std::int64_t{1}, strait::no_wait) == Status::ok) continue;
  };
  {
    Subscriber subscriber(topic);
    fill();
    Workers workers;
    workers.run([&] { static_cast<void>(subscriber.receive()); });
    CHECK(publisher.publish(std::int64_t{2}, strait::forever) == Status::ok);
    CHECK(workers.join() == "");
  }
  {
    std::optional<Subscriber> subscriber(std::in_place, topic);
    fill();
    Workers workers;
    workers.run([&] { subscriber.reset(); });
    CHECK(publisher.publish(std::int64_t{3}, strait::forever) == Status::ok);
    CHECK(workers.join() == "");
  }
  Child child("publish: idle", {topic.str()});
  CHECK(child.read_line() == "ready");
  CHECK(publisher.active_connections() == 1);
  fill();
  Workers workers;
  workers.run([&] { child.kill(); });
  CHECK(publisher.publish(std::int64_t{4}, strait::forever) == Status::ok);
  CHECK(workers.join() == "");
  CHECK(child.wait().killed_by(SIGKILL));
  CHECK(publisher.active_connections() == 0);
}

TEST_CASE("a stopped lossless subscriber holds its publisher back, because it is not dead") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(4, 16));
  Child child("publish: idle", {topic.str()});
  CHECK(child.read_line() == "ready");
  child.stop();
  for (int i = 0; i < 4; ++i) CHECK(publisher.publish(i, strait::no_wait) == Status::ok);
  CHECK(publisher.publish(4, 150ms) == Status::timed_out);
  CHECK(publisher.active_connections() == 1);
  child.cont();
  child.write_line("end");
  CHECK(child.wait().clean());
  CHECK(publisher.publish(4) == Status::ok);
}

TEST_CASE("a lossy subscriber never slows its publisher, and knows exactly how many messages it missed") {
  const Watchdog watchdog;
  std::minstd_rand random(std::random_device{}());
  for (const std::size_t count : {2u, 3u, 4u, 16u, 100u}) {
    NameGuard topic("topic");
    Publisher publisher(topic, nodes(count, 32));
    Subscriber subscriber(topic, Delivery::lossy);
    std::uint64_t published = 0;
    std::uint64_t received = 0;
    std::uint64_t told = 0;
    std::uint64_t next = 0;
    for (int round = 0; round < 200; ++round) {
      for (auto burst = random() % (2 * count + 2); burst != 0; --burst) {
        std::vector<std::uint64_t> message(1 + random() % (count * 2), published);  // one node up to half the ring
        CHECK(publisher.publish(message, strait::no_wait) == Status::ok);
        ++published;
      }
      for (auto reads = random() % (count + 2); reads != 0; --reads) {
        const auto got = subscriber.receive(strait::no_wait);
        if (!got) break;
        std::uint64_t number = 0;
        std::memcpy(&number, got.data.data(), sizeof number);
        REQUIRE(got.publisher == publisher.id());
        REQUIRE(number == next + got.missed);
        next = number + 1;
        ++received;
        told += got.missed;
      }
    }
    while (const auto got = subscriber.receive(strait::no_wait)) {
      ++received;
      told += got.missed;
    }
    CHECK(received + told == published);
    CHECK(subscriber.missed() == told);
    CHECK(subscriber.missed(publisher.id()) == told);
    CHECK(told > 0);
  }
}

TEST_CASE("lossless and lossy subscribers of one topic beside each other, while they are overrun at full speed") {
  const Watchdog watchdog(120s);
  NameGuard topic("topic");
  constexpr std::uint64_t messages = 100'000;
  Subscriber lossless(topic);
  Subscriber lossy(topic, Delivery::lossy);
  Subscriber other(topic, Delivery::lossy);
  Workers workers;
  std::atomic<std::uint64_t> accounted{0};
  const auto listen = [&](Subscriber& subscriber, bool may_miss) {
    std::uint64_t next = 0;
    while (next != messages) {
      const auto got = subscriber.receive(10s);
      if (!got) throw std::runtime_error(std::string("receive: ") + text_of(got.status));
      Numbered message{};
      if (got.data.size() < sizeof message) throw std::runtime_error("too short");
      std::memcpy(&message, got.data.data(), sizeof message);
      if (message.complement != ~message.number) throw std::runtime_error("torn");
      for (std::size_t at = sizeof message; at != got.data.size(); ++at) {
        if (got.data[at] != static_cast<std::byte>(message.number)) throw std::runtime_error("torn inside");
      }
      if (got.missed != 0 && !may_miss) throw std::runtime_error("missed some");
      if (message.number != next + got.missed) throw std::runtime_error("out of order");
      next = message.number + 1;
    }
    accounted.fetch_add(1);
  };
  workers.run([&] { listen(lossless, false); });
  workers.run([&] { listen(lossy, true); });
  workers.run([&] { listen(other, true); });
  {
    Publisher publisher(topic, nodes(32, 48));
    CHECK(publisher.wait_for_subscribers(3, strait::forever) == Status::ok);
    std::vector<std::byte> message;
    for (std::uint64_t number = 0; number < messages; ++number) {
      const Numbered head{number, ~number};
      message.assign(sizeof head + static_cast<std::size_t>(number % 90), static_cast<std::byte>(number));
      std::memcpy(message.data(), &head, sizeof head);
      REQUIRE(publisher.publish(message, strait::forever) == Status::ok);
    }
  }
  CHECK(workers.join() == "");
  CHECK(accounted.load() == 3);
}

TEST_CASE("many threads publish through one publisher and receive through one subscriber, and nothing is lost or doubled") {
  const Watchdog watchdog(120s);
  NameGuard topic("topic");
  constexpr std::uint32_t threads = 3;
  constexpr std::uint32_t each = 5'000;
  Publisher publisher(topic, nodes(64, 16));
  Subscriber subscriber(topic);
  Workers workers;
  std::vector<std::atomic<std::uint32_t>> seen(threads * each);
  std::atomic<std::uint32_t> received{0};
  for (std::uint32_t thread = 0; thread < threads; ++thread) {
    workers.run([&, thread] {
      for (std::uint32_t i = 0; i < each; ++i) {
        if (i % 3 == 0) {
          auto loan = publisher.loan(strait::forever);
          loan.as<std::uint32_t>() = thread * each + i;
          loan.publish(4);
        } else if (publisher.publish(thread * each + i, strait::forever) != Status::ok) {
          throw std::runtime_error("not published");
        }
      }
    });
    workers.run([&] {
      while (received.load() != threads * each) {
        static_cast<void>(subscriber.receive_with(
            [&](std::span<const std::byte> message) {
              std::uint32_t number = 0;
              std::memcpy(&number, message.data(), sizeof number);
              seen.at(number).fetch_add(1);
              received.fetch_add(1);
            },
            10ms));
      }
    });
  }
  CHECK(workers.join() == "");
  CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& count) { return count.load() == 1; }));
}
