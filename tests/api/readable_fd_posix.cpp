// A ring in an event loop: its descriptor is readable when there is something to take.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/circular_buffer.hpp>

#include <poll.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using strait::CircularBuffer;
using strait::Errc;
using strait::no_wait;
using strait::OpenOptions;
using strait::RingOptions;
using strait::Sharing;
using strait::Status;
using strait::test::caught;
using strait::test::NameGuard;
using strait::test::Watchdog;
using strait::test::Workers;

namespace {

// -1: until it is readable.
bool is_readable(int descriptor, int milliseconds) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

// Not at once, perhaps: its thread may be on its way.
void until_unreadable(CircularBuffer& ring, int descriptor) {
  int value = 0;
  while (is_readable(descriptor, 0)) CHECK(ring.read(value, no_wait) == Status::timed_out);
}

}  // namespace

TEST_CASE("the descriptor is readable while there is something to take, and again when more comes") {
  const Watchdog watchdog;
  const bool one_reader = GENERATE(false, true);
  CAPTURE(one_reader);
  NameGuard name("ring");
  RingOptions options;
  if (one_reader) options.readers = Sharing::one;
  CircularBuffer reader(name, 8, 8, options), writer(name);
  const int descriptor = reader.readable_fd();
  CHECK(reader.readable_fd() == descriptor);
  CHECK_FALSE(is_readable(descriptor, 0));
  int value = -1;
  for (int round = 0; round < 50; ++round) {
    CHECK(writer.write(2 * round) == Status::ok);
    CHECK(writer.write(2 * round + 1) == Status::ok);
    CHECK(is_readable(descriptor, -1));
    CHECK((reader.read(value, no_wait) == Status::ok && value == 2 * round));
    CHECK(is_readable(descriptor, -1));  // not everything is taken
    CHECK((reader.read(value, no_wait) == Status::ok && value == 2 * round + 1));
    CHECK(reader.read(value, no_wait) == Status::timed_out);
    until_unreadable(reader, descriptor);
  }
}

TEST_CASE("every form of taking makes the descriptor wait for the next message") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 8, 8);
  const int descriptor = ring.readable_fd();
  const auto write = [&] {
    CHECK(ring.write(1) == Status::ok);
    CHECK(is_readable(descriptor, -1));
  };
  write();
  while (ring.read_with([](auto) {}, no_wait) == Status::ok || is_readable(descriptor, 0)) {
  }
  write();
  while (ring.take(no_wait) || is_readable(descriptor, 0)) {
  }
  // What is put back is there to take.
  write();
  auto message = ring.take(no_wait);
  REQUIRE(message);
  while (ring.take(no_wait) || is_readable(descriptor, 0)) {
  }
  message.put_back();
  CHECK(is_readable(descriptor, -1));
}

TEST_CASE("a closed ring, and a closed handle, are readable") {
  const Watchdog watchdog;
  NameGuard name("ring");
  auto owner = std::make_unique<CircularBuffer>(name, 8, 8);
  CircularBuffer reader(name), other(name);
  const int descriptor = reader.readable_fd(), of_other = other.readable_fd();
  CHECK_FALSE(is_readable(of_other, 0));
  other.close();
  CHECK(is_readable(of_other, -1));
  owner.reset();
  CHECK(is_readable(descriptor, -1));
  int value = 0;
  CHECK(reader.read(value, no_wait) == Status::closed);
}

TEST_CASE("a handle that watches may be moved, and destroyed at any time") {
  const Watchdog watchdog;
  NameGuard one("ring"), two("ring");
  for (int i = 0; i < 20; ++i) {
    CircularBuffer ring(one, 8, 8), other(two, 8, 8);
    const int descriptor = ring.readable_fd();
    static_cast<void>(other.readable_fd());
    CircularBuffer moved(std::move(ring));
    CHECK(moved.write(1) == Status::ok);
    CHECK(is_readable(descriptor, -1));
    other = std::move(moved);
    CHECK(other.readable_fd() == descriptor);
  }
}

TEST_CASE("a reader that only watches the descriptor misses no message of several writers") {
  const Watchdog watchdog;
  constexpr int writers = 3, messages = 5000;
  NameGuard name("ring");
  CircularBuffer ring(name, 4, 8);
  const int descriptor = ring.readable_fd();
  Workers workers;
  for (int i = 0; i < writers; ++i) {
    workers.run([&] {
      CircularBuffer writer(name);
      for (int message = 0; message < messages; ++message) {
        if (writer.write(message, strait::forever) != Status::ok) throw std::runtime_error("a write failed");
      }
    });
  }
  for (int left = writers * messages; left > 0;) {
    REQUIRE(is_readable(descriptor, -1));
    for (int value = 0; ring.read(value, no_wait) == Status::ok;) --left;
  }
  CHECK(workers.join() == "");
}

TEST_CASE("who may not take has no descriptor to watch") {
  const Watchdog watchdog;
  NameGuard name("ring");
  RingOptions options;
  options.readers = Sharing::one;
  CircularBuffer owner(name, 8, 8, options), other(name);
  static_cast<void>(owner.readable_fd());
  CHECK(caught([&] { other.readable_fd(); }) == Errc::too_many_participants);
  OpenOptions look_only;
  look_only.read_only = true;
  CircularBuffer looker(name, look_only);
  CHECK(caught([&] { looker.readable_fd(); }) == Errc::permission_denied);
  owner.close();
  CHECK(caught([&] { owner.readable_fd(); }) == Errc::closed);
}
