// Who gets what: connections in every order, history, several publishers and subscribers, and what is refused.

#include "../support/shm_file.hpp"
#include "publish.hpp"

#include <strait/buffer_read_write.hpp>

#include <array>
#include <chrono>
#include <set>
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

const ChildFunction echo{"publish: echo", [](std::span<const std::string> arguments) -> int {
                           Subscriber subscriber(arguments[0], arguments[1] == "lossy" ? Delivery::lossy : Delivery::lossless);
                           say("ready");
                           for (;;) {
                             const auto received = subscriber.receive(strait::forever);
                             if (!received) return 1;
                             const std::string text = text_of(received.data);
                             say(text);
                             if (text == "end") return 0;
                           }
                         }};

const ChildFunction speaker{"publish: speaker", [](std::span<const std::string> arguments) -> int {
                              Publisher publisher(arguments[0]);
                              if (publisher.wait_for_subscribers(1, strait::forever) != Status::ok) return 1;
                              for (std::size_t i = 1; i < arguments.size(); ++i) {
                                if (publisher.publish(arguments[i]) != Status::ok) return 2;
                              }
                              say(std::to_string(publisher.id()));
                              return hear() ? 0 : 3;
                            }};

}  // namespace

TEST_CASE("a message goes from a publisher to a subscriber of the same process, whichever is there first") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  {
    Publisher publisher(topic);
    CHECK(publisher.active_connections() == 0);
    CHECK(publisher.publish(std::string("to nobody")) == Status::ok);
    Subscriber subscriber(topic);
    CHECK(publisher.active_connections() == 1);
    CHECK(subscriber.active_connections() == 1);
    CHECK(publisher.publish(std::string("one")) == Status::ok);
    CHECK(next_text(subscriber) == "one");
    CHECK(next_text(subscriber, strait::no_wait) == "timed_out");
  }
  Subscriber subscriber(topic);
  CHECK(next_text(subscriber, 5ms) == "timed_out");
  Publisher publisher(topic);
  CHECK(publisher.active_connections() == 1);
  CHECK(publisher.publish(std::string("first")) == Status::ok);
  CHECK(next_text(subscriber) == "first");
}

TEST_CASE("what was published while a subscriber was connected stays for it after its publisher has closed") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Subscriber subscriber(topic);
  {
    Publisher publisher(topic);
    for (const char* text : {"one", "two", "three"}) CHECK(publisher.publish(std::string(text)) == Status::ok);
  }
  CHECK(subscriber.active_connections() == 0);
  for (const char* text : {"one", "two", "three"}) CHECK(next_text(subscriber) == text);
  CHECK(next_text(subscriber, strait::no_wait) == "timed_out");
}

TEST_CASE("every subscriber gets every message of every publisher, in the order of each publisher, and from whom") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  std::vector<Publisher> publishers;
  std::vector<Subscriber> subscribers;
  for (int i = 0; i < 3; ++i) {
    publishers.emplace_back(topic.str());
    subscribers.emplace_back(topic.str(), i == 2 ? Delivery::lossy : Delivery::lossless);
  }
  std::set<std::uint64_t> ids;
  for (auto& publisher : publishers) {
    CHECK(publisher.wait_for_subscribers(3, strait::forever) == Status::ok);
    ids.insert(publisher.id());
  }
  CHECK(ids.size() == 3);
  for (std::int64_t number = 0; number < 100; ++number) {
    for (auto& publisher : publishers) CHECK(publisher.publish(number) == Status::ok);
  }
  for (auto& subscriber : subscribers) {
    CHECK(subscriber.active_connections() == 3);
    std::map<std::uint64_t, std::int64_t> next;
    for (int i = 0; i < 300; ++i) {
      const auto received = subscriber.receive();
      REQUIRE(received);
      CHECK(ids.contains(received.publisher));
      CHECK(received.missed == 0);
      std::int64_t number = -1;
      REQUIRE(received.data.size() == sizeof number);
      std::memcpy(&number, received.data.data(), sizeof number);
      CHECK(number == next[received.publisher]++);
    }
    CHECK(!subscriber.receive(strait::no_wait));
    CHECK(subscriber.missed() == 0);
  }
}

TEST_CASE("a late subscriber gets the last `history` messages of each publisher, and no other old ones") {
  const Watchdog watchdog;
  for (const std::size_t history : {0u, 1u, 3u, 8u}) {
    for (const int published : {0, 1, 2, 3, 7, 8, 9, 30}) {
      for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
        INFO("history " << history << ", published " << published);
        NameGuard topic("topic");
        Publisher publisher(topic, nodes(8, 64, history));
        for (std::int64_t i = 0; i < published; ++i) CHECK(publisher.publish(i) == Status::ok);
        Subscriber subscriber(topic, delivery);
        const std::int64_t first = published - std::min(published, static_cast<int>(history));
        for (std::int64_t i = first; i < published; ++i) CHECK(next_number(subscriber) == i);
        CHECK(publisher.publish(std::int64_t{1000}) == Status::ok);
        CHECK(next_number(subscriber) == 1000);
        CHECK(!subscriber.receive(strait::no_wait));
        CHECK(subscriber.missed() == 0);
      }
    }
  }
}

TEST_CASE("a history of long messages goes back as far as there is room for them") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic, nodes(8, 16, 5));
  for (std::uint64_t i = 0; i < 9; ++i) CHECK(publisher.publish(pattern(48, i)) == Status::ok);  // three nodes each
  Subscriber subscriber(topic);
  std::vector<std::vector<std::byte>> got;
  while (auto received = subscriber.receive(strait::no_wait)) got.push_back(received.data);
  REQUIRE(!got.empty());
  CHECK(got.size() == 2);
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == pattern(48, 9 - got.size() + i));
}

TEST_CASE("publishers and subscribers of other processes") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Child first("publish: echo", {topic.str(), "lossless"});
  Child second("publish: echo", {topic.str(), "lossy"});
  CHECK(first.read_line() == "ready");
  CHECK(second.read_line() == "ready");
  Subscriber own(topic);
  Child publisher("publish: speaker", {topic.str(), "one", "two", "end"});
  const auto id = publisher.read_line();
  REQUIRE(id);
  for (const char* text : {"one", "two", "end"}) {
    CHECK(first.read_line() == text);
    CHECK(second.read_line() == text);
    const auto received = own.receive(10s);
    CHECK(text_of(received.data) == text);
    CHECK(std::to_string(received.publisher) == *id);
  }
  CHECK(first.wait().clean());
  CHECK(second.wait().clean());
  publisher.write_line("done");
  CHECK(publisher.wait().clean());
}

TEST_CASE("the kernel's read_only mapping is enough to listen, lossy and without a place in the topic") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  strait::TopicOptions read_only;
  read_only.read_only = true;
  CHECK(caught([&] { Subscriber subscriber(topic, Delivery::lossless, read_only); }) == Errc::not_found);
  Publisher publisher(topic, nodes(8, 64, 2));
  for (std::int64_t i = 0; i < 5; ++i) CHECK(publisher.publish(i) == Status::ok);
  Subscriber subscriber(topic, Delivery::lossless, read_only);
  CHECK(publisher.active_connections() == 0);
  CHECK(subscriber.active_connections() == 1);
  CHECK(next_number(subscriber) == 3);
  CHECK(next_number(subscriber) == 4);
  for (std::int64_t i = 5; i < 105; ++i) CHECK(publisher.publish(i) == Status::ok);
  std::uint64_t received = 0;
  std::int64_t last = 0;
  for (std::int64_t number = next_number(subscriber, strait::no_wait); number >= 0; number = next_number(subscriber, strait::no_wait)) {
    ++received;
    last = number;
  }
  CHECK(last == 104);
  CHECK(received + subscriber.missed() == 100);
  Publisher later(topic);
  eventually([&] { return subscriber.active_connections() == 2; });
  CHECK(later.publish(std::int64_t{7}) == Status::ok);
  CHECK(next_number(subscriber) == 7);
}

TEST_CASE("what cannot be is refused, and says why") {
  NameGuard topic("topic");
  CHECK(caught([&] { Publisher publisher("no/name"); }) == Errc::invalid_argument);
  CHECK(caught([&] { Subscriber subscriber(""); }) == Errc::invalid_argument);
  CHECK(caught([&] { Publisher publisher(topic, nodes(1)); }) == Errc::invalid_argument);
  CHECK(caught([&] { Publisher publisher(topic, nodes(4, 0)); }) == Errc::invalid_argument);
  CHECK(caught([&] { Publisher publisher(topic, nodes(4, 64, 5)); }) == Errc::invalid_argument);
  strait::TopicOptions read_only;
  read_only.read_only = true;
  CHECK(caught([&] { Publisher publisher(topic, read_only); }) == Errc::invalid_argument);
  {
    strait::TopicOptions two;
    two.max_participants = 2;
    Publisher publisher(topic, two);
    Subscriber subscriber(topic);
    CHECK(caught([&] { Subscriber third(topic); }) == Errc::too_many_participants);
    CHECK(publisher.publish(1) == Status::ok);
    CHECK(subscriber.receive());
  }
  strait::BufferReadWrite other(topic.str(), 100);
  CHECK(caught([&] { Publisher publisher(topic); }) == Errc::wrong_kind);
}

TEST_CASE("a topic lives as long as somebody is there, and leaves nothing") {
  NameGuard topic("topic");
  for (int i = 0; i < 3; ++i) {
    Publisher publisher(topic);
    CHECK(left_behind(topic.str()).size() == (names_stay() ? 2 : 1));  // where names cannot be listed, only the topic's own is looked for
    Subscriber subscriber(topic);
    CHECK(publisher.publish(i) == Status::ok);
  }
  CHECK(left_behind(topic.str()).empty());
}
