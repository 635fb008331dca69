// Two builds of Strait on one machine: a 64-bit and a 32-bit process, a native and an emulated one. The environment's
// STRAIT_TEST_OTHER is the command that runs this program's other build (tests/mixed/run.sh); without it both are this one.

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <span>
#include <string>

using namespace std::chrono_literals;
using strait::BufferReadWrite;
using strait::CircularBuffer;
using strait::forever;
using strait::SharedArray;
using strait::Status;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::hear;
using strait::test::NameGuard;
using strait::test::Program;
using strait::test::say;
using strait::test::Watchdog;

namespace {

constexpr std::uint32_t messages = 100'000;
constexpr int turns = 10'000;

struct Message {
  std::uint32_t number;
  std::uint32_t check;
  alignas(8) double half;

  static Message of(std::uint32_t number) { return {number, ~number * 2654435761u, number / 2.0}; }
  friend bool operator==(const Message&, const Message&) = default;
};

struct Order {
  alignas(8) std::uint64_t id;
  alignas(8) double price;
  char symbol[8];
};

bool write_all(CircularBuffer& ring) {
  for (std::uint32_t number = 0; number < messages; ++number) {
    if (ring.write(Message::of(number), forever) != Status::ok) return false;
  }
  return true;
}

bool read_all(CircularBuffer& ring) {
  for (std::uint32_t number = 0; number < messages; ++number) {
    Message message{};
    if (ring.read(message, forever) != Status::ok || !(message == Message::of(number))) return false;
  }
  return true;
}

const ChildFunction exchange{"mixed: exchange", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  if (!read_all(ring)) return 1;
  say("received");
  hear();  // from here on this process writes and the other reads
  return write_all(ring) ? 0 : 2;
}};

const ChildFunction use_array{"mixed: use an array", [](std::span<const std::string> arguments) -> int {
  SharedArray<Order> array(arguments[0]);
  if (array.size() != 100 || array[7].id != (std::uint64_t{7} << 40) || array[7].price != 0.5 || array.is_owner()) return 1;
  array[8] = {std::uint64_t{8} << 40, 1.25, "other"};
  return 0;
}};

const ChildFunction count_up{"mixed: count", [](std::span<const std::string> arguments) -> int {
  BufferReadWrite buffer(arguments[0]);
  say("ready");
  hear();
  for (int turn = 0; turn < turns; ++turn) {
    static_cast<void>(buffer.acquire_write_lock(forever));
    buffer.write(buffer.read<std::uint64_t>() + 1);
    buffer.release_write_lock();
  }
  return 0;
}};

// Takes a message, claims a node and holds a lock, and waits to be killed.
const ChildFunction hold{"mixed: hold", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  BufferReadWrite buffer(arguments[1]);
  const auto taken = ring.take(forever);
  const auto claimed = ring.claim(forever);
  static_cast<void>(buffer.acquire_write_lock(forever));
  say("poised");
  hear();
  return 0;
}};

// Says what it gets after another's death: what that one held, what lies behind its claim, and its lock.
const ChildFunction survive{"mixed: survive", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  BufferReadWrite buffer(arguments[1]);
  say("ready");
  hear();
  int first = 0;
  int second = 0;
  if (ring.read(first, forever) != Status::ok || ring.read(second, forever) != Status::ok) return 1;
  if (!buffer.acquire_write_lock(forever)) return 2;
  const bool abandoned = buffer.was_abandoned();
  buffer.release_write_lock();
  say(std::to_string(first + second) + (abandoned ? " abandoned" : " clean"));
  return 0;
}};

void dies_before(Program doomed, Program survivor) {
  const Watchdog watchdog(150s);
  NameGuard ring_name("mixed");
  NameGuard lock_name("mixed");
  CircularBuffer ring(ring_name, 3, 8);
  BufferReadWrite buffer(lock_name, 64);
  Child living("mixed: survive", {ring_name.str(), lock_name.str()}, survivor);
  REQUIRE(living.read_line() == "ready");
  CHECK(ring.write(1, forever) == Status::ok);
  Child child("mixed: hold", {ring_name.str(), lock_name.str()}, doomed);
  REQUIRE(child.read_line() == "poised");
  CHECK(ring.write(2, forever) == Status::ok);  // behind the doomed one's claim
  child.kill();
  CHECK(child.wait().killed_by(SIGKILL));
  living.write_line("go");
  CHECK(living.read_line() == "3 abandoned");
  CHECK(living.wait().clean());
  CHECK(ring.participants().size() == 1);
}

}  // namespace

TEST_CASE("two builds exchange 100,000 messages each way over one ring") {
  const Watchdog watchdog(150s);
  for (const std::size_t nodes : {std::size_t{64}, std::size_t{7}}) {
    NameGuard name("mixed");
    CircularBuffer ring(name, nodes, sizeof(Message));
    Child other("mixed: exchange", {name.str()}, Program::other);
    CHECK(write_all(ring));
    CHECK(other.read_line() == "received");
    other.write_line("go");
    CHECK(read_all(ring));
    CHECK(other.wait().clean());
  }
}

TEST_CASE("two builds share an array of structs") {
  const Watchdog watchdog;
  NameGuard name("mixed");
  SharedArray<Order> array(name, 100);
  array[7] = {std::uint64_t{7} << 40, 0.5, "this"};
  CHECK(Child("mixed: use an array", {name.str()}, Program::other).wait().clean());
  CHECK(array[8].id == std::uint64_t{8} << 40);
  CHECK(array[8].price == 1.25);
  CHECK(std::string(array[8].symbol) == "other");
}

TEST_CASE("two builds that count under one lock lose no count") {
  const Watchdog watchdog(150s);
  NameGuard name("mixed");
  BufferReadWrite buffer(name, 64);
  Child same("mixed: count", {name.str()}, Program::same);
  Child other("mixed: count", {name.str()}, Program::other);
  CHECK(same.read_line() == "ready");
  CHECK(other.read_line() == "ready");
  same.write_line("go");
  other.write_line("go");
  CHECK(same.wait().clean());
  CHECK(other.wait().clean());
  CHECK(buffer.read<std::uint64_t>() == 2 * turns);
}

TEST_CASE("this build's process survives the death of the other's: it gets the message, the node and the lock") { dies_before(Program::other, Program::same); }

TEST_CASE("the other build's process survives the death of this one's: it gets the message, the node and the lock") { dies_before(Program::same, Program::other); }

TEST_CASE("a segment that the other build created is opened here, and ends with its last holder") {
  const Watchdog watchdog;
  NameGuard name("mixed");
  Child other("mixed: create", {name.str()}, Program::other);
  REQUIRE(other.read_line() == "ready");
  {
    SharedArray<Order> array(name);
    CHECK(array.size() == 3);
    CHECK(array[2].id == 33);
    CHECK(array.participants().size() == 2);
    other.write_line("go");
    CHECK(other.wait().clean());
    CHECK(array.shutting_down());
  }
}

namespace {

const ChildFunction create{"mixed: create", [](std::span<const std::string> arguments) -> int {
  SharedArray<Order> array(arguments[0], 3);
  array[2].id = 33;
  say("ready");
  hear();
  return 0;
}};

}  // namespace
