// How a ring ends: the owner's close, one's own close, and nobody else's.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/circular_buffer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using strait::CircularBuffer;
using strait::Errc;
using strait::forever;
using strait::no_wait;
using strait::RingOptions;
using strait::Sharing;
using strait::Status;
using strait::test::caught;
using strait::test::eventually;
using strait::test::NameGuard;
using strait::test::Watchdog;
using strait::test::Workers;

namespace {

RingOptions sides(bool one_writer, bool one_reader) {
  RingOptions options;
  if (one_writer) options.writers = Sharing::one;
  if (one_reader) options.readers = Sharing::one;
  return options;
}

}  // namespace

TEST_CASE("after the owner's close writers are refused at once and readers drain the ring, then get closed") {
  const Watchdog watchdog;
  const bool one_writer = GENERATE(false, true);
  const bool one_reader = GENERATE(false, true);
  CAPTURE(one_writer, one_reader);
  NameGuard name("ring");
  CircularBuffer owner(name, 4, 8, sides(one_writer, one_reader));
  CircularBuffer writer(name);
  CircularBuffer reader(name);
  for (int i = 0; i < 3; ++i) CHECK(writer.write(i) == Status::ok);
  CHECK_FALSE(reader.shutting_down());
  owner.close();
  CHECK(reader.shutting_down());
  CHECK(writer.shutting_down());

  // There is room, so nothing but the close can be the reason.
  CHECK(writer.write(9, forever) == Status::closed);
  CHECK(writer.write(9, no_wait) == Status::closed);
  CHECK(writer.write(std::array{1, 2}, forever) == Status::closed);
  const auto claim = writer.claim(forever);
  CHECK_FALSE(claim);
  CHECK(claim.status() == Status::closed);
  bool called = false;
  CHECK(writer.write_with([&](std::span<std::byte>) { called = true; return std::size_t{0}; }, forever) == Status::closed);
  CHECK_FALSE(called);

  int value = -1;
  CHECK(reader.read(value, forever) == Status::ok);
  CHECK(value == 0);
  {
    const auto message = reader.take(forever);
    CHECK(static_cast<bool>(message));
  }
  std::array<int, 2> out{};
  CHECK(reader.read(std::span(out), no_wait).count == 1);
  CHECK(out[0] == 2);

  CHECK(reader.read(value, forever) == Status::closed);
  CHECK(reader.read(value, no_wait) == Status::closed);
  CHECK(reader.read(std::span(out), forever).status == Status::closed);
  CHECK(reader.take(forever).status() == Status::closed);
  CHECK(reader.read_with([&](std::span<const std::byte>) { called = true; }, forever) == Status::closed);
  CHECK_FALSE(called);
}

TEST_CASE("a full ring that is closed refuses writers as closed, not as full") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  CircularBuffer other(name);
  CHECK(other.write(1) == Status::ok);
  CHECK(other.write(2) == Status::ok);
  owner.close();
  CHECK(other.write(3, no_wait) == Status::closed);
  CHECK(other.write(3, forever) == Status::closed);
  CHECK(caught([&] { return other.write(std::array<char, 9>{}); }) == Errc::message_too_large);
}

TEST_CASE("the owner's close ends the waits of readers and writers of other handles") {
  const Watchdog watchdog;
  const bool full = GENERATE(false, true);
  CAPTURE(full);
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  if (full) {
    CHECK(owner.write(1) == Status::ok);
    CHECK(owner.write(2) == Status::ok);
  }
  std::atomic<int> ready{0};
  Workers workers;
  for (int i = 0; i < 3; ++i) {
    workers.run([&] {
      CircularBuffer other(name);
      ++ready;
      int value = 0;
      const Status status = full ? other.write(5, forever) : other.read(value, forever);
      if (status != Status::closed) throw std::runtime_error("not closed");
    });
  }
  eventually([&] { return ready == 3; });
  std::this_thread::sleep_for(20ms);
  owner.close();
  CHECK(workers.join() == "");
}

TEST_CASE("the close of another handle than the owner's ends nothing") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  CircularBuffer guest(name);
  CircularBuffer other(name);
  guest.close();
  CHECK_FALSE(owner.shutting_down());
  CHECK_FALSE(other.shutting_down());
  CHECK(owner.write(1) == Status::ok);
  int value = 0;
  CHECK(other.read(value) == Status::ok);
  CHECK(other.read(value, no_wait) == Status::timed_out);
}

TEST_CASE("using a handle after its own close throws closed, closing again does nothing") {
  const Watchdog watchdog;
  const bool owner_closes = GENERATE(true, false);
  CAPTURE(owner_closes);
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  CircularBuffer guest(name);
  CHECK(owner.write(5) == Status::ok);
  CircularBuffer& ring = owner_closes ? owner : guest;
  ring.close();
  ring.close();
  int value = 0;
  std::array<char, 8> out{};
  const auto refused = caught([&] { return ring.write(1); });
  CHECK(refused == Errc::closed);
  CHECK(refused.segment == name.str());
  CHECK(caught([&] { return ring.write(out); }) == Errc::closed);
  CHECK(caught([&] { return ring.read(value); }) == Errc::closed);
  CHECK(caught([&] { return ring.read(std::span(out)).count; }) == Errc::closed);
  CHECK(caught([&] { return ring.claim().status(); }) == Errc::closed);
  CHECK(caught([&] { return ring.take().status(); }) == Errc::closed);
  CHECK(caught([&] { return ring.write_with([](std::span<std::byte>) { return std::size_t{0}; }); }) == Errc::closed);
  CHECK(caught([&] { return ring.read_with([](std::span<const std::byte>) {}); }) == Errc::closed);
  CHECK(caught([&] { return ring.participants(); }) == Errc::closed);
  CHECK(ring.name() == name.str());
  CHECK(ring.shutting_down());
  CircularBuffer& survivor = owner_closes ? guest : owner;
  CHECK(survivor.read(value) == Status::ok);
  CHECK(value == 5);
}

TEST_CASE("closing a handle ends the calls that its other threads are blocked in") {
  const Watchdog watchdog;
  const bool owner_closes = GENERATE(true, false);
  const bool full = GENERATE(false, true);
  CAPTURE(owner_closes, full);
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  CircularBuffer guest(name);
  if (full) {
    CHECK(owner.write(1) == Status::ok);
    CHECK(owner.write(2) == Status::ok);
  }
  CircularBuffer& ring = owner_closes ? owner : guest;
  std::atomic<int> ready{0};
  Workers workers;
  for (int i = 0; i < 3; ++i) {
    workers.run([&] {
      ++ready;
      int value = 0;
      const auto thrown = caught([&] {
        const Status status = full ? ring.write(5, forever) : ring.read(value, forever);
        if (status != Status::closed) throw std::runtime_error("not closed");
      });
      // A thread that was not yet in its call when the handle was closed gets the exception.
      if (!thrown.nothing() && !(thrown == Errc::closed)) throw std::runtime_error(thrown.text);
    });
  }
  eventually([&] { return ready == 3; });
  std::this_thread::sleep_for(20ms);
  ring.close();
  CHECK(workers.join() == "");
}

TEST_CASE("a message held by a reader while the ring is closed is that reader's to finish or to put back") {
  const Watchdog watchdog;
  const bool put_back = GENERATE(false, true);
  CAPTURE(put_back);
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  CircularBuffer reader(name);
  CHECK(owner.write(5) == Status::ok);
  {
    auto message = reader.take();
    REQUIRE(message);
    owner.close();
    CHECK(message.as<int>() == 5);
    if (put_back) message.put_back();
  }
  int value = 0;
  if (put_back) {
    CHECK(reader.read(value, forever) == Status::ok);
    CHECK(value == 5);
  }
  CHECK(reader.read(value, forever) == Status::closed);
}

TEST_CASE("a message claimed before the owner's close is published or dropped before readers get closed") {
  const Watchdog watchdog;
  const bool published = GENERATE(false, true);
  CAPTURE(published);
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  CircularBuffer writer(name);
  CircularBuffer reader(name);
  std::optional<strait::WriteClaim> claim(writer.claim());
  REQUIRE(*claim);
  owner.close();
  CHECK(writer.write(9, no_wait) == Status::closed);
  int value = 0;
  Status first = Status::timed_out;
  Workers workers;
  workers.run([&] { first = reader.read(value, forever); });
  std::this_thread::sleep_for(20ms);
  if (published) {
    claim->as<int>() = 5;
    claim->publish(sizeof(int));
  }
  claim.reset();
  CHECK(workers.join() == "");
  CHECK(first == (published ? Status::ok : Status::closed));
  if (published) CHECK(value == 5);
  CHECK(reader.read(value, forever) == Status::closed);
}

TEST_CASE("no acknowledged message is lost by a close in the middle of the traffic") {
  const Watchdog watchdog;
  const bool one_writer = GENERATE(false, true);
  const bool one_reader = GENERATE(false, true);
  CAPTURE(one_writer, one_reader);
  for (int round = 0; round < 50; ++round) {
    NameGuard name("ring");
    CircularBuffer owner(name, 3, 8, sides(one_writer, one_reader));
    // Open before the traffic starts: a ring that its owner has closed and the writer has left is gone.
    CircularBuffer writer(name);
    CircularBuffer reader(name);
    std::atomic<int> written{0};
    std::atomic<int> read{0};
    Workers workers;
    workers.run([&] {
      int value = 0;
      while (writer.write(value, forever) == Status::ok) written = ++value;
    });
    workers.run([&] {
      int value = 0;
      int expected = 0;
      while (reader.read(value, forever) == Status::ok) {
        if (value != expected++) throw std::runtime_error("order");
      }
      read = expected;
    });
    eventually([&] { return written > round; });
    owner.close();
    CHECK(workers.join() == "");
    // A write that was refused as closed at that very moment may have been delivered when both sides are exclusive.
    const bool right = read == written || (one_writer && one_reader && read == written + 1);
    CHECK(right);
  }
}

TEST_CASE("while others still hold a ring that its owner closed it can be opened but not created") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  CircularBuffer guest(name);
  CHECK(owner.write(5) == Status::ok);
  owner.close();
  CHECK(caught([&] { CircularBuffer again(name, 2, 8); }) == Errc::already_exists);
  {
    CircularBuffer late(name);
    CHECK(late.shutting_down());
    CHECK(late.write(6, no_wait) == Status::closed);
    int value = 0;
    CHECK(late.read(value, forever) == Status::ok);
    CHECK(value == 5);
    CHECK(late.read(value, forever) == Status::closed);
  }
  guest.close();
  CircularBuffer again(name, 2, 8);
  CHECK_FALSE(again.shutting_down());
  CHECK(again.write(1) == Status::ok);
}
