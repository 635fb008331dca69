// Two processes and one segment: an array, a buffer, a lock, a ring, and who is there.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <csignal>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using strait::BufferReadWrite;
using strait::CircularBuffer;
using strait::Errc;
using strait::forever;
using strait::no_wait;
using strait::SharedArray;
using strait::Status;
using strait::test::caught;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::eventually;
using strait::test::hear;
using strait::test::NameGuard;
using strait::test::say;
using strait::test::Watchdog;

namespace {

struct Order {
  std::uint32_t id;
  double price;
  char symbol[8];
};

const ChildFunction use_array{"sharing: use an array", [](std::span<const std::string> arguments) -> int {
  SharedArray<Order> array(arguments[0]);
  if (array.size() != 100 || array.is_owner() || array[7].id != 7 || array[7].price != 0.5) return 1;
  array[8] = {8, 1.5, "child"};
  std::array<Order, 2> pair{{{20, 2, "a"}, {21, 3, "b"}}};
  array.write(pair, 20);
  return 0;
}};

const ChildFunction use_buffer{"sharing: use a buffer", [](std::span<const std::string> arguments) -> int {
  BufferReadWrite buffer(arguments[0]);
  if (buffer.read<int>(1000) != 123) return 1;
  buffer.write(456, 4);
  buffer.write(std::string("text"), 3);
  return 0;
}};

// Reads-modifies-writes a counter that only the lock protects.
const ChildFunction count_up{"sharing: count under the lock", [](std::span<const std::string> arguments) -> int {
  BufferReadWrite buffer(arguments[0]);
  const int rounds = std::stoi(arguments[1]);
  say("ready");
  hear();
  for (int i = 0; i < rounds; ++i) {
    if (!buffer.acquire_write_lock()) return 1;
    const auto low = buffer.read<std::uint64_t>(0);
    const auto high = buffer.read<std::uint64_t>(8);
    if (low != ~high) return 2;
    buffer.write(low + 1, 0);
    buffer.write(~(low + 1), 8);
    buffer.release_write_lock();
    if (i % 4 == 0) {
      if (!buffer.acquire_read_lock()) return 1;
      const bool whole = buffer.read<std::uint64_t>(0) == ~buffer.read<std::uint64_t>(8);
      buffer.release_read_lock();
      if (!whole) return 3;
    }
  }
  return 0;
}};

const ChildFunction hold{"sharing: hold", [](std::span<const std::string> arguments) -> int {
  std::optional<BufferReadWrite> buffer;
  std::optional<CircularBuffer> ring;
  std::optional<strait::WriteClaim> claim;
  std::optional<strait::ReadClaim> message;
  const std::string& what = arguments[1];
  if (what == "write lock" || what == "read lock") {
    buffer.emplace(arguments[0]);
    if (what == "write lock" ? !buffer->acquire_write_lock() : !buffer->acquire_read_lock()) return 1;
  } else if (what == "create a ring with a message") {
    ring.emplace(arguments[0], 4, 8);
    if (ring->write(5) != Status::ok) return 1;
  } else {
    ring.emplace(arguments[0]);
    if (what == "claim" || what == "claim before a message") claim.emplace(ring->claim(no_wait));
    if (what == "claim before a message" && ring->write(8, no_wait) != Status::ok) return 1;
    if (what == "message") message.emplace(ring->take(no_wait));
    if ((claim && !*claim) || (message && !*message)) return 1;
    if (what == "both sides") {
      int value = 0;
      if (ring->write(1) != Status::ok || ring->read(value) != Status::ok) return 1;
    }
  }
  say("holding");
  hear();
  return 0;
}};

const ChildFunction create_late{"sharing: create late", [](std::span<const std::string> arguments) -> int {
  hear();
  CircularBuffer ring(arguments[0], 4, 8);
  if (ring.write(42) != Status::ok) return 1;
  say("created");
  hear();
  return 0;
}};

const ChildFunction answer{"sharing: answer", [](std::span<const std::string> arguments) -> int {
  CircularBuffer questions(arguments[0]);
  CircularBuffer answers(arguments[1]);
  for (;;) {
    std::uint64_t value = 0;
    const Status status = questions.read(value, forever);
    if (status == Status::closed) return 0;
    if (status != Status::ok || answers.write(value * 2, forever) != Status::ok) return 1;
  }
}};

Child holding(const std::string& name, const std::string& what) {
  Child child("sharing: hold", {name, what});
  REQUIRE(child.read_line() == "holding");
  return child;
}

void end_by_kill(Child& child) {
  child.kill();
  REQUIRE(child.wait().killed_by(SIGKILL));
}

}  // namespace

TEST_CASE("two processes share an array of structs") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  SharedArray<Order> array(name, 100);
  array[7] = {7, 0.5, "parent"};
  CHECK(Child("sharing: use an array", {name.str()}).wait().clean());
  CHECK(array[8].id == 8);
  CHECK(std::string(array[8].symbol) == "child");
  CHECK(array[21].price == 3);
}

TEST_CASE("two processes share a buffer") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  BufferReadWrite buffer(name, 1024);
  buffer.write(123, 1000);
  CHECK(Child("sharing: use a buffer", {name.str()}).wait().clean());
  CHECK(buffer.read<char>(3) == 't');
  CHECK(buffer.read<char>(6) == 't');
}

TEST_CASE("processes that count under one lock lose no count") {
  const Watchdog watchdog(110s, "counting under one lock");
  NameGuard name("sharing");
  BufferReadWrite buffer(name, 16);
  buffer.write(~std::uint64_t{0}, 8);
  std::vector<Child> children;
  for (int i = 0; i < 4; ++i) children.emplace_back("sharing: count under the lock", std::vector<std::string>{name.str(), "20000"});
  for (auto& child : children) REQUIRE(child.read_line() == "ready");
  for (auto& child : children) child.write_line("go");
  for (auto& child : children) CHECK(child.wait().clean());
  CHECK(buffer.read<std::uint64_t>(0) == 80'000);
}

TEST_CASE("two processes play questions and answers over two rings") {
  const Watchdog watchdog;
  NameGuard questions_name("questions");
  NameGuard answers_name("answers");
  CircularBuffer questions(questions_name, 2, 8);
  CircularBuffer answers(answers_name, 2, 8);
  Child child("sharing: answer", {questions_name.str(), answers_name.str()});
  bool right = true;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    std::uint64_t value = 0;
    right = right && questions.write(i, forever) == Status::ok && answers.read(value, forever) == Status::ok && value == 2 * i;
  }
  CHECK(right);
  questions.close();
  CHECK(child.wait().clean());
}

TEST_CASE("an opener that comes before the creator is told not_found and gets in afterwards") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  Child child("sharing: create late", {name.str()});
  CHECK(caught([&] { CircularBuffer early(name); }) == Errc::not_found);
  child.write_line("go");
  REQUIRE(child.read_line() == "created");
  CircularBuffer ring(name);
  int value = 0;
  CHECK(ring.read(value) == Status::ok);
  CHECK(value == 42);
  CHECK_FALSE(ring.is_owner());
  child.close_input();  // it closes before we do; killed as the last one, it would leave the name
  CHECK(child.wait().clean());
}

TEST_CASE("openers that race with a creator get the finished segment or not_found, nothing in between") {
  const Watchdog watchdog;
  for (int round = 0; round < 10; ++round) {
    NameGuard name("sharing");
    Child child("sharing: create late", {name.str()});
    child.write_line("go");
    std::optional<CircularBuffer> ring;
    eventually([&] {
      const auto result = caught([&] { ring.emplace(name); });
      if (!result.nothing() && !(result == Errc::not_found)) throw std::runtime_error(result.text);
      return result.nothing();
    });
    int value = 0;
    CHECK(ring->node_count() == 4);
    CHECK(ring->read(value, forever) == Status::ok);
    CHECK(value == 42);
    child.close_input();
    CHECK(child.wait().clean());
  }
}

TEST_CASE("participants of other processes are told with their pid, and a stopped one is alive") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  CircularBuffer ring(name, 4, 8);
  auto child = holding(name, "nothing");
  const auto find = [&]() -> std::optional<strait::Participant> {
    for (const auto& participant : ring.participants()) {
      if (participant.pid == static_cast<std::uint32_t>(child.pid())) return participant;
    }
    return std::nullopt;
  };
  REQUIRE(find());
  CHECK(find()->alive);
  CHECK_FALSE(find()->owner);
  child.stop();
  REQUIRE(find());
  CHECK(find()->alive);
  CHECK(ring.participants().size() == 2);
  child.cont();
  child.close_input();
  CHECK(child.wait().clean());
  CHECK_FALSE(find());
}

TEST_CASE("a killed process is no living participant, and its seat is mended and used again") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  strait::RingOptions options;
  options.max_participants = 3;
  CircularBuffer ring(name, 4, 8, options);
  for (int round = 0; round < 4; ++round) {
    auto first = holding(name, "nothing");
    auto second = holding(name, "nothing");
    CHECK(caught([&] { CircularBuffer fourth(name); }) == Errc::too_many_participants);
    end_by_kill(first);
    for (const auto& participant : ring.participants()) {
      if (participant.pid == static_cast<std::uint32_t>(first.pid())) CHECK_FALSE(participant.alive);
    }
    {
      const CircularBuffer newcomer(name);
      CHECK(newcomer.participants().size() == 3);
      CHECK(std::ranges::all_of(newcomer.participants(), [](const auto& participant) { return participant.alive; }));
    }
    end_by_kill(second);
    // A wait that is refused for long enough mends.
    eventually([&] {
      int value = 0;
      if (ring.read(value, 1ms) != Status::timed_out) throw std::runtime_error("a message out of nowhere");
      return ring.participants().size() == 1;
    });
  }
  CHECK(ring.write(1) == Status::ok);
}

TEST_CASE("a node claimed by a killed writer is skipped") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  CircularBuffer ring(name, 2, 8);
  for (int round = 0; round < 4; ++round) {
    auto child = holding(name, "claim");
    CHECK(ring.write(round, no_wait) == Status::ok);
    int value = -1;
    CHECK(ring.read(value, no_wait) == Status::timed_out);
    end_by_kill(child);
    CHECK(ring.read(value, forever) == Status::ok);
    CHECK(value == round);
    CHECK(ring.write(1, forever) == Status::ok);
    CHECK(ring.write(2, forever) == Status::ok);
    CHECK(ring.write(3, no_wait) == Status::timed_out);
    CHECK(ring.read(value, forever) == Status::ok);
    CHECK(ring.read(value, forever) == Status::ok);
  }
}

TEST_CASE("a message behind a claim of its killed writer is delivered, on a shared and on an exclusive side") {
  const Watchdog watchdog;
  const auto writers = GENERATE(strait::Sharing::many, strait::Sharing::one);
  NameGuard name("sharing");
  strait::RingOptions options;
  options.writers = writers;
  CircularBuffer ring(name, 3, 8, options);
  for (int round = 0; round < 5; ++round) {
    auto child = holding(name, "claim before a message");
    int value = 0;
    CHECK(ring.read(value, no_wait) == Status::timed_out);
    end_by_kill(child);
    CHECK(ring.read(value, forever) == Status::ok);
    CHECK(value == 8);
    CHECK(ring.read(value, no_wait) == Status::timed_out);
  }
}

TEST_CASE("a message held by a killed reader is delivered again") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  CircularBuffer ring(name, 2, 8);
  for (int round = 0; round < 4; ++round) {
    CHECK(ring.write(round, no_wait) == Status::ok);
    auto child = holding(name, "message");
    int value = -1;
    CHECK(ring.read(value, no_wait) == Status::timed_out);
    end_by_kill(child);
    CHECK(ring.read(value, forever) == Status::ok);
    CHECK(value == round);
  }
}

TEST_CASE("exclusive sides of a killed process pass to the next one") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  strait::RingOptions options;
  options.writers = strait::Sharing::one;
  options.readers = strait::Sharing::one;
  CircularBuffer ring(name, 2, 8, options);
  auto child = holding(name, "both sides");
  CHECK(caught([&] { return ring.write(1); }) == Errc::too_many_participants);
  end_by_kill(child);
  int value = 0;
  CHECK(ring.write(2, forever) == Status::ok);
  CHECK(ring.read(value, forever) == Status::ok);
  CHECK(value == 2);
}

TEST_CASE("a lock held by a killed process is free, and a writer's is marked as abandoned") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  BufferReadWrite buffer(name, 64);
  {
    auto child = holding(name, "write lock");
    CHECK_FALSE(buffer.acquire_write_lock(no_wait));
    CHECK_FALSE(buffer.acquire_read_lock(no_wait));
    end_by_kill(child);
    CHECK(buffer.acquire_write_lock());
    CHECK(buffer.was_abandoned());
    buffer.release_write_lock();
    CHECK(buffer.acquire_write_lock());
    CHECK_FALSE(buffer.was_abandoned());
    buffer.release_write_lock();
  }
  {
    auto child = holding(name, "read lock");
    CHECK_FALSE(buffer.acquire_write_lock(no_wait));
    CHECK(buffer.acquire_read_lock(no_wait));
    buffer.release_read_lock();
    end_by_kill(child);
    CHECK(buffer.acquire_write_lock());
    CHECK_FALSE(buffer.was_abandoned());
    buffer.release_write_lock();
  }
}

TEST_CASE("a stopped holder is waited for, not robbed") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  BufferReadWrite buffer(name, 64);
  auto child = holding(name, "write lock");
  child.stop();
  CHECK_FALSE(buffer.acquire_write_lock(200ms));
  child.cont();
  child.close_input();
  CHECK(buffer.acquire_write_lock());
  buffer.release_write_lock();
  CHECK(child.wait().clean());
}

TEST_CASE("after the owner's death survivors and newcomers carry on, and nobody waits for ever on the dead") {
  const Watchdog watchdog;
  NameGuard name("sharing");
  auto owner = holding(name, "create a ring with a message");
  CircularBuffer survivor(name);
  end_by_kill(owner);
  CHECK_FALSE(survivor.shutting_down());
  int value = 0;
  CHECK(survivor.read(value, forever) == Status::ok);
  CHECK(value == 5);
  for (int i = 0; i < 4; ++i) CHECK(survivor.write(i, forever) == Status::ok);
  CHECK(survivor.write(9, forever) == Status::peer_lost);
  for (int i = 0; i < 4; ++i) {
    CHECK(survivor.read(value, forever) == Status::ok);
    CHECK(value == i);
  }
  CHECK(survivor.read(value, forever) == Status::peer_lost);
  CHECK(survivor.take(forever).status() == Status::peer_lost);
  {
    CircularBuffer newcomer(name);
    CHECK(newcomer.write(6) == Status::ok);
    CHECK(survivor.read(value, forever) == Status::ok);
    CHECK(value == 6);
    // While another participant lives a call may wait.
    CHECK(survivor.read(value, 150ms) == Status::timed_out);
  }
  CircularBuffer heir(strait::open_or_create, name, 4, 8);
  CHECK(heir.is_owner());
  CHECK(survivor.read(value, 150ms) == Status::timed_out);
}
