// The holder of a mutex, and who waits for it, die at each named point; so do those who set an event or wait for it.

#include "crash.hpp"

#include <strait/layout/event.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>

#include <chrono>
#include <cstring>

using namespace strait::test;
using namespace strait::test::crash;
using strait::forever;
using strait::NamedEvent;
using strait::NamedMutex;
using strait::no_wait;
using strait::Status;

namespace {

// Whoever comes after the death gets it and is told, in this process or asleep in another one since before.
void next_is_told(const std::vector<std::string>& script, const char* expected) {
  for (const bool asleep : {false, true}) {
    NameGuard name("crash");
    NamedMutex mutex(name);
    Child victim = actor(name, script);
    REQUIRE(victim.read_line() == "poised");
    mutex.lock();
    std::optional<Child> waiter;
    victim.write_line("go");
    until_asleep(victim);
    if (asleep) waiter.emplace(sleeper(name, {"mutex", "say=ready", "mlock", "munlock"}));
    mutex.unlock();
    if (waiter) {
      const auto told = waiter->read_line();  // it may have been its turn before the victim's
      CHECK((told == expected || told == "clean"));
      CHECK(waiter->wait().clean());
    }
    CHECK(victim.wait().killed_by(SIGKILL));
    mutex.lock();
    if (!asleep) CHECK(mutex.was_abandoned() == (std::string(expected) == "abandoned"));
    mutex.unlock();
    mutex.lock();
    CHECK_FALSE(mutex.was_abandoned());
    mutex.unlock();
  }
}

void is_whole(NamedEvent& event) {
  CHECK(event.wait(no_wait) == Status::timed_out);
  event.set();
  CHECK(event.wait(forever) == Status::ok);
  CHECK(event.wait(no_wait) == Status::timed_out);
}

}  // namespace

DEATH_TEST("mutex: held", "the mutex is held: the mend frees it and tells the next holder.") {
  const Watchdog watchdog;
  next_is_told({"mutex", "poise", "die=mutex: held", "mlock"}, "abandoned");
}

DEATH_TEST("mutex: unlocking", "about to be unlocked: the mend frees it and tells the next holder, though its work was done.") {
  const Watchdog watchdog;
  next_is_told({"mutex", "poise", "die=mutex: unlocking", "mlock", "munlock"}, "abandoned");
}

DEATH_TEST("mutex: first", "first, and asleep: the mend lets the others in.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    NameGuard name("crash");
    NamedMutex mutex(name);
    mutex.lock();
    dies(name, {"mutex", "die=mutex: first", "mlock"});
    std::optional<Child> waiter;
    if (asleep) waiter.emplace(sleeper(name, {"mutex", "say=ready", "mlock", "munlock"}));
    mutex.unlock();
    if (waiter) {
      CHECK(waiter->read_line() == "clean");
      CHECK(waiter->wait().clean());
    }
    mutex.lock();
    CHECK_FALSE(mutex.was_abandoned());
    mutex.unlock();
  }
}

DEATH_TEST("event: set", "set, and nobody woken: who was let go sees it when its slice ends.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    NameGuard name("crash");
    NamedEvent event(name, NamedEvent::Reset::automatic);
    std::optional<Child> waiter;
    if (asleep) waiter.emplace(sleeper(name, {"event", "say=ready", "wait"}));
    dies(name, {"event", "die=event: set", "set"});
    if (waiter) {
      CHECK(waiter->read_line() == "ok");
      CHECK(waiter->wait().clean());
    } else {
      CHECK(event.wait(forever) == Status::ok);
    }
    is_whole(event);
  }
}

DEATH_TEST("event: waiting", "waiting: the mend frees the entry.") {
  const Watchdog watchdog;
  NameGuard name("crash");
  NamedEvent event(name, NamedEvent::Reset::automatic);
  dies(name, {"event", "die=event: waiting", "wait"});
  Child waiter = sleeper(name, {"event", "say=ready", "wait"});
  event.set();
  event.set();  // whether the mend comes before the first or after it
  CHECK(waiter.read_line() == "ok");
  CHECK(waiter.wait().clean());
  static_cast<void>(event.wait(std::chrono::milliseconds(120)));  // two slices: a set that the dead one was given comes back
  is_whole(event);
}

DEATH_TEST("event: released", "released, and killed before it went on: the mend gives the set to another waiter.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    NameGuard name("crash");
    NamedEvent event(name, NamedEvent::Reset::automatic);
    Child victim = sleeper(name, {"event", "die=event: released", "say=ready", "wait"});
    std::optional<Child> waiter;
    if (asleep) waiter.emplace(sleeper(name, {"event", "say=ready", "wait"}));
    event.set();
    CHECK(victim.wait().killed_by(SIGKILL));
    if (waiter) {
      CHECK(waiter->read_line() == "ok");
      CHECK(waiter->wait().clean());
    } else {
      CHECK(event.wait(forever) == Status::ok);
    }
    is_whole(event);
  }
}

DEATH_TEST("event: bit taken", "the bit is taken and the entry stands: the mend frees the entry, and the set is used up.") {
  const Watchdog watchdog;
  NameGuard name("crash");
  NamedEvent event(name, NamedEvent::Reset::automatic);
  Child victim = sleeper(name, {"event", "die=event: bit taken", "say=ready", "wait"});
  // As a set leaves it that looked at the entries just before the victim entered: it sees that when its slice ends.
  const std::uint64_t set = 2 | strait::layout::event_is_set;
  strait::layout::SegmentHeader header{};
  const auto bytes = shm_bytes(name);
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  shm_patch(name, header.payload_offset, &set, sizeof set);
  CHECK(victim.wait().killed_by(SIGKILL));
  Child waiter = sleeper(name, {"event", "say=ready", "wait"});
  event.set();
  CHECK(waiter.read_line() == "ok");
  CHECK(waiter.wait().clean());
  is_whole(event);
}

DEATH_TEST("event: given on", "the set of a dead waiter is given on and its entry stands: the next mender gives it on again.") {
  const Watchdog watchdog;
  NameGuard name("crash");
  NamedEvent event(name, NamedEvent::Reset::automatic);
  Child victim = sleeper(name, {"event", "say=ready", "wait"});
  victim.stop();
  event.set();
  victim.kill();
  victim.wait();
  dies(name, {"die=event: given on", "event"});
  CHECK(event.wait(forever) == Status::ok);                       // at least once ...
  static_cast<void>(event.wait(std::chrono::milliseconds(120)));  // ... and perhaps once more
  is_whole(event);
}
