// One wait for several things, across threads and processes.

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/named_event.hpp>
#include <strait/notifying_buffer.hpp>
#include <strait/shared_struct.hpp>
#include <strait/wait_any.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wait_any_test {

struct Pair {
  std::int32_t a, b;
};

}  // namespace wait_any_test

template <>
struct strait::share_name<wait_any_test::Pair> {
  static constexpr std::string_view value = "wait_any_test::Pair";
};

namespace {

using namespace std::chrono_literals;
using strait::CircularBuffer;
using strait::forever;
using strait::NamedEvent;
using strait::no_wait;
using strait::NotifyingBuffer;
using strait::OpenOptions;
using strait::RingOptions;
using strait::SharedStruct;
using strait::Status;
using strait::wait_any;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::NameGuard;
using strait::test::say;
using strait::test::until_asleep;
using strait::test::Watchdog;
using strait::test::Workers;
using wait_any_test::Pair;

std::string text(strait::WaitResult result) {
  static constexpr std::array names{"ok", "timed_out", "closed", "peer_lost"};
  return std::string(names[static_cast<std::size_t>(result.status)]) + " " + std::to_string(result.index);
}

// Sleeps on four things at once and says how each wait ended, until it is told "end" by the ring's closing.
const ChildFunction sleep_on_all{"wait_any: sleep on all", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  SharedStruct<Pair> pair(arguments[1]);
  NotifyingBuffer buffer(arguments[2], 64);
  NamedEvent event(arguments[3], NamedEvent::Reset::automatic);
  for (;;) {
    say("waiting");
    const auto result = wait_any(forever, ring, pair, buffer, event);
    say(text(result));
    if (result.status != Status::ok) return 0;
    if (int value = 0; result.index == 0 && ring.read(value, no_wait) != Status::ok) return 1;
  }
}};

const ChildFunction hold_ring{"wait_any: hold a ring", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0], 4, 8);
  say("ready");
  static_cast<void>(strait::test::hear());
  return 0;
}};

RingOptions parking_at_once() {
  RingOptions options;
  options.wait.spin = 0ns;
  return options;
}

}  // namespace

TEST_CASE("a wait for several things ends with the first that is there, in the order of its arguments") {
  const Watchdog watchdog;
  NameGuard one("ring"), two("ring"), three("event");
  CircularBuffer first(one, 4, 8), second(two, 4, 8);
  NamedEvent event(three, NamedEvent::Reset::manual);
  CHECK(text(wait_any(no_wait, first, second, event)) == "timed_out 3");
  CHECK(text(wait_any(1ms, first, second, event)) == "timed_out 3");
  event.set();
  CHECK(text(wait_any(no_wait, first, second, event)) == "ok 2");
  CHECK(text(wait_any(forever, first, second, event)) == "ok 2");  // manual: it stays set
  CHECK(second.write(7, no_wait) == Status::ok);
  CHECK(text(wait_any(forever, first, second, event)) == "ok 1");
  CHECK(first.write(8, no_wait) == Status::ok);
  CHECK(text(wait_any(forever, first, second, event)) == "ok 0");
  CHECK(text(wait_any(forever, first)) == "ok 0");
  // Nothing was taken.
  int value = 0;
  CHECK((first.read(value, no_wait) == Status::ok && value == 8));
  CHECK((second.read(value, no_wait) == Status::ok && value == 7));
  event.reset();
  CHECK(text(wait_any(no_wait, first, second, event)) == "timed_out 3");
}

TEST_CASE("each change is news once, for each handle") {
  const Watchdog watchdog;
  NameGuard one("struct"), two("buffer");
  SharedStruct<Pair> writer(one, Pair{});
  SharedStruct<Pair> reader(one);
  OpenOptions look_only;
  look_only.read_only = true;
  SharedStruct<Pair> looker(one, look_only);
  NotifyingBuffer buffer(two, 16), other(two, 16);
  CHECK(text(wait_any(no_wait, reader, buffer)) == "timed_out 2");
  writer.set(&Pair::a, 5);
  CHECK(text(wait_any(forever, reader, buffer)) == "ok 0");
  CHECK(text(wait_any(no_wait, reader, buffer)) == "timed_out 2");
  CHECK(text(wait_any(forever, looker)) == "ok 0");
  CHECK(text(wait_any(3ms, looker)) == "timed_out 1");
  other.write({});
  CHECK(text(wait_any(forever, reader, buffer)) == "ok 1");
  CHECK(text(wait_any(no_wait, reader, buffer)) == "timed_out 2");
  CHECK(text(wait_any(no_wait, writer, buffer)) == "ok 0");  // one's own changes too
}

TEST_CASE("a set of an automatic event ends one wait") {
  const Watchdog watchdog;
  NameGuard one("event"), two("ring");
  constexpr int waiters = 4;
  NamedEvent event(one, NamedEvent::Reset::automatic);
  CircularBuffer ring(two, 4, 8, parking_at_once());
  std::atomic<int> ended{0};
  Workers workers;
  for (int i = 0; i < waiters; ++i) {
    workers.run([&] {
      if (text(wait_any(forever, ring, event)) != "ok 1") throw std::runtime_error("ended otherwise");
      ++ended;
    });
  }
  for (int i = 1; i <= waiters; ++i) {
    event.set();
    strait::test::eventually([&] { return ended == i; });
  }
  CHECK(workers.join() == "");
  CHECK(text(wait_any(no_wait, event)) == "timed_out 1");
}

TEST_CASE("what is put back, and what a dead reader had, is there again for a wait") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 4, 8), other(name);
  CHECK(ring.write(1, no_wait) == Status::ok);
  auto taken = other.take(no_wait);
  REQUIRE(taken);
  CHECK(text(wait_any(no_wait, ring)) == "timed_out 1");
  taken.put_back();
  CHECK(text(wait_any(forever, ring)) == "ok 0");
}

TEST_CASE("an exclusive reader that holds messages is told of the next one only") {
  const Watchdog watchdog;
  NameGuard name("ring");
  RingOptions options;
  options.writers = options.readers = strait::Sharing::one;
  CircularBuffer ring(name, 4, 8, options);
  CHECK(ring.write(1, no_wait) == Status::ok);
  CHECK(text(wait_any(forever, ring)) == "ok 0");
  const auto first = ring.take(no_wait);
  REQUIRE(first);
  CHECK(text(wait_any(no_wait, ring)) == "timed_out 1");
  CHECK(ring.write(2, no_wait) == Status::ok);
  CHECK(text(wait_any(forever, ring)) == "ok 0");
}

TEST_CASE("a ring that its owner closed is something to take until it is read, then closed, and so is a closed handle at once") {
  const Watchdog watchdog;
  NameGuard one("ring"), two("ring");
  auto owner = std::make_unique<CircularBuffer>(one, 4, 8);
  CircularBuffer reader(one), other(two, 4, 8);
  CHECK(owner->write(1, no_wait) == Status::ok);
  owner.reset();
  CHECK(text(wait_any(forever, other, reader)) == "ok 1");
  int value = 0;
  CHECK(reader.read(value, no_wait) == Status::ok);
  CHECK(text(wait_any(forever, other, reader)) == "closed 1");

  Workers workers;
  CircularBuffer same(two, parking_at_once());
  workers.run([&] {
    if (text(wait_any(forever, same, other)) != "closed 0") throw std::runtime_error("ended otherwise");
  });
  std::this_thread::sleep_for(1ms);  // whether it sleeps already or not, it ends
  same.close();
  CHECK(workers.join() == "");
  CHECK(text(wait_any(forever, other, same)) == "closed 1");
}

TEST_CASE("a process that sleeps on several things wakes for each of them") {
  const Watchdog watchdog;
  NameGuard ring_name("ring"), struct_name("struct"), buffer_name("buffer"), event_name("event");
  auto ring = std::make_unique<CircularBuffer>(ring_name, 4, 8);
  SharedStruct<Pair> pair(struct_name, Pair{});
  NotifyingBuffer buffer(buffer_name, 64);
  NamedEvent event(event_name, NamedEvent::Reset::automatic);
  Child child("wait_any: sleep on all", {ring_name, struct_name, buffer_name, event_name});
  const auto wakes_with = [&](auto act, const char* expected) {
    REQUIRE(child.read_line() == "waiting");
    until_asleep(child);
    act();
    CHECK(child.read_line() == expected);
  };
  for (int round = 0; round < 3; ++round) {
    wakes_with([&] { CHECK(ring->write(1, no_wait) == Status::ok); }, "ok 0");
    wakes_with([&] { pair.set(&Pair::b, round); }, "ok 1");
    wakes_with([&] { buffer.write({}); }, "ok 2");
    wakes_with([&] { event.set(); }, "ok 3");
  }
  wakes_with([&] { ring.reset(); }, "closed 0");
  CHECK(child.wait().clean());
}

TEST_CASE("of a ring whose processes were all killed a wait says so, and which it was") {
  const Watchdog watchdog;
  NameGuard one("ring"), two("ring");
  CircularBuffer alive(one, 4, 8);
  Child child("wait_any: hold a ring", {two});
  REQUIRE(child.read_line() == "ready");
  CircularBuffer lost(two);
  child.kill();
  CHECK(text(wait_any(forever, alive, lost)) == "peer_lost 1");
}

TEST_CASE("no message on many rings is missed by one who sleeps on all of them") {
  const Watchdog watchdog;
  constexpr int rings = 6;
  constexpr int messages = 2000;
  const std::array<NameGuard, rings> names{NameGuard("ring"), NameGuard("ring"), NameGuard("ring"), NameGuard("ring"), NameGuard("ring"), NameGuard("ring")};
  std::vector<CircularBuffer> readers, writers;
  for (const auto& name : names) {
    readers.emplace_back(name.str(), 8, 8, parking_at_once());
    writers.emplace_back(name.str(), parking_at_once());
  }
  Workers workers;
  for (int i = 0; i < rings; ++i) {
    workers.run([&ring = writers[static_cast<std::size_t>(i)]] {
      for (int message = 0; message < messages; ++message) {
        if (ring.write(message, forever) != Status::ok) throw std::runtime_error("a write failed");
      }
    });
  }
  std::array<int, rings> next{};
  for (int left = rings * messages; left > 0;) {
    const auto result = wait_any(forever, readers[0], readers[1], readers[2], readers[3], readers[4], readers[5]);
    REQUIRE(result.status == Status::ok);
    for (int value = 0; readers[result.index].read(value, no_wait) == Status::ok; --left) REQUIRE(value == next[result.index]++);
  }
  CHECK(workers.join() == "");
}
