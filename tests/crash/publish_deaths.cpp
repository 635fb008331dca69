// A publisher or a subscriber dies at each named point: what it had published is there, half a message is not, it holds nobody back, and
// nothing of it stays behind.

#include "crash.hpp"

#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::Delivery;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;
using strait::TopicOptions;

namespace {

constexpr std::size_t small_ring = 8;

TopicOptions small_nodes() {
  TopicOptions options;
  options.node_count = small_ring;
  options.node_buffer_size = 16;
  options.open_timeout = 30s;
  return options;
}

// Arguments: topic, what to do, the point, and for the how many'th time.
const ChildFunction victim{"publish: victim", [](std::span<const std::string> arguments) -> int {
                             const std::string& topic = arguments[0];
                             const std::string& what = arguments[1];
                             const auto die = [&] { die_at(arguments[2], std::stoi(arguments[3])); };
                             if (what == "publisher") {
                               die();
                               Publisher publisher(topic, small_nodes());
                             } else if (what == "lossless" || what == "lossy") {
                               die();
                               Subscriber subscriber(topic, what == "lossy" ? Delivery::lossy : Delivery::lossless);
                             } else if (what == "receive") {
                               Subscriber subscriber(topic);
                               say("ready");
                               static_cast<void>(hear());
                               die();
                               static_cast<void>(subscriber.receive(strait::forever));
                             } else {
                               Publisher publisher(topic, small_nodes());
                               static_cast<void>(publisher.publish(std::string("before"), strait::forever));
                               if (what == "long") {
                                 die();
                                 static_cast<void>(publisher.publish(std::string("in three parts, each in its node"), strait::forever));
                               } else if (what == "loan") {
                                 die();
                                 auto loan = publisher.loan();
                               } else {
                                 auto first = publisher.loan();
                                 auto second = publisher.loan();
                                 std::memcpy(second.bytes().data(), "kept", 4);
                                 die();
                                 second.publish(4);
                               }
                             }
                             return 0;
                           }};

void victim_dies(const std::string& topic, const char* what, const char* point, int nth = 1) {
  Child child("publish: victim", {topic, what, point, std::to_string(nth)});
  CHECK(child.wait().killed_by(SIGKILL));
}

std::string next_text(Subscriber& subscriber, strait::Timeout timeout) {
  const auto received = subscriber.receive(timeout);
  if (!received) return std::string("(") + text_of(received.status) + ")";
  return {reinterpret_cast<const char*>(received.data.data()), received.data.size()};
}

// The topic is as good as new, and nothing is there but its registry and the rings of the living. A ring goes with the last of its
// readers, once that one has seen its end: `readers` are all that may have found the dead publisher's, and there is nothing in it.
void check_topic(const std::string& topic, std::size_t rings, const std::vector<Subscriber*>& readers = {}) {
  eventually([&] {
    for (Subscriber* reader : readers) CHECK(next_text(*reader, strait::no_wait) == "(timed_out)");
    return !names_stay() || left_behind(topic).size() == 1 + rings;
  });
  Publisher publisher(topic, small_nodes());
  Subscriber subscriber(topic);
  for (int i = 0; i < static_cast<int>(small_ring); ++i) {  // as much as those who do not read leave room for
    CHECK(publisher.publish(std::to_string(i), strait::forever) == Status::ok);
    CHECK(next_text(subscriber, 30s) == std::to_string(i));
  }
}

// Those who were there, asleep in receive, and those who look later get `expected`, and nothing else.
void publisher_dies(const char* what, const char* point, int nth, const std::vector<std::string>& expected) {
  const Watchdog watchdog;
  INFO(what << " for the " << nth << ". time");
  NameGuard topic("crash");
  {
    Subscriber lossless(topic);
    Subscriber lossy(topic, Delivery::lossy);
    Subscriber asleep(topic);
    std::vector<std::string> got;
    std::thread sleeper([&] {
      for (std::size_t i = 0; i < expected.size(); ++i) got.push_back(next_text(asleep, 30s));
    });
    victim_dies(topic, what, point, nth);
    sleeper.join();
    CHECK(got == expected);
    CHECK(lossless.active_connections() == 0);
    for (const std::string& text : expected) {
      CHECK(next_text(lossless, 30s) == text);
      CHECK(next_text(lossy, 30s) == text);
    }
    for (Subscriber* subscriber : {&lossless, &lossy, &asleep}) {
      CHECK(next_text(*subscriber, 150ms) == "(timed_out)");
      CHECK(subscriber->missed() == 0);
    }
    check_topic(topic, 0, {&lossless, &lossy, &asleep});
  }
}

// A publisher that was there has room for all it likes, also one that is asleep for it.
void subscriber_dies(const char* what, const char* point) {
  const Watchdog watchdog;
  NameGuard topic("crash");
  Publisher publisher(topic, small_nodes());
  victim_dies(topic, what, point);
  for (int i = 0; i < 3 * static_cast<int>(small_ring); ++i) CHECK(publisher.publish(i, strait::forever) == Status::ok);
  CHECK(publisher.active_connections() == 0);
  CHECK(publisher.wait_for_subscribers(1, strait::no_wait) == Status::timed_out);
  {
    Subscriber next(topic);
    CHECK(publisher.active_connections() == 1);
    CHECK(publisher.publish(std::string("next")) == Status::ok);
    CHECK(next_text(next, 30s) == "next");
  }
  check_topic(topic, 1);
}

void receiver_dies(const char* point) {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    NameGuard topic("crash");
    Publisher publisher(topic, small_nodes());
    Child child("publish: victim", {topic, "receive", point, "1"});
    CHECK(child.read_line() == "ready");
    while (publisher.publish(1, strait::no_wait) == Status::ok) continue;
    std::optional<std::thread> sleeper;
    if (asleep) sleeper.emplace([&] { CHECK(publisher.publish(2, strait::forever) == Status::ok); });
    child.write_line("go");
    CHECK(child.wait().killed_by(SIGKILL));
    if (sleeper) sleeper->join();
    for (int i = 0; i < 3 * static_cast<int>(small_ring); ++i) CHECK(publisher.publish(i, strait::forever) == Status::ok);
    CHECK(publisher.active_connections() == 0);
  }
}

}  // namespace

DEATH_TEST("topic: entry made", "an entry that nobody was told of, who looks at the dead mends it, who looks at the entries finds it.") {
  const Watchdog watchdog;
  for (const bool somebody_there : {true, false}) {
    for (const char* what : {"publisher", "lossless", "lossy"}) {
      for (const int nth : {1, 2}) {
        if (nth == 2 && std::string(what) != "publisher") continue;
        INFO(what);
        NameGuard topic("crash");
        std::optional<Subscriber> there;
        if (somebody_there) there.emplace(topic.str());
        victim_dies(topic, what, "topic: entry made", nth);
        if (somebody_there) {
          CHECK(there->active_connections() == 0);
          check_topic(topic, 0, {&*there});
        } else {
          const Subscriber newcomer(topic);
          check_topic(topic, 0);
        }
      }
    }
  }
}

DEATH_TEST("publisher: ring announced", "an announced ring that may not be there, whoever mends this party's seat removes it.") {
  publisher_dies("publisher", "publisher: ring announced", 1, {});
}

DEATH_TEST("publisher: ring made", "a ring that nobody was told of, whoever mends this party's seat removes it.") {
  publisher_dies("publisher", "publisher: ring made", 1, {});
}

TEST_CASE("a publisher that is killed while it makes its ring leaves nothing of it, however far it has come") {
  publisher_dies("publisher", "open: object open", 2, {});  // the first is the topic's
  for (const char* point : {"open: exclusive", "create: header written", "create: pages reserved", "create: filled in", "create: ready"}) {
    publisher_dies("publisher", point, 1, {});
  }
}

DEATH_TEST("broadcast: claimed", "claimed nodes with nothing in them, subscribers step over them when they know that their publisher is gone.") {
  publisher_dies("long", "broadcast: claimed", 1, {"before"});
}

DEATH_TEST("broadcast: part shown", "a part is shown and nobody woken, of a message in several parts that is none without the last one, "
                                    "and a whole one subscribers find when their slices end.") {
  publisher_dies("long", "broadcast: part shown", 1, {"before"});
  publisher_dies("long", "broadcast: part shown", 2, {"before", "in three parts, each in its node"});
}

DEATH_TEST("loan: claimed", "a claimed node with nothing in it, subscribers step over it when they know that its publisher is gone.") {
  publisher_dies("loan", "loan: claimed", 1, {"before"});
}

DEATH_TEST("loan: kept", "a whole message behind a node that is still lent, subscribers take it when they know that its publisher is gone.") {
  publisher_dies("kept", "loan: kept", 1, {"before", "kept"});
}

DEATH_TEST("subscribe: line written", "a line that does not count yet, its next owner writes it again.") {
  subscriber_dies("lossless", "subscribe: line written");
  subscriber_dies("lossy", "subscribe: line written");
}

DEATH_TEST("subscribe: joined", "a subscriber that holds its publisher back, of which nobody was told, the publisher mends it when it waits.") {
  subscriber_dies("lossless", "subscribe: joined");
  subscriber_dies("lossy", "subscribe: joined");
}

DEATH_TEST("subscribe: part read", "a part that was read and still holds its publisher back, the publisher mends that when it waits.") {
  receiver_dies("subscribe: part read");
}

DEATH_TEST("subscribe: moved on", "room for the publisher, which was not woken, it finds the room when its slice ends.") {
  receiver_dies("subscribe: moved on");
}

TEST_CASE("a topic whose publishers and subscribers were all killed at once is made anew, and nothing of it stays behind") {
  const Watchdog watchdog;
  NameGuard topic("crash");
  {
    std::vector<Child> children;
    for (int i = 0; i < 2; ++i) children.emplace_back("publish: victim", std::vector<std::string>{topic, "receive", "none", "1"});
    for (auto& child : children) CHECK(child.read_line() == "ready");
    Child publisher("publish: victim", {topic, "long", "broadcast: part shown", "1"});
    CHECK(publisher.wait().killed_by(SIGKILL));
    for (auto& child : children) child.kill();
    for (auto& child : children) CHECK(child.wait().killed_by(SIGKILL));
  }
  const Subscriber first(topic);
  check_topic(topic, 0);
}
