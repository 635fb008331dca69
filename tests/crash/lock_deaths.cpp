// The holder of a lock dies at each named point: the lock is free for whoever waits, and a dead writer is told of.

#include "crash.hpp"

#include <strait/buffer_read_write.hpp>

using namespace strait::test;
using namespace strait::test::crash;
using strait::BufferReadWrite;
using strait::forever;

namespace {

// Readers and writers that wait for the lock since before the death, and one that comes afterwards, all get it.
enum class Waiter { writer, reader, none };
constexpr Waiter waiters[] = {Waiter::writer, Waiter::reader, Waiter::none};

Child waiting(const std::string& name, Waiter waiter) {
  return sleeper(name, {"buffer", "say=ready", waiter == Waiter::writer ? "lock" : "lock_shared", "poise"});
}

// What the waiter was told: "clean", "abandoned", "shared"; nothing where there is none.
std::string told(Child& child) {
  const auto line = child.read_line().value_or("nothing");
  CHECK(child.read_line() == "poised");
  child.kill();  // a second death, with the lock held
  child.wait();
  return line;
}

}  // namespace

DEATH_TEST("lock shared: held", "counted as a reader: the mend clears the count and writers go on.") {
  const Watchdog watchdog;
  for (const Waiter waiter : waiters) {
    NameGuard name("crash");
    BufferReadWrite buffer(name, 64);
    // Everybody waits while this process writes; then they all come in together.
    REQUIRE(buffer.acquire_write_lock());
    Child reader = sleeper(name, {"buffer", "die=lock shared: held", "say=ready", "lock_shared"});
    std::optional<Child> other;
    if (waiter != Waiter::none) other.emplace(waiting(name, waiter));
    buffer.release_write_lock();
    // Who comes first is the machine's choice.
    if (other) CHECK(told(*other) == (waiter == Waiter::writer ? "clean" : "shared"));
    CHECK(reader.wait().killed_by(SIGKILL));
    CHECK(buffer.acquire_write_lock(forever));
    CHECK(buffer.was_abandoned() == (waiter == Waiter::writer));  // only the second death was a writer's
    buffer.release_write_lock();
    CHECK_FALSE(buffer.was_abandoned());
  }
}

DEATH_TEST("lock: word taken", "the word names us: the mend frees it and marks it abandoned.") {
  const Watchdog watchdog;
  for (const bool behind_a_reader : {false, true}) {
    NameGuard name("crash");
    BufferReadWrite buffer(name, 64);
    if (behind_a_reader) {
      REQUIRE(buffer.acquire_read_lock());
    }
    dies(name, {"buffer", "die=lock: word taken", "lock"});
    if (behind_a_reader) buffer.release_read_lock();
    CHECK(buffer.acquire_write_lock(forever));
    CHECK(buffer.was_abandoned());
    buffer.release_write_lock();
    CHECK_FALSE(buffer.was_abandoned());
  }
}

DEATH_TEST("lock: held", "the lock is held and nothing is written: the mend frees it and marks it abandoned.") {
  const Watchdog watchdog;
  for (const Waiter waiter : waiters) {
    NameGuard name("crash");
    BufferReadWrite buffer(name, 64);
    Child writer = poised(name, {"buffer", "poise", "die=lock: held", "lock"});
    // The survivor sleeps behind this process; whether it or the one that dies comes first is the machine's choice.
    REQUIRE(buffer.acquire_write_lock());
    std::optional<Child> other;
    if (waiter != Waiter::none) other.emplace(waiting(name, waiter));
    writer.write_line("go");
    until_asleep(writer);
    buffer.release_write_lock();
    const std::string heard = other ? told(*other) : "";
    CHECK(writer.wait().killed_by(SIGKILL));
    if (waiter == Waiter::reader) CHECK(heard == "shared");
    CHECK(buffer.acquire_write_lock(forever));
    CHECK(buffer.was_abandoned());
    buffer.release_write_lock();
    CHECK_FALSE(buffer.was_abandoned());
  }
}

DEATH_TEST("unlock: written", "written and not unlocked: the mend frees the word and marks it abandoned, though the data is whole.") {
  const Watchdog watchdog;
  for (const Waiter waiter : waiters) {
    NameGuard name("crash");
    BufferReadWrite buffer(name, 64);
    Child writer = actor(name, {"buffer", "lock", "poise", "die=unlock: written", "unlock"});
    REQUIRE(writer.read_line() == "clean");
    REQUIRE(writer.read_line() == "poised");
    std::optional<Child> other;
    if (waiter != Waiter::none) other.emplace(waiting(name, waiter));
    go(writer);
    if (other) CHECK(told(*other) == (waiter == Waiter::writer ? "abandoned" : "shared"));
    // A reader gets in and may ask.
    CHECK(buffer.acquire_read_lock(forever));
    CHECK(buffer.was_abandoned());
    buffer.release_read_lock();
    CHECK(buffer.acquire_write_lock(forever));
    CHECK(buffer.was_abandoned());
    buffer.release_write_lock();
    CHECK_FALSE(buffer.was_abandoned());
  }
}

TEST_CASE("a lock whose holder is killed reaches pollers too: a try_lock some time after the death gets it") {
  const Watchdog watchdog;
  NameGuard name("crash");
  BufferReadWrite buffer(name, 64);
  Child writer = actor(name, {"buffer", "lock", "poise", "pause"});
  REQUIRE(writer.read_line() == "clean");
  CHECK_FALSE(buffer.try_lock());
  writer.kill();
  writer.wait();
  eventually([&] { return buffer.try_lock(); });
  CHECK(buffer.was_abandoned());
  buffer.unlock();
}

TEST_CASE("waiting writers and readers of a lock that are killed are in nobody's way") {
  const Watchdog watchdog;
  NameGuard name("crash");
  BufferReadWrite buffer(name, 64);
  REQUIRE(buffer.acquire_write_lock());
  Child writer = sleeper(name, {"buffer", "say=ready", "lock"});
  Child reader = sleeper(name, {"buffer", "say=ready", "lock_shared"});
  writer.kill();
  reader.kill();
  writer.wait();
  reader.wait();
  buffer.release_write_lock();
  CHECK(buffer.acquire_write_lock(forever));
  CHECK_FALSE(buffer.was_abandoned());
  buffer.release_write_lock();
}

TEST_CASE("a writer that is killed while it waits for a reader to leave: readers and writers get in, the mark stands") {
  const Watchdog watchdog;
  NameGuard name("crash");
  BufferReadWrite buffer(name, 64);
  REQUIRE(buffer.acquire_read_lock());
  Child writer = sleeper(name, {"buffer", "say=ready", "lock"});
  Child reader = sleeper(name, {"buffer", "say=ready", "lock_shared", "unlock_shared"});
  writer.kill();
  writer.wait();
  CHECK(reader.read_line() == "shared");
  CHECK(reader.wait().clean());
  buffer.release_read_lock();
  CHECK(buffer.acquire_write_lock(forever));
  CHECK(buffer.was_abandoned());
  buffer.release_write_lock();
}
