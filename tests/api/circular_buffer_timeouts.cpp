// How long the calls of a ring wait, and that they wake.

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
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using strait::CircularBuffer;
using strait::forever;
using strait::no_wait;
using strait::Status;
using strait::test::eventually;
using strait::test::NameGuard;
using strait::test::Watchdog;
using strait::test::Workers;

namespace {

using Clock = std::chrono::steady_clock;

static_assert(std::is_convertible_v<std::chrono::milliseconds, strait::Timeout>);
static_assert(std::is_convertible_v<std::chrono::duration<double>, strait::Timeout>);
static_assert(!std::is_convertible_v<int, strait::Timeout>);

}  // namespace

TEST_CASE("a call on an empty or a full ring times out, and not before its time") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 8);
  int value = 0;
  std::array<char, 8> out{};
  const auto lasts = [](auto call) {
    const auto start = Clock::now();
    const Status status = call();
    CHECK(status == Status::timed_out);
    CHECK(Clock::now() - start >= 40ms);
  };
  lasts([&] { return ring.read(value, 40ms); });
  lasts([&] { return ring.read(std::span(out), 40ms).status; });
  lasts([&] { return ring.take(40ms).status(); });
  lasts([&] { return ring.read_with([](std::span<const std::byte>) {}, 40ms); });
  CHECK(ring.write(1) == Status::ok);
  CHECK(ring.write(2) == Status::ok);
  lasts([&] { return ring.write(3, 40ms); });
  lasts([&] { return ring.write(std::string("3"), 40ms); });
  lasts([&] { return ring.claim(40ms).status(); });
  lasts([&] { return ring.write_with([](std::span<std::byte>) { return std::size_t{0}; }, 40ms); });
  CHECK(ring.read(value, no_wait) == Status::ok);
  CHECK(value == 1);
  CHECK(ring.read(value, no_wait) == Status::ok);
  CHECK(value == 2);
}

TEST_CASE("no_wait, zero and negative times only try") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 8);
  int value = 0;
  for (const strait::Timeout timeout : {no_wait, strait::Timeout(0s), strait::Timeout(-1ms), strait::Timeout(-100h), strait::Timeout(std::chrono::nanoseconds::min())}) {
    CHECK(ring.read(value, timeout) == Status::timed_out);
    CHECK(ring.write(1, timeout) == Status::ok);
    CHECK(ring.write(2, timeout) == Status::ok);
    CHECK(ring.write(3, timeout) == Status::timed_out);
    CHECK(ring.read(value, timeout) == Status::ok);
    CHECK(ring.read(value, timeout) == Status::ok);
    CHECK(value == 2);
  }
}

TEST_CASE("forever and times too long to count wait until there is a message") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 8);
  CircularBuffer reader(name);
  for (const strait::Timeout timeout : {forever, strait::Timeout(std::chrono::hours::max()), strait::Timeout(std::chrono::duration<double>(1e300)),
                                        strait::Timeout(std::chrono::nanoseconds::max())}) {
    Workers workers;
    std::atomic<bool> read{false};
    workers.run([&] {
      int value = 0;
      if (reader.read(value, timeout) != Status::ok || value != 9) throw std::runtime_error("read");
      read = true;
    });
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(read.load());
    CHECK(writer.write(9, timeout) == Status::ok);
    CHECK(workers.join() == "");
  }
}

TEST_CASE("a fast reader that times out on a slow writer gets every message in the end") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 8);
  CircularBuffer reader(name);
  Workers workers;
  std::atomic<int> timeouts{0};
  workers.run([&] {
    for (int expected = 0; expected < 5;) {
      int value = -1;
      const Status status = reader.read(value, 1ms);
      if (status == Status::timed_out) {
        ++timeouts;
      } else if (status != Status::ok || value != expected++) {
        throw std::runtime_error("read");
      }
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int before = timeouts;
    eventually([&] { return timeouts > before; });
    CHECK(writer.write(i) == Status::ok);
  }
  CHECK(workers.join() == "");
  CHECK(timeouts >= 5);
}

TEST_CASE("a fast writer that times out on a slow reader delivers every acknowledged message and no other") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 8);
  CircularBuffer reader(name);
  Workers workers;
  std::atomic<int> timeouts{0};
  workers.run([&] {
    for (int next = 0; next < 7;) {
      const Status status = writer.write(next, 1ms);
      if (status == Status::timed_out) {
        ++timeouts;
      } else if (status == Status::ok) {
        ++next;
      } else {
        throw std::runtime_error("write");
      }
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int before = timeouts;
    eventually([&] { return timeouts > before; });
    int value = -1;
    CHECK(reader.read(value) == Status::ok);
    CHECK(value == i);
  }
  CHECK(workers.join() == "");
  int value = -1;
  CHECK(reader.read(value, no_wait) == Status::ok);
  CHECK(reader.read(value, no_wait) == Status::ok);
  CHECK(value == 6);
  CHECK(reader.read(value, no_wait) == Status::timed_out);
}

TEST_CASE("N sleeping readers and N messages: all N wake") {
  const Watchdog watchdog(120s, "N sleeping readers");
  constexpr int sleepers = 6;
  NameGuard name("ring");
  CircularBuffer writer(name, sleepers, 8);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> ready{0};
    std::atomic<int> sum{0};
    Workers workers;
    for (int i = 0; i < sleepers; ++i) {
      workers.run([&] {
        CircularBuffer reader(name);
        ++ready;
        int value = 0;
        if (reader.read(value, forever) != Status::ok) throw std::runtime_error("read");
        sum += value;
      });
    }
    eventually([&] { return ready == sleepers; });
    std::this_thread::sleep_for(5ms);  // most of them are asleep now; none must be missed either way
    for (int i = 1; i <= sleepers; ++i) CHECK(writer.write(i, no_wait) == Status::ok);
    CHECK(workers.join() == "");
    CHECK(sum == sleepers * (sleepers + 1) / 2);
  }
}

TEST_CASE("N sleeping writers and N places: all N wake") {
  const Watchdog watchdog(120s, "N sleeping writers");
  constexpr int sleepers = 6;
  NameGuard name("ring");
  CircularBuffer reader(name, sleepers, 8);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < sleepers; ++i) CHECK(reader.write(0, no_wait) == Status::ok);
    std::atomic<int> ready{0};
    Workers workers;
    for (int i = 1; i <= sleepers; ++i) {
      workers.run([&, i] {
        CircularBuffer writer(name);
        ++ready;
        if (writer.write(i, forever) != Status::ok) throw std::runtime_error("write");
      });
    }
    eventually([&] { return ready == sleepers; });
    std::this_thread::sleep_for(5ms);
    int value = -1;
    for (int i = 0; i < sleepers; ++i) {
      CHECK(reader.read(value, no_wait) == Status::ok);
      CHECK(value == 0);
    }
    CHECK(workers.join() == "");
    int sum = 0;
    for (int i = 0; i < sleepers; ++i) {
      CHECK(reader.read(value, no_wait) == Status::ok);
      sum += value;
    }
    CHECK(sum == sleepers * (sleepers + 1) / 2);
  }
}

TEST_CASE("every way of waiting delivers") {
  const Watchdog watchdog;
  const auto policy = GENERATE(0, 1, 2, 3);
  strait::RingOptions options;
  if (policy == 1) options.wait = {.spin = 0ns};
  if (policy == 2) options.wait = {.spin = 200us};
  if (policy == 3) options.wait = {.spin = 10us, .park = false};
  CAPTURE(policy);
  NameGuard name("ring");
  CircularBuffer there(name, 2, 8, options);
  CircularBuffer back(strait::open_or_create, name, 2, 8, options);
  NameGuard reply_name("ring");
  CircularBuffer reply(reply_name, 2, 8, options);
  Workers workers;
  workers.run([&] {
    for (int i = 0; i < 300; ++i) {
      int value = -1;
      if (back.read(value, forever) != Status::ok || value != i) throw std::runtime_error("read");
      if (reply.write(value, forever) != Status::ok) throw std::runtime_error("reply");
    }
  });
  bool right = true;
  for (int i = 0; i < 300; ++i) {
    int value = -1;
    right = right && there.write(i, forever) == Status::ok && reply.read(value, forever) == Status::ok && value == i;
  }
  CHECK(workers.join() == "");
  CHECK(right);
  int value = 0;
  CHECK(there.read(value, 20ms) == Status::timed_out);
}
