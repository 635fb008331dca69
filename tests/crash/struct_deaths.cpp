// A writer of a struct or of a notifying buffer dies at each named point of a change, and so does who mends it; a creator dies at
// each named point at which it makes the two objects.

#include "crash.hpp"
#include "whole.hpp"

#include <strait/notifying_buffer.hpp>
#include <strait/shared_struct.hpp>

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <vector>

using namespace strait::test;
using namespace strait::test::crash;
using strait::Errc;
using strait::NotifyingBuffer;
using strait::open_or_create;
using strait::SharedStruct;

namespace {

// Arguments: name, what to do, where to die.
const ChildFunction victim{"struct: victim", [](std::span<const std::string> arguments) -> int {
                             const std::string& name = arguments[0];
                             const std::string& what = arguments[1];
                             if (what == "store") {
                               SharedStruct<Whole> shared(name);
                               die_at(arguments[2]);
                               shared.store(Whole::of(2));
                             } else if (what == "write") {
                               NotifyingBuffer buffer(name, 100);
                               die_at(arguments[2]);
                               buffer.write(std::as_bytes(std::span("something new", 13)));
                             } else {
                               die_at(arguments[2]);
                               SharedStruct<Whole> shared = what == "create" ? SharedStruct<Whole>(name, Whole::of(7))
                                                            : what == "join"
                                                                ? SharedStruct<Whole>(open_or_create, name, Whole::of(7))
                                                                : SharedStruct<Whole>(name);
                               if (what == "open") static_cast<void>(shared.load());
                             }
                             return 0;
                           }};

const ChildFunction bystander{"struct: bystander", [](std::span<const std::string> arguments) -> int {
                                const SharedStruct<Whole> shared(arguments[0]);
                                say("ready");
                                if (shared.wait_for_change(std::stoull(arguments[1]), strait::forever) != strait::Status::ok)
                                  return 1;
                                say(shared.load().is(2) ? "new" : shared.load().is(1) ? "old" : "torn");
                                return 0;
                              }};

void victim_dies(const std::string& name, const char* what, const char* point) {
  Child child("struct: victim", {name, what, point});
  CHECK(child.wait().killed_by(SIGKILL));
}

Whole bytes_in(const std::string& name) {
  Whole whole{};
  const auto bytes = shm_bytes(name);
  REQUIRE(bytes.size() >= sizeof whole);
  std::memcpy(&whole, bytes.data(), sizeof whole);
  return whole;
}

std::string text(const NotifyingBuffer& buffer) {
  const auto message = buffer.read();
  return {reinterpret_cast<const char*>(message.data()), message.size()};
}

enum class Left : std::uint8_t { nothing_changed, changed };

// The value is the old one, or the new one, for a reader that comes at once; the bytes of the object too, when somebody has waited a
// slice; the next change is the next version.
void writer_dies(const char* point, Left left) {
  const Watchdog watchdog;
  const bool changed = left == Left::changed;
  {
    NameGuard name("crash");
    SharedStruct<Whole> shared(name, Whole::of(1));
    victim_dies(name, "store", point);
    CHECK(shared.load().is(changed ? 2 : 1));
    CHECK(shared.version() == (changed ? 1u : 0u));
    static_cast<void>(shared.wait_for_change(shared.version(), std::chrono::milliseconds(1)));  // a look at the dead
    CHECK(bytes_in(name).is(changed ? 2 : 1));
    CHECK(shared.load().is(changed ? 2 : 1));
    shared.store(Whole::of(3));
    CHECK(shared.load().is(3));
    CHECK(shared.version() == (changed ? 2u : 1u));
    CHECK(bytes_in(name).is(3));
  }
  {
    // A newcomer mends before it does anything.
    NameGuard name("crash");
    SharedStruct<Whole> shared(name, Whole::of(1));
    victim_dies(name, "store", point);
    const SharedStruct<Whole> newcomer(name);
    CHECK(bytes_in(name).is(changed ? 2 : 1));
    CHECK(newcomer.load().is(changed ? 2 : 1));
  }
  {
    NameGuard name("crash");
    NotifyingBuffer buffer(name, 100);
    buffer.write(std::as_bytes(std::span("old", 3)));
    victim_dies(name, "write", point);
    CHECK(text(buffer) == (changed ? "something new" : "old"));
    buffer.write(std::as_bytes(std::span("next", 4)));
    CHECK(text(buffer) == "next");
    CHECK(buffer.version() == (changed ? 3u : 2u));
  }
}

// A creator dies: an opener finds nothing, a creator nothing in its way, also when the next creator dies at the same point.
void creator_dies(const char* point) {
  const Watchdog watchdog;
  for (const char* what : {"create", "join"}) {
    {
      NameGuard name("crash");
      victim_dies(name, what, point);
      CHECK(caught([&] { SharedStruct<Whole> opener(name); }) == Errc::not_found);
      const SharedStruct<Whole> shared(name, Whole::of(5));
      CHECK(shared.load().is(5));
    }
    {
      NameGuard name("crash");
      victim_dies(name, what, point);
      victim_dies(name, what, point);
      const SharedStruct<std::array<int, 3>> other(open_or_create, name, std::array<int, 3>{1, 2, 3});
      CHECK(other.is_owner());
      CHECK(other.load()[2] == 3);
      CHECK(shm_holds(name, {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0}));
    }
  }
}

}  // namespace

DEATH_TEST("cell: kept", "the old value is kept and nothing is changed: the mend frees the lock.") {
  writer_dies("cell: kept", Left::nothing_changed);
}

DEATH_TEST("cell: begun", "changing: readers return the old value from the journal, and the mend puts it back.") {
  writer_dies("cell: begun", Left::nothing_changed);
}

DEATH_TEST("cell: changed", "changed and not finished: the mend puts the old value back.") {
  writer_dies("cell: changed", Left::nothing_changed);
}

DEATH_TEST("cell: finished", "finished, and nobody woken: sleepers see it when their slice ends, the mend frees the lock.") {
  writer_dies("cell: finished", Left::changed);
  const Watchdog watchdog;
  NameGuard name("crash");
  SharedStruct<Whole> shared(name, Whole::of(1));
  Child sleeping("struct: bystander", {name.str(), "0"});
  REQUIRE(sleeping.read_line() == "ready");
  until_asleep(sleeping);
  victim_dies(name, "store", "cell: finished");
  CHECK(sleeping.read_line() == "new");
  CHECK(sleeping.wait().clean());
}

DEATH_TEST("cell: put back", "put back and not said: the next mender puts it back again.") {
  const Watchdog watchdog;
  for (const int menders : {1, 3}) {
    NameGuard name("crash");
    const SharedStruct<Whole> shared(name, Whole::of(1));
    victim_dies(name, "store", "cell: changed");
    CHECK(bytes_in(name).is(2));
    for (int i = 0; i < menders; ++i) victim_dies(name, "open", "cell: put back");
    CHECK(shared.load().is(1));
    const SharedStruct<Whole> newcomer(name);
    CHECK(bytes_in(name).is(1));
    CHECK(shared.load().is(1));
    CHECK(shared.version() == 0);
  }
}

TEST_CASE("a reader that was there before returns the old value, whole, while a dead writer's half change is not yet put back") {
  const Watchdog watchdog;
  NameGuard name("crash");
  SharedStruct<Whole> shared(name, Whole::of(1));
  Child other("struct: bystander", {name.str(), "0"});
  REQUIRE(other.read_line() == "ready");
  for (int i = 0; i < 20; ++i) {
    victim_dies(name, "store", "cell: changed");
    CHECK(shared.load().is(1));
    CHECK(shared.get(&Whole::parts)[39] == 1);
  }
  shared.store(Whole::of(2));
  CHECK(other.read_line() == "new");
}

DEATH_TEST("struct: object made", "an empty object without an owner: the next creator of the name fills it.") {
  creator_dies("struct: object made");
}

DEATH_TEST("struct: object recorded",
           "recorded in a control segment that nobody holds: the next creator or opener removes both.") {
  creator_dies("struct: object recorded");
}

DEATH_TEST("struct: object filled",
           "whole, in a control segment that nobody may open: the next creator or opener removes both.") {
  creator_dies("struct: object filled");
}
