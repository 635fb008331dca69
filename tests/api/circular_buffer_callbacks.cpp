// write_with and read_with: in place, and nothing held when they throw.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/circular_buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

using strait::CircularBuffer;
using strait::Errc;
using strait::no_wait;
using strait::Status;
using strait::test::caught;
using strait::test::NameGuard;
using strait::test::Watchdog;

namespace {

std::size_t put(std::span<std::byte> bytes, int value) {
  std::memcpy(bytes.data(), &value, sizeof value);
  return sizeof value;
}

int get(std::span<const std::byte> bytes) {
  int value = -1;
  if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

int next(CircularBuffer& ring) {
  int value = -1;
  return ring.read(value, no_wait) == Status::ok ? value : -1;
}

}  // namespace

TEST_CASE("callbacks fill and read a node in place") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 10);
  CircularBuffer reader(name);
  std::size_t offered = 0;
  CHECK(writer.write_with([&](std::span<std::byte> bytes) {
    offered = bytes.size();
    std::ranges::fill(bytes, std::byte{3});
    return std::size_t{4};
  }) == Status::ok);
  CHECK(offered == 10);
  std::vector<std::byte> seen;
  CHECK(reader.read_with([&](std::span<const std::byte> bytes) { seen.assign(bytes.begin(), bytes.end()); }) == Status::ok);
  CHECK(seen == std::vector<std::byte>(4, std::byte{3}));
  CHECK(reader.read_with([&](std::span<const std::byte>) { seen.clear(); }, no_wait) == Status::timed_out);
  CHECK(seen.size() == 4);
}

TEST_CASE("a callback may publish an empty message") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 10);
  CHECK(ring.write_with([](std::span<std::byte>) { return std::size_t{0}; }) == Status::ok);
  std::size_t size = 99;
  CHECK(ring.read_with([&](std::span<const std::byte> bytes) { size = bytes.size(); }, no_wait) == Status::ok);
  CHECK(size == 0);
}

TEST_CASE("a writing callback that throws publishes nothing and holds nothing") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 8);
  CircularBuffer reader(name);
  for (int round = 0; round < 7; ++round) {
    CHECK_THROWS_AS(writer.write_with([](std::span<std::byte>) -> std::size_t { throw std::runtime_error("no"); }), std::runtime_error);
    CHECK(next(reader) == -1);
    CHECK(writer.write(round, no_wait) == Status::ok);
    CHECK(next(reader) == round);
  }
  CHECK(writer.write(1, no_wait) == Status::ok);
  CHECK(writer.write(2, no_wait) == Status::ok);
  CHECK(writer.write(3, no_wait) == Status::timed_out);
}

TEST_CASE("a writing callback that returns more than a node holds publishes nothing and holds nothing") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 4);
  for (int round = 0; round < 5; ++round) {
    const auto refused = caught([&] { return ring.write_with([](std::span<std::byte>) { return std::size_t{1000}; }); });
    CHECK(refused == Errc::message_too_large);
    CHECK(refused.segment == name.str());
  }
  CHECK(next(ring) == -1);
  CHECK(ring.write(1, no_wait) == Status::ok);
  CHECK(ring.write(2, no_wait) == Status::ok);
  CHECK(next(ring) == 1);
  CHECK(next(ring) == 2);
}

TEST_CASE("a reading callback that throws gives the message back, first for its own handle") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 8);
  CircularBuffer reader(name);
  CHECK(writer.write(1) == Status::ok);
  CHECK(writer.write(2) == Status::ok);
  for (int round = 0; round < 3; ++round) {
    int seen = 0;
    CHECK_THROWS_AS(reader.read_with([&](std::span<const std::byte> bytes) {
      seen = get(bytes);
      throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK(seen == 1);
  }
  CHECK(next(reader) == 1);
  CHECK(next(reader) == 2);
  CHECK(writer.write(3, no_wait) == Status::ok);
  CHECK(writer.write(4, no_wait) == Status::ok);
}

TEST_CASE("writes nested in callbacks are read in the order the outermost began, and only when it is done") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 8);
  CircularBuffer reader(name);
  for (int round = 0; round < 3; ++round) {
    const Status outer = writer.write_with([&](std::span<std::byte> first) {
      const Status middle = writer.write_with([&](std::span<std::byte> second) {
        const Status inner = writer.write_with([&](std::span<std::byte> third) { return put(third, 3); });
        CHECK(inner == Status::ok);
        CHECK(next(reader) == -1);
        return put(second, 2);
      });
      CHECK(middle == Status::ok);
      CHECK(next(reader) == -1);
      return put(first, 1);
    });
    CHECK(outer == Status::ok);
    CHECK(next(reader) == 1);
    CHECK(next(reader) == 2);
    CHECK(next(reader) == 3);
    CHECK(next(reader) == -1);
  }
}

TEST_CASE("reads nested in callbacks take one message each, and the nodes come back when the outermost is done") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 8);
  CircularBuffer reader(name);
  for (int round = 0; round < 3; ++round) {
    for (int i = 1; i <= 3; ++i) CHECK(writer.write(i, no_wait) == Status::ok);
    const Status outer = reader.read_with([&](std::span<const std::byte> first) {
      CHECK(get(first) == 1);
      const Status middle = reader.read_with([&](std::span<const std::byte> second) {
        CHECK(get(second) == 2);
        CHECK(reader.read_with([](std::span<const std::byte> third) { CHECK(get(third) == 3); }) == Status::ok);
        CHECK(writer.write(9, no_wait) == Status::timed_out);
      });
      CHECK(middle == Status::ok);
      CHECK(writer.write(9, no_wait) == Status::timed_out);
    });
    CHECK(outer == Status::ok);
  }
  for (int i = 0; i < 3; ++i) CHECK(writer.write(i, no_wait) == Status::ok);
}
