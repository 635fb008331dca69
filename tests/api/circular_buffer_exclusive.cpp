// Rings whose creator said that there is one writer or one reader.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/circular_buffer.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

using strait::CircularBuffer;
using strait::Errc;
using strait::no_wait;
using strait::RingOptions;
using strait::Sharing;
using strait::Status;
using strait::test::caught;
using strait::test::NameGuard;
using strait::test::Watchdog;
using strait::test::Workers;

namespace {

RingOptions sides(Sharing writers, Sharing readers) {
  RingOptions options;
  options.writers = writers;
  options.readers = readers;
  return options;
}

int next(CircularBuffer& ring) {
  int value = -1;
  return ring.read(value, no_wait) == Status::ok ? value : -1;
}

}  // namespace

TEST_CASE("rings with every mix of shared and exclusive sides keep the order and hold exactly N messages") {
  const Watchdog watchdog;
  const auto writers = GENERATE(Sharing::many, Sharing::one);
  const auto readers = GENERATE(Sharing::many, Sharing::one);
  const auto nodes = GENERATE(std::size_t{2}, std::size_t{3}, std::size_t{8});
  NameGuard name("ring");
  CircularBuffer writer(name, nodes, 8, sides(writers, readers));
  CircularBuffer reader(name);
  int in = 0;
  int out = 0;
  bool right = true;
  for (std::size_t round = 0; round < 3 * nodes; ++round) {
    while (writer.write(in, no_wait) == Status::ok) ++in;
    right = right && static_cast<std::size_t>(in - out) == nodes;
    for (std::size_t i = 0; i <= round % nodes; ++i) right = right && next(reader) == out++;
  }
  CHECK(right);
}

TEST_CASE("two threads stream through a ring with every mix of sides") {
  const Watchdog watchdog;
  const auto writers = GENERATE(Sharing::many, Sharing::one);
  const auto readers = GENERATE(Sharing::many, Sharing::one);
  NameGuard name("ring");
  CircularBuffer writer(name, 4, 8, sides(writers, readers));
  CircularBuffer reader(name);
  Workers workers;
  workers.run([&] {
    for (int i = 0; i < 20000; ++i) {
      if (writer.write(i, strait::forever) != Status::ok) throw std::runtime_error("write");
    }
  });
  workers.run([&] {
    for (int i = 0; i < 20000; ++i) {
      int value = -1;
      if (reader.read(value, strait::forever) != Status::ok || value != i) throw std::runtime_error("read " + std::to_string(i));
    }
  });
  CHECK(workers.join() == "");
}

TEST_CASE("the writing side of one belongs to the first handle that writes, while it lives") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer owner(name, 3, 8, sides(Sharing::one, Sharing::many));
  std::optional<CircularBuffer> first;
  first.emplace(name);
  CircularBuffer second(name);
  CHECK(first->write(1) == Status::ok);
  const auto refused = caught([&] { return second.write(2); });
  CHECK(refused == Errc::too_many_participants);
  CHECK(refused.segment == name.str());
  CHECK(caught([&] { return owner.claim().status(); }) == Errc::too_many_participants);
  CHECK(caught([&] { return owner.write_with([](std::span<std::byte>) { return std::size_t{0}; }); }) == Errc::too_many_participants);
  CHECK(next(second) == 1);  // the reading side is everybody's
  first.reset();
  CHECK(second.write(3) == Status::ok);
  CHECK(caught([&] { return owner.write(4); }) == Errc::too_many_participants);
  CHECK(next(owner) == 3);
  CHECK(next(owner) == -1);
}

TEST_CASE("the reading side of one belongs to the first handle that reads, while it lives") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer owner(name, 3, 8, sides(Sharing::many, Sharing::one));
  std::optional<CircularBuffer> first;
  first.emplace(name);
  CircularBuffer second(name);
  CHECK(owner.write(1) == Status::ok);
  CHECK(second.write(2) == Status::ok);
  CHECK(next(*first) == 1);
  int value = 0;
  const auto refused = caught([&] { return second.read(value); });
  CHECK(refused == Errc::too_many_participants);
  CHECK(refused.segment == name.str());
  CHECK(caught([&] { return second.take().status(); }) == Errc::too_many_participants);
  CHECK(caught([&] { return owner.read_with([](std::span<const std::byte>) {}); }) == Errc::too_many_participants);
  first.reset();
  CHECK(next(second) == 2);
  CHECK(next(second) == -1);
}

TEST_CASE("opening and looking does not take an exclusive side") {
  NameGuard name("ring");
  CircularBuffer owner(name, 3, 8, sides(Sharing::one, Sharing::one));
  CircularBuffer other(name);
  CHECK(owner.approximate_size() == 0);
  CHECK(other.write(1) == Status::ok);
  CHECK(next(owner) == 1);
}

TEST_CASE("an exclusive reader puts back and refuses like any other") {
  const Watchdog watchdog;
  const auto writers = GENERATE(Sharing::many, Sharing::one);
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 8, sides(writers, Sharing::one));
  CircularBuffer reader(name);
  for (int round = 0; round < 5; ++round) {
    CHECK(writer.write(1, no_wait) == Status::ok);
    CHECK(writer.write(2, no_wait) == Status::ok);
    for (int again = 0; again < 2; ++again) {
      auto message = reader.take(no_wait);
      REQUIRE(message);
      CHECK(message.bytes().size() == sizeof(int));
      message.put_back();
    }
    long long wide = 0;
    CHECK(caught([&] { return reader.read(wide); }) == Errc::type_mismatch);
    CHECK_THROWS_AS(reader.read_with([](std::span<const std::byte>) { throw std::runtime_error("no"); }), std::runtime_error);
    CHECK(next(reader) == 1);
    {
      const auto message = reader.take(no_wait);
      REQUIRE(message);
      CHECK(writer.write(9, no_wait) == Status::ok);
      CHECK(writer.write(9, no_wait) == Status::timed_out);
    }
    CHECK(next(reader) == 9);
    CHECK(next(reader) == -1);
  }
}

TEST_CASE("an exclusive writer may hold several claims, and drop and throw like any other") {
  const Watchdog watchdog;
  const auto readers = GENERATE(Sharing::many, Sharing::one);
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 8, sides(Sharing::one, readers));
  CircularBuffer reader(name);
  for (int round = 0; round < 7; ++round) {
    {
      auto first = writer.claim(no_wait);
      auto second = writer.claim(no_wait);
      REQUIRE(first);
      REQUIRE(second);
      second.as<int>() = 2;
      second.publish(sizeof(int));
      CHECK(next(reader) == -1);
    }
    CHECK(next(reader) == 2);
    CHECK_THROWS_AS(writer.write_with([](std::span<std::byte>) -> std::size_t { throw std::runtime_error("no"); }), std::runtime_error);
    CHECK(next(reader) == -1);
    CHECK(writer.write(round, no_wait) == Status::ok);
    CHECK(next(reader) == round);
  }
}

TEST_CASE("a side may change hands only after its owner's claims are finished") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer reader(name, 3, 8, sides(Sharing::one, Sharing::many));
  for (int round = 0; round < 5; ++round) {
    {
      CircularBuffer writer(name);
      CHECK(writer.write(round) == Status::ok);
      const auto dropped = writer.claim(no_wait);
      REQUIRE(dropped);
    }
    CHECK(next(reader) == round);
    CHECK(next(reader) == -1);
  }
}
