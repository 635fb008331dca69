// NamedEvent where it is a segment: who waits for it can be read from its bytes, what a killed waiter was given is given on, and who
// is left alone is told.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/layout/event.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/named_event.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Errc;
using strait::forever;
using strait::NamedEvent;
using strait::no_wait;
using strait::Status;

namespace {

constexpr auto automatic = NamedEvent::Reset::automatic;

// How many threads wait for the automatic event right now: read from its bytes, because it cannot be asked.
std::size_t waiting(const std::string& name) {
  const auto bytes = shm_bytes(name);
  strait::layout::SegmentHeader header{};
  if (bytes.size() < sizeof header) return 0;
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  std::size_t count = 0;
  for (std::uint64_t at = header.payload_offset + sizeof(strait::layout::EventBlock); at + 8 <= bytes.size(); at += 8) {
    strait::layout::EventEntry entry{};
    std::memcpy(static_cast<void*>(&entry), bytes.data() + at, sizeof entry);
    count += entry.state() == strait::layout::EntryState::waiting;
  }
  return count;
}

const ChildFunction create{"event: create", [](std::span<const std::string> arguments) -> int {
                             NamedEvent event(arguments[0], automatic);
                             say("ready");
                             static_cast<void>(hear());
                             return 0;
                           }};

}  // namespace

TEST_CASE("N sets made while N threads wait let all N through, whatever they are followed by") {
  const Watchdog watchdog;
  NameGuard name("event");
  NamedEvent event(name, automatic);
  constexpr int threads = 6;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> through{0};
    Workers workers;
    for (int i = 0; i < threads; ++i) {
      workers.run([&] {
        if (event.wait(forever) != Status::ok) workers.fail("not let through");
        ++through;
      });
    }
    eventually([&] { return waiting(name) == threads; });
    for (int i = 0; i < threads; ++i) event.set();
    event.reset();  // too late for them
    CHECK(workers.join() == "");
    CHECK(through == threads);
    CHECK(event.wait(no_wait) == Status::timed_out);
  }
}

TEST_CASE("N sets made while N processes wait let all others through when one of them is killed, before or after its set") {
  const Watchdog watchdog;
  for (const bool killed_first : {true, false}) {
    NameGuard name("event");
    NamedEvent event(name, automatic);
    std::vector<Child> children;
    for (int i = 0; i < 4; ++i) {
      children.emplace_back("event: wait", std::vector<std::string>{name.str(), "automatic"});
      REQUIRE(children.back().read_line() == "ready");
      eventually([&] { return waiting(name) == children.size(); });
    }
    // The oldest waiter is the one that the first set releases; it stands still, so that it cannot go on.
    Child& victim = children.front();
    victim.stop();
    if (killed_first) {
      victim.kill();
      victim.wait();
    }
    for (std::size_t i = 0; i < children.size(); ++i) event.set();
    if (!killed_first) {
      victim.kill();
      victim.wait();
    }
    for (std::size_t i = 1; i < children.size(); ++i) {
      CHECK(children[i].read_line() == "ok");
      CHECK(children[i].wait().clean());
    }
  }
}

TEST_CASE("a set that a killed waiter had been given reaches a later one") {
  const Watchdog watchdog;
  NameGuard name("event");
  NamedEvent event(name, automatic);
  Child victim("event: wait", {name.str(), "automatic"});
  REQUIRE(victim.read_line() == "ready");
  eventually([&] { return waiting(name) == 1; });
  victim.stop();
  event.set();
  CHECK(event.wait(no_wait) == Status::timed_out);  // it is the other one's
  victim.kill();
  victim.wait();
  CHECK(event.wait(forever) == Status::ok);
  CHECK(event.wait(no_wait) == Status::timed_out);
}

TEST_CASE("closing a handle makes waits through it return closed, who is left alone by the creator is told peer_lost") {
  const Watchdog watchdog;
  NameGuard name("event");
  {
    NamedEvent event(name, automatic);
    NamedEvent other(name, automatic);
    Workers workers;
    for (int i = 0; i < 3; ++i) {
      workers.run([&] {
        if (other.wait(forever) != Status::closed) workers.fail("a waiter was not told");
      });
    }
    eventually([&] { return waiting(name) == 3; });
    other.close();
    CHECK(workers.join() == "");
    CHECK(other.wait(forever) == Status::closed);
    CHECK(caught([&] { other.set(); }) == Errc::closed);
    CHECK(waiting(name) == 0);
    event.set();
    CHECK(event.wait(no_wait) == Status::ok);
  }
  CHECK_FALSE(shm_exists(name));
  Child creator("event: create", {name.str()});
  REQUIRE(creator.read_line() == "ready");
  NamedEvent event(name, automatic);
  CHECK(event.wait(1ms) == Status::timed_out);
  creator.kill();
  creator.wait();
  CHECK(event.wait(forever) == Status::peer_lost);
  event.set();
  CHECK(event.wait(forever) == Status::ok);
}

TEST_CASE("more threads than there is room for are refused, and those that wait go on") {
  const Watchdog watchdog;
  NameGuard name("event");
  strait::OpenOptions options;
  options.max_participants = 1;
  NamedEvent event(name, automatic, false, options);
  Workers workers;
  constexpr std::size_t room = strait::layout::event_entries_per_seat;
  for (std::size_t i = 0; i < room; ++i) {
    workers.run([&] {
      if (event.wait(forever) != Status::ok) workers.fail("not let through");
    });
  }
  eventually([&] { return waiting(name) == room; });
  CHECK(caught([&] { return event.wait(1ms); }) == Errc::too_many_participants);
  for (std::size_t i = 0; i < room; ++i) event.set();
  CHECK(workers.join() == "");
}
