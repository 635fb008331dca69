// A topic and a publisher's ring in which somebody has replaced numbers, or goes on doing so.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "restless.hpp"

#include <strait/broadcast/reader.hpp>
#include <strait/broadcast/writer.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/layout/topic.hpp>
#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

using namespace strait;
using namespace strait::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t nodes = 8;
constexpr std::size_t node_size = 64;

TopicOptions small() {
  TopicOptions options;
  options.node_count = nodes;
  options.node_buffer_size = node_size;
  options.max_participants = 4;
  return options;
}

// A publisher's ring, behind its back.
class Ring {
 public:
  explicit Ring(const Publisher& publisher) : door_(publisher.name() + layout::topic_suffix(publisher.id())) {}

  std::byte* payload() const { return door_.bytes() + reinterpret_cast<const layout::SegmentHeader*>(door_.bytes())->payload_offset; }
  layout::BroadcastBlock& block() const { return *reinterpret_cast<layout::BroadcastBlock*>(payload()); }
  layout::SubscriberLine& line(std::size_t at) const { return reinterpret_cast<layout::SubscriberLine*>(&block() + 1)[at]; }
  layout::BroadcastNode& node(std::size_t at) const {
    return *reinterpret_cast<layout::BroadcastNode*>(payload() + layout::broadcast_nodes_offset(4) + at * *layout::broadcast_stride(node_size));
  }
  // Of fewer than 64 nodes one lies behind the other.
  template <class Change>
  void each_node(Change change) const {
    for (std::size_t at = 0; at < nodes; ++at) change(node(at));
  }

 private:
  BackDoor door_;
};

bool takes(Subscriber& subscriber, int expected) {
  int value = -1;
  const Status status = subscriber.receive_with([&](std::span<const std::byte> bytes) {
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  });
  return status == Status::ok && value == expected;
}

// Words that change at every look, as a writer and a reader see them.
struct RestlessMemory {
  struct Words {
    Restless<std::uint64_t> claimed{[] { return ~std::uint64_t{0}; }};
    Restless<std::uint64_t> messages{[this] { return ++count; }};
    Restless<std::uint64_t> limit{[] { return std::uint64_t{0}; }};
    Restless<std::uint32_t> used{[] { return std::uint32_t{0}; }};
    Restless<std::uint64_t> position{[] { return std::uint64_t{0}; }};
    Restless<std::uint32_t> state{[] { return std::uint32_t{1}; }};
    Restless<std::uint64_t> word{[] { return std::uint64_t{0}; }};
    Restless<std::uint64_t> message{[] { return std::uint64_t{0}; }};
    Restless<std::uint64_t> total{[] { return std::uint64_t{0}; }};
    Restless<std::uint32_t> size{[] { return std::uint32_t{0}; }};
    Restless<std::uint32_t> flags{[] { return std::uint32_t{0}; }};
    std::uint64_t count = 0;
  };
  Words* words;

  std::uint64_t node_count() const { return nodes; }
  std::uint32_t line_count() const { return 4; }
  auto& claimed() { return words->claimed; }
  auto& messages() { return words->messages; }
  auto& limit() { return words->limit; }
  auto& used() { return words->used; }
  auto& position(std::uint32_t line) { return line < 4 ? words->position : throw std::out_of_range("a line that is not there"); }
  auto& state(std::uint32_t line) { return line < 4 ? words->state : throw std::out_of_range("a line that is not there"); }
  auto& word(std::uint64_t) { return words->word; }
  auto& message(std::uint64_t) { return words->message; }
  auto& total(std::uint64_t) { return words->total; }
  auto& size(std::uint64_t) { return words->size; }
  auto& flags(std::uint64_t) { return words->flags; }
  void hand_on(std::uint64_t, std::uint64_t) {}
  void move_on(std::uint32_t, std::uint64_t) {}
  void begin_writing() const {}
  void finished_reading() const {}
  void about_to_read(std::uint64_t) const {}
};

}  // namespace

TEST_CASE("a publisher whose ring says that there are more lines than seats looks at none that is not there") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  Publisher publisher(name, small());
  Subscriber subscriber(name, Delivery::lossless, small());
  const Ring ring(publisher);
  ring.block().used = (std::numeric_limits<std::uint32_t>::max)();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(publisher.publish(i) == Status::ok);
    REQUIRE(takes(subscriber, i));
  }
  CHECK(publisher.active_connections() == 1);
}

TEST_CASE("a subscriber's line that says anything lets its publisher write no further than a lap, and wait no longer than it was told") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  Publisher publisher(name, small());
  Subscriber subscriber(name, Delivery::lossless, small());
  const Ring ring(publisher);
  auto& position = ring.line(1).position;  // the publisher has the first seat
  for (const std::uint64_t wrong : {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 40}) {
    position = wrong;
    for (int i = 0; i < 50; ++i) CHECK(publisher.publish(i, no_wait) == Status::ok);
  }
  position = 0;
  Status status = Status::ok;
  for (std::size_t i = 0; i <= nodes && status == Status::ok; ++i) status = publisher.publish(1, Timeout(1ms));
  CHECK(status == Status::timed_out);
}

TEST_CASE("a subscriber reads to an end what a publisher has left who says that it claimed more than it can") {
  const Watchdog watchdog;
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    NameGuard name("hostile");
    Publisher publisher(name, small());
    Subscriber subscriber(name, delivery, small());
    REQUIRE(publisher.publish(1) == Status::ok);
    {
      const Ring ring(publisher);
      ring.block().claimed = std::uint64_t{1} << 60;
      ring.block().messages = ~std::uint64_t{0};
    }
    publisher.close();
    while (subscriber.receive(no_wait).status == Status::ok) {
    }
    CHECK(subscriber.receive(Timeout(1ms)).status == Status::timed_out);
    Publisher next(name, small());
    REQUIRE(next.publish(2) == Status::ok);
    CHECK(takes(subscriber, 2));
  }
}

TEST_CASE("nodes that say that the writer is far ahead, where it is not, hold up a subscriber no longer than it was told") {
  const Watchdog watchdog;
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    NameGuard name("hostile");
    Publisher publisher(name, small());
    Publisher other(name, small());
    Subscriber subscriber(name, delivery, small());
    const Ring ring(publisher);
    ring.each_node([](layout::BroadcastNode& node) { node.word = layout::BroadcastWord::of(std::uint64_t{1} << 50, layout::BroadcastPhase::published).bits; });
    CHECK(subscriber.receive(no_wait).status == Status::timed_out);
    CHECK(subscriber.receive(Timeout(1ms)).status == Status::timed_out);
    REQUIRE(other.publish(5) == Status::ok);
    CHECK(takes(subscriber, 5));
  }
}

TEST_CASE("a part that says it is longer than a node is told as broken and dropped, and a publisher of many hides no other") {
  const Watchdog watchdog;
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    for (const std::uint32_t wrong : {std::uint32_t{node_size + 1}, 0x7fffffffu, 0xffffffffu}) {
      NameGuard name("hostile");
      Publisher publisher(name, small());
      Publisher other(name, small());
      Subscriber subscriber(name, delivery, small());
      for (int i = 0; i < 5; ++i) REQUIRE(publisher.publish(i) == Status::ok);
      Ring(publisher).each_node([&](layout::BroadcastNode& node) { node.size = wrong; });
      REQUIRE(other.publish(5) == Status::ok);
      int broken = 0;
      bool right = false;
      const auto take = [&] { right = takes(subscriber, 5); };
      while (caught(take) == Errc::broken) ++broken;
      CHECK(right);
      CHECK(broken <= 1);
      while (broken < 5 && caught([&] { return subscriber.receive(no_wait).status; }) == Errc::broken) ++broken;
      CHECK(broken == 5);
      REQUIRE(publisher.publish(6) == Status::ok);
      CHECK(takes(subscriber, 6));
    }
  }
}

TEST_CASE("a part that says it is longer than a node is handed to nobody, in place or copied") {
  const Watchdog watchdog;
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    for (const bool in_place : {false, true}) {
      NameGuard name("hostile");
      Publisher publisher(name, small());
      Subscriber subscriber(name, delivery, small());
      const auto receive = [&] { return in_place ? subscriber.receive_with([](std::span<const std::byte>) {}, no_wait) : subscriber.receive(no_wait).status; };
      REQUIRE(publisher.publish(0) == Status::ok);
      REQUIRE(receive() == Status::ok);
      for (int i = 0; i < 5; ++i) REQUIRE(publisher.publish(i) == Status::ok);
      Ring(publisher).each_node([&](layout::BroadcastNode& node) { node.size = node_size + 1; });
      for (int i = 0; i < 5; ++i) CHECK(caught(receive) == Errc::broken);
      REQUIRE(publisher.publish(6) == Status::ok);
      CHECK(takes(subscriber, 6));
    }
  }
}

TEST_CASE("parts that do not make the message that they say are told as broken, and the next message comes whole") {
  const Watchdog watchdog;
  struct Wrong {
    const char* what;
    std::size_t node;
    void (*change)(layout::BroadcastNode&);
  };
  const std::array all{
      Wrong{"a message longer than its ring", 0, [](layout::BroadcastNode& node) { node.total = std::uint64_t{1} << 60; }},
      Wrong{"a message of no bytes", 0, [](layout::BroadcastNode& node) { node.total = 0; }},
      Wrong{"parts that are more than all", 0, [](layout::BroadcastNode& node) { node.total = node_size + 1; }},
      Wrong{"parts that are less than all", 0, [](layout::BroadcastNode& node) { node.total = 3 * node_size + 1; }},
      Wrong{"a part that is missing in the middle", 1, [](layout::BroadcastNode& node) { node.size = 0; }},
      Wrong{"a last part too early", 1, [](layout::BroadcastNode& node) { node.flags = layout::last_part; }},
  };
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    for (const Wrong& wrong : all) {
      CAPTURE(wrong.what);
      NameGuard name("hostile");
      Publisher publisher(name, small());
      Subscriber subscriber(name, delivery, small());
      REQUIRE(publisher.publish(std::vector<char>(3 * node_size)) == Status::ok);
      wrong.change(Ring(publisher).node(wrong.node));
      CHECK(caught([&] { return subscriber.receive(no_wait).status; }) == Errc::broken);
      REQUIRE(publisher.publish(7) == Status::ok);
      bool right = false;
      while (caught([&] { right = takes(subscriber, 7); }) == Errc::broken) {
      }
      CHECK(right);
    }
  }
}

TEST_CASE("a subscriber joins a ring whose words say anything, and its calls end") {
  const Watchdog watchdog;
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    for (const std::uint64_t wrong : {~std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 62) + 3, std::uint64_t{1000}}) {
      NameGuard name("hostile");
      TopicOptions options = small();
      options.history = 3;
      Publisher publisher(name, options);
      for (int i = 0; i < 5; ++i) REQUIRE(publisher.publish(i) == Status::ok);
      const Ring ring(publisher);
      ring.block().limit = wrong;
      ring.block().history = wrong;
      ring.block().messages = wrong;
      Subscriber subscriber(name, delivery, options);
      for (int i = 0; i < 8; ++i) static_cast<void>(caught([&] { return subscriber.receive(no_wait).status; }));
      CHECK(caught([&] { return subscriber.receive(Timeout(1ms)).status; }).nothing());
      static_cast<void>(subscriber.missed());
    }
  }
}

TEST_CASE("a reader and a writer of a ring whose words change at every look end each step") {
  const Watchdog watchdog;
  RestlessMemory::Words words;
  std::uint64_t number = 0;
  broadcast::Reader<RestlessMemory> reader(RestlessMemory{&words});
  SECTION("every look finds a place that was given up") {
    words.word.next = [&] { return layout::BroadcastWord::of(number++, layout::BroadcastPhase::skipped).bits; };
    CHECK(reader.look(false) == broadcast::Look::none);
  }
  SECTION("every look finds an old message, while it joins") {
    words.used.next = [&] { return static_cast<std::uint32_t>(number & 1); };
    words.messages.next = [] { return std::uint64_t{100}; };
    words.word.next = [&] { return layout::BroadcastWord::of(number++, layout::BroadcastPhase::published).bits; };
    reader.join(2, layout::LineState::lossless, 0);
    CHECK(number > 0);
  }
  SECTION("the count of lines never becomes what it is to be") {
    words.used.next = [&] { return static_cast<std::uint32_t>(number++ & 1); };
    reader.join(2, layout::LineState::lossy, 0);
    CHECK(number > 0);
  }
  SECTION("the writer is gone, and has claimed everything") {
    CHECK(reader.look(true) == broadcast::Look::end);
  }
  SECTION("an overrun by a writer that has claimed nothing goes on all the same") {
    words.claimed.next = [] { return std::uint64_t{0}; };
    const auto before = reader.index();
    reader.jump(true);
    CHECK(reader.index() != before);
  }
  SECTION("a writer's count of lines is beyond all bounds") {
    words.used.next = [] { return ~std::uint32_t{0}; };
    broadcast::Writer<RestlessMemory> writer(RestlessMemory{&words}, 0);
    CHECK(writer.has_room(1));
  }
}

TEST_CASE("a topic's segment with other entries than seats is told as broken") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  const Subscriber subscriber(name, Delivery::lossless, small());
  const BackDoor door(name);
  auto& header = *reinterpret_cast<layout::SegmentHeader*>(door.bytes());
  for (const std::uint64_t count : {1u, 2u, 4u}) {
    const auto plan = *layout::plan({layout::Kind::topic, header.element_size, count, header.element_alignment, header.fingerprint}, header.seat_count);
    header.element_count = count;
    header.payload_size = plan.payload_size;
    header.segment_size = plan.segment_size;
    CHECK(caught([&] { Subscriber other(name, Delivery::lossless, small()); }) == Errc::broken);
    CHECK(caught([&] { Publisher other(name, small()); }) == Errc::broken);
  }
}

TEST_CASE("of parts that never end a subscriber keeps no more than the message was said to have") {
  const Watchdog watchdog;
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    NameGuard name("hostile");
    Publisher publisher(name, small());
    Subscriber subscriber(name, delivery, small());
    for (std::size_t i = 0; i < nodes; ++i) REQUIRE(publisher.publish(std::vector<char>(node_size), no_wait) == Status::ok);
    bool first = true;
    Ring(publisher).each_node([&](layout::BroadcastNode& node) {
      node.message = 0;
      node.total = 3 * node_size;
      node.flags = first ? layout::first_part : 0;
      first = false;
    });
    CHECK(caught([&] { return subscriber.receive(no_wait).status; }) == Errc::broken);
    CHECK(caught([&] { return subscriber.receive(no_wait).status; }).nothing());
  }
}

TEST_CASE("a topic may have a name of 200 characters, and not of 201, and nothing of it is left") {
  const Watchdog watchdog;
  NameGuard prefix("hostile");
  const std::string longest = prefix.str() + std::string(200 - prefix.str().size(), 'x');
  {
    Publisher publisher(longest, small());
    Subscriber subscriber(longest, Delivery::lossless, small());
    REQUIRE(publisher.publish(3) == Status::ok);
    CHECK(takes(subscriber, 3));
  }
  CHECK(caught([&] { Publisher publisher(longest + "x", small()); }) == Errc::invalid_argument);
  CHECK(caught([&] { Subscriber subscriber(longest + "x", Delivery::lossless, small()); }) == Errc::invalid_argument);
}

TEST_CASE("entries of publishers that are not there keep nobody, neither opening nor at work") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  Publisher publisher(name, small());
  Subscriber first(name, Delivery::lossless, small());
  const BackDoor door(name);
  auto* const entries = reinterpret_cast<layout::TopicEntry*>(door.bytes() + reinterpret_cast<const layout::SegmentHeader*>(door.bytes())->payload_offset + sizeof(layout::TopicBlock));
  // The subscriber's own seat says that a publisher sits there, and so does an empty one.
  for (std::size_t seat = 1; seat < 4; ++seat) {
    entries[seat].id = 0x1234 + seat;
    entries[seat].role = static_cast<std::uint32_t>(layout::Role::publisher);
  }
  {
    Subscriber second(name, Delivery::lossy, small());
    REQUIRE(publisher.publish(1) == Status::ok);
    CHECK(takes(first, 1));
    CHECK(takes(second, 1));
    CHECK(second.active_connections() == 1);
  }
  for (std::size_t seat = 0; seat < 4; ++seat) entries[seat].role = 77;
  REQUIRE(publisher.publish(2) == Status::ok);
}
