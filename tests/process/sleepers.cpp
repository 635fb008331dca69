// Wake-ups between processes: N sleepers and N messages, all N wake; close wakes them all.

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using strait::CircularBuffer;
using strait::forever;
using strait::no_wait;
using strait::Status;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::eventually;
using strait::test::NameGuard;
using strait::test::say;
using strait::test::until_asleep;
using strait::test::Watchdog;

namespace {

const ChildFunction read_one{"sleepers: read one", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  say("waiting");
  int value = -1;
  const Status status = ring.read(value, forever);
  say(status == Status::ok ? std::to_string(value) : status == Status::closed ? "closed" : "unexpected");
  return 0;
}};

const ChildFunction claim_one{"sleepers: claim", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  const auto claim = ring.claim(forever);
  say("claimed");
  static_cast<void>(strait::test::hear());
  return 0;
}};

const ChildFunction write_one{"sleepers: write one", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  say("waiting");
  const Status status = ring.write(std::stoi(arguments[1]), forever);
  say(status == Status::ok ? "written" : status == Status::closed ? "closed" : "unexpected");
  return 0;
}};

const ChildFunction lock_one{"sleepers: lock", [](std::span<const std::string> arguments) -> int {
  strait::BufferReadWrite buffer(arguments[0]);
  say("waiting");
  const bool writer = arguments[1] == "write";
  if (writer ? !buffer.acquire_write_lock() : !buffer.acquire_read_lock()) return 1;
  say("held");
  writer ? buffer.release_write_lock() : buffer.release_read_lock();
  return 0;
}};

std::vector<Child> sleeping(const std::string& function, int count, const std::string& name, auto argument) {
  std::vector<Child> children;
  for (int i = 0; i < count; ++i) children.emplace_back(function, std::vector<std::string>{name, argument(i)});
  for (auto& child : children) REQUIRE(child.read_line() == "waiting");
  for (auto& child : children) until_asleep(child);
  return children;
}

constexpr int sleepers = 5;

}  // namespace

TEST_CASE("N sleeping processes that read and N messages: all N wake, each with one") {
  const Watchdog watchdog;
  NameGuard name("sleepers");
  CircularBuffer ring(name, sleepers, 8);
  for (int round = 0; round < 5; ++round) {
    auto children = sleeping("sleepers: read one", sleepers, name, [](int) { return ""; });
    for (int i = 0; i < sleepers; ++i) CHECK(ring.write(i, no_wait) == Status::ok);
    std::set<std::string> values;
    for (auto& child : children) {
      values.insert(child.read_line().value_or("nothing"));
      CHECK(child.wait().clean());
    }
    CHECK(values == std::set<std::string>{"0", "1", "2", "3", "4"});
  }
}

TEST_CASE("N sleeping processes that write and N places: all N wake") {
  const Watchdog watchdog;
  NameGuard name("sleepers");
  CircularBuffer ring(name, sleepers, 8);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < sleepers; ++i) CHECK(ring.write(-1, no_wait) == Status::ok);
    auto children = sleeping("sleepers: write one", sleepers, name, [](int i) { return std::to_string(i); });
    int value = 0;
    for (int i = 0; i < sleepers; ++i) {
      CHECK(ring.read(value, no_wait) == Status::ok);
      CHECK(value == -1);
    }
    for (auto& child : children) {
      CHECK(child.read_line() == "written");
      CHECK(child.wait().clean());
    }
    std::set<int> values;
    while (ring.read(value, no_wait) == Status::ok) values.insert(value);
    CHECK(values == std::set<int>{0, 1, 2, 3, 4});
  }
}

TEST_CASE("the owner's close wakes processes that sleep in reads and in writes") {
  const Watchdog watchdog;
  for (const bool full : {false, true}) {
    NameGuard name("sleepers");
    CircularBuffer ring(name, 2, 8);
    if (full) {
      CHECK(ring.write(1) == Status::ok);
      CHECK(ring.write(2) == Status::ok);
    }
    auto children = sleeping(full ? "sleepers: write one" : "sleepers: read one", 3, name, [](int) { return "7"; });
    ring.close();
    for (auto& child : children) {
      CHECK(child.read_line() == "closed");
      CHECK(child.wait().clean());
    }
  }
}

TEST_CASE("a sleeper that is killed takes no other sleeper's message with it") {
  const Watchdog watchdog;
  NameGuard name("sleepers");
  CircularBuffer ring(name, 4, 8);
  auto children = sleeping("sleepers: read one", 4, name, [](int) { return ""; });
  children[1].kill();
  children[2].kill();
  children[1].wait();
  children[2].wait();
  CHECK(ring.write(1, no_wait) == Status::ok);
  CHECK(ring.write(2, no_wait) == Status::ok);
  std::set<std::string> values{children[0].read_line().value_or("nothing"), children[3].read_line().value_or("nothing")};
  CHECK(values == std::set<std::string>{"1", "2"});
  CHECK(children[0].wait().clean());
  CHECK(children[3].wait().clean());
}

TEST_CASE("a released lock wakes every process that can have it") {
  const Watchdog watchdog;
  for (const char* kind : {"read", "write"}) {
    NameGuard name("sleepers");
    strait::BufferReadWrite buffer(name, 64);
    REQUIRE(buffer.acquire_write_lock());
    auto children = sleeping("sleepers: lock", 4, name, [&](int) { return kind; });
    buffer.release_write_lock();
    for (auto& child : children) {
      CHECK(child.read_line() == "held");
      CHECK(child.wait().clean());
    }
  }
}

TEST_CASE("of many who sleep one asks after the dead for all, also where one look does not reach everybody") {
  const Watchdog watchdog;
  for (const std::size_t many : {12u, 90u}) {
    NameGuard name("sleepers");
    strait::RingOptions options;
    options.max_participants = 200;
    CircularBuffer owner(name, 4, sizeof(int), options);
    std::vector<std::unique_ptr<CircularBuffer>> handles;
    while (handles.size() < many) handles.push_back(std::make_unique<CircularBuffer>(name));
    Child last("sleepers: claim", {name});
    REQUIRE(last.read_line() == "claimed");
    CHECK(owner.participants().size() == many + 2);
    std::vector<std::thread> threads;
    std::atomic<std::size_t> taken{0};
    for (auto& handle : handles) threads.emplace_back([&ring = *handle, &taken] { taken += ring.take(forever).status() == Status::ok; });
    // A message behind the claim: only when the claim is given up do they know that it is the next.
    CHECK(owner.write(1) == Status::ok);
    last.kill();
    last.wait();
    eventually([&] { return owner.participants().size() == many + 1; });
    eventually([&] { return taken == 1; });
    owner.close();
    for (auto& thread : threads) thread.join();
  }
}
