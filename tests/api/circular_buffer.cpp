// The copying forms of a ring: what goes in comes out, whole, in order, once.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/circular_buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using strait::CircularBuffer;
using strait::Errc;
using strait::no_wait;
using strait::Status;
using strait::test::caught;
using strait::test::NameGuard;
using strait::test::Watchdog;
using strait::test::Workers;

namespace {

struct Point {
  double x;
  double y;
  friend bool operator==(const Point&, const Point&) = default;
};

static_assert(!std::is_copy_constructible_v<CircularBuffer>);
static_assert(std::is_nothrow_move_constructible_v<CircularBuffer>);

}  // namespace

TEST_CASE("messages come out of a ring whole and in the order they went in") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 4);
  CircularBuffer reader(name);
  CHECK(writer.write(123) == Status::ok);
  CHECK(writer.write(456) == Status::ok);
  int value = 0;
  CHECK(reader.read(value) == Status::ok);
  CHECK(value == 123);
  CHECK(reader.read(value) == Status::ok);
  CHECK(value == 456);
  CHECK(reader.read(value, no_wait) == Status::timed_out);
  CHECK(value == 456);
}

TEST_CASE("a ring has exactly the nodes and bytes it was made with") {
  NameGuard name("ring");
  const CircularBuffer ring(name, 5, 13);
  const CircularBuffer other(name);
  for (const auto* handle : {&ring, &other}) {
    CHECK(handle->node_count() == 5);
    CHECK(handle->node_buffer_size() == 13);
    CHECK(handle->buffer_size() == 65);
    CHECK(handle->shared_memory_size() >= 65);
    CHECK(handle->name() == name.str());
  }
  CHECK(ring.is_owner());
  CHECK_FALSE(other.is_owner());
  CHECK_FALSE(other.shutting_down());
}

TEST_CASE("N nodes hold exactly N messages, lap after lap") {
  const Watchdog watchdog;
  const auto nodes = GENERATE(std::size_t{2}, std::size_t{3}, std::size_t{4}, std::size_t{5}, std::size_t{7}, std::size_t{8}, std::size_t{100});
  NameGuard name("ring");
  CircularBuffer writer(name, nodes, sizeof(std::uint64_t));
  CircularBuffer reader(name);
  std::uint64_t next_in = 0;
  std::uint64_t next_out = 0;
  bool right = true;
  for (std::size_t round = 0; round < 2 * nodes + 3; ++round) {
    while (writer.write(next_in, no_wait) == Status::ok) ++next_in;
    right = right && next_in - next_out == nodes;
    // Another number of messages is taken each round, so that every offset is met full and empty.
    const std::size_t taken = round % nodes + 1;
    for (std::size_t i = 0; i < taken; ++i) {
      std::uint64_t value = 0;
      right = right && reader.read(value, no_wait) == Status::ok && value == next_out;
      ++next_out;
    }
  }
  CHECK(right);
}

TEST_CASE("approximate_size follows single writes and reads exactly when nobody else is there") {
  NameGuard name("ring");
  CircularBuffer ring(name, 3, 8);
  CHECK(ring.approximate_size() == 0);
  CHECK(ring.write(1) == Status::ok);
  CHECK(ring.approximate_size() == 1);
  CHECK(ring.write(2) == Status::ok);
  CHECK(ring.write(3) == Status::ok);
  CHECK(ring.approximate_size() == 3);
  int value = 0;
  CHECK(ring.read(value) == Status::ok);
  CHECK(ring.approximate_size() == 2);
  CHECK(CircularBuffer(name).approximate_size() == 2);
}

TEST_CASE("a thousand messages pass through a ring of two nodes, one by one") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, sizeof(int));
  bool right = true;
  for (int i = 0; i < 1000; ++i) {
    int value = -1;
    right = right && ring.write(i) == Status::ok && ring.read(value) == Status::ok && value == i;
  }
  CHECK(right);
}

TEST_CASE("a thousand messages pass through a ring of two nodes between a writing and a reading thread") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, sizeof(int));
  Workers workers;
  workers.run([&] {
    for (int i = 0; i < 1000; ++i) {
      if (ring.write(i, strait::forever) != Status::ok) throw std::runtime_error("write");
    }
  });
  workers.run([&] {
    for (int i = 0; i < 1000; ++i) {
      int value = -1;
      if (ring.read(value, strait::forever) != Status::ok || value != i) throw std::runtime_error("read " + std::to_string(i));
    }
  });
  CHECK(workers.join() == "");
}

TEST_CASE("runs of elements, text and structs pass through a ring") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 8, 64);

  const std::vector<std::int16_t> numbers{1, -2, 3};
  CHECK(ring.write(numbers) == Status::ok);
  CHECK(ring.write(std::span(numbers)) == Status::ok);
  CHECK(ring.write(std::span<const std::int16_t>(numbers).first(2)) == Status::ok);
  CHECK(ring.write(std::array<std::int16_t, 2>{8, 9}) == Status::ok);
  CHECK(ring.write(std::string_view("text")) == Status::ok);
  CHECK(ring.write(std::string("more text")) == Status::ok);
  CHECK(ring.write(Point{1.5, -2.5}) == Status::ok);

  std::array<std::int16_t, 10> out{};
  for (int i = 0; i < 2; ++i) {
    const auto three = ring.read(std::span(out));
    CHECK(three.status == Status::ok);
    CHECK(three.count == 3);
    CHECK(static_cast<bool>(three));
    CHECK(std::vector<std::int16_t>(out.begin(), out.begin() + 3) == numbers);
  }
  CHECK(ring.read(std::span(out)).count == 2);
  CHECK(ring.read(std::span(out)).count == 2);
  CHECK(out[0] == 8);
  std::array<char, 64> text{};
  auto read = ring.read(std::span(text));
  CHECK(std::string_view(text.data(), read.count) == "text");
  read = ring.read(std::span(text));
  CHECK(std::string_view(text.data(), read.count) == "more text");
  Point point{};
  CHECK(ring.read(point) == Status::ok);
  CHECK(point == Point{1.5, -2.5});
}

TEST_CASE("every size from nothing to a whole node arrives with exactly its bytes") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 150);
  CircularBuffer reader(name);
  bool right = true;
  for (std::size_t size = 0; size <= 150; ++size) {
    std::vector<unsigned char> message(size);
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<unsigned char>(size * 31 + i);
    std::vector<unsigned char> out(150, 0xee);
    right = right && writer.write(message) == Status::ok;
    const auto read = reader.read(std::span(out));
    right = right && read && read.count == size && std::equal(message.begin(), message.end(), out.begin());
    right = right && (size == 150 || out[size] == 0xee);
  }
  CHECK(right);
}

TEST_CASE("an empty message is a message") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 8);
  CHECK(ring.write(std::string_view()) == Status::ok);
  CHECK(ring.write(std::vector<int>()) == Status::ok);
  CHECK(ring.write(std::string_view("x"), no_wait) == Status::timed_out);
  std::array<char, 8> out{};
  const auto first = ring.read(std::span(out));
  CHECK(static_cast<bool>(first));
  CHECK(first.status == Status::ok);
  CHECK(first.count == 0);
  const auto second = ring.read(std::span<char>());
  CHECK(static_cast<bool>(second));
  CHECK(second.count == 0);
  const auto none = ring.read(std::span(out), no_wait);
  CHECK_FALSE(static_cast<bool>(none));
  CHECK(none.status == Status::timed_out);
  CHECK(none.count == 0);
}

TEST_CASE("a message larger than a node is refused at once, also when the ring is full, and leaves nothing behind") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 16);
  const std::array<char, 17> large{};
  for (int fill = 0; fill <= 2; ++fill) {
    // Without a limit of time: on a full ring a refusal that waits for room first would hang.
    auto refused = caught([&] { return ring.write(large, strait::forever); });
    CHECK(refused == Errc::message_too_large);
    CHECK(refused.segment == name.str());
    refused.text.erase(refused.text.find(name.str()), name.str().size());
    CAPTURE(refused.text);
    CHECK(refused.says("17"));
    CHECK(refused.says("16"));
    CHECK(caught([&] { return ring.write(std::vector<double>(3), strait::forever); }) == Errc::message_too_large);
    if (fill < 2) CHECK(ring.write(fill, no_wait) == Status::ok);
  }
  int value = -1;
  CHECK(ring.read(value, no_wait) == Status::ok);
  CHECK(value == 0);
  CHECK(ring.read(value, no_wait) == Status::ok);
  CHECK(value == 1);
  CHECK(ring.read(value, no_wait) == Status::timed_out);
}

TEST_CASE("a message of another size than the type that is read stays where it is") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 16);
  CircularBuffer reader(name);
  CHECK(writer.write(std::int32_t{7}) == Status::ok);
  CHECK(writer.write(std::int64_t{8}) == Status::ok);
  std::int64_t wide = -1;
  auto refused = caught([&] { return reader.read(wide); });
  CHECK(refused == Errc::type_mismatch);
  CHECK(refused.segment == name.str());
  CHECK(wide == -1);
  std::int32_t narrow = -1;
  CHECK(reader.read(narrow, no_wait) == Status::ok);
  CHECK(narrow == 7);
  CHECK(caught([&] { return reader.read(narrow); }) == Errc::type_mismatch);
  CHECK(narrow == 7);
  CHECK(reader.read(wide, no_wait) == Status::ok);
  CHECK(wide == 8);
}

TEST_CASE("an empty message is not mistaken for a value") {
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 16);
  CHECK(ring.write(std::string_view()) == Status::ok);
  int value = -1;
  CHECK(caught([&] { return ring.read(value); }) == Errc::type_mismatch);
  CHECK(value == -1);
  CHECK(static_cast<bool>(ring.read(std::span<char>(), no_wait)));
}

TEST_CASE("a message that does not fit the destination stays where it is") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 64);
  CircularBuffer reader(name);
  CHECK(writer.write(std::string_view("eleven char")) == Status::ok);
  CHECK(writer.write(std::string_view("next")) == Status::ok);
  std::array<char, 10> small{};
  auto refused = caught([&] { return reader.read(std::span(small)).count; });
  CHECK(refused == Errc::buffer_too_small);
  CHECK(refused.segment == name.str());
  refused.text.erase(refused.text.find(name.str()), name.str().size());
  CAPTURE(refused.text);
  CHECK(refused.says("11"));
  CHECK(refused.says("10"));
  CHECK(small == std::array<char, 10>{});
  std::array<std::int16_t, 20> pairs{};
  CHECK(caught([&] { return reader.read(std::span(pairs)).count; }) == Errc::type_mismatch);
  std::array<char, 11> fitting{};
  const auto read = reader.read(std::span(fitting), no_wait);
  CHECK(std::string_view(fitting.data(), read.count) == "eleven char");
  CHECK(reader.read(std::span(fitting), no_wait).count == 4);
}

TEST_CASE("a refused read is not lost to the other readers") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer first(name, 2, 64);
  CircularBuffer second(name);
  CHECK(first.write(std::int64_t{5}) == Status::ok);
  int narrow = 0;
  CHECK(caught([&] { return first.read(narrow); }) == Errc::type_mismatch);
  std::int64_t wide = 0;
  CHECK(second.read(wide) == Status::ok);
  CHECK(wide == 5);
}

TEST_CASE("a long array crosses a ring of small nodes in as many messages as it takes") {
  const Watchdog watchdog;
  NameGuard name("ring");
  constexpr std::size_t total = 88;
  constexpr std::size_t per_node = 3;
  CircularBuffer writer(name, 2, per_node * sizeof(Point));
  CircularBuffer reader(name);
  std::vector<Point> in(total);
  for (std::size_t i = 0; i < total; ++i) in[i] = {static_cast<double>(i), -static_cast<double>(i)};
  std::vector<Point> out(total);
  std::size_t turns = 0;
  std::size_t received = 0;
  for (std::size_t sent = 0; sent < total; sent += per_node, ++turns) {
    CHECK(writer.write(std::span(in).subspan(sent, std::min(per_node, total - sent))) == Status::ok);
    const auto read = reader.read(std::span(out).subspan(received));
    received += read.count;
  }
  CHECK(turns == 30);
  CHECK(received == total);
  CHECK(out == in);
}

TEST_CASE("every handle of a ring may write and read, its own messages too") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer a(name, 4, 8);
  CircularBuffer b(name);
  CircularBuffer c(name);
  CHECK(a.write(1) == Status::ok);
  CHECK(b.write(2) == Status::ok);
  CHECK(c.write(3) == Status::ok);
  int value = 0;
  CHECK(c.read(value) == Status::ok);
  CHECK(value == 1);
  CHECK(a.read(value) == Status::ok);
  CHECK(value == 2);
  CHECK(b.read(value) == Status::ok);
  CHECK(value == 3);
}

TEST_CASE("a handle that comes late reads on where the others are and writes behind them") {
  const Watchdog watchdog;
  const auto before = GENERATE(0, 1, 2, 3, 4, 5, 6, 7);
  NameGuard name("ring");
  CircularBuffer first(name, 3, 8);
  int value = -1;
  for (int i = 0; i < before; ++i) {
    CHECK(first.write(i) == Status::ok);
    CHECK(first.read(value) == Status::ok);
  }
  CHECK(first.write(100) == Status::ok);
  CircularBuffer late(name);
  CHECK(late.write(101, no_wait) == Status::ok);
  CHECK(late.write(102, no_wait) == Status::ok);
  CHECK(late.write(103, no_wait) == Status::timed_out);
  CircularBuffer later(name);
  for (const int expected : {100, 101, 102}) {
    CHECK(later.read(value, no_wait) == Status::ok);
    CHECK(value == expected);
  }
  CHECK(later.read(value, no_wait) == Status::timed_out);
}

TEST_CASE("nodes of every size keep their messages apart") {
  const Watchdog watchdog;
  const auto size = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{47}, std::size_t{48}, std::size_t{49}, std::size_t{64},
                             std::size_t{1000}, std::size_t{1} << 20);
  NameGuard name("ring");
  CircularBuffer writer(name, 3, size);
  CircularBuffer reader(name);
  std::vector<unsigned char> out(size);
  bool right = true;
  for (unsigned round = 0; round < 5; ++round) {
    for (unsigned i = 0; i < 3; ++i) right = right && writer.write(std::vector<unsigned char>(size, static_cast<unsigned char>(round * 3 + i)), no_wait) == Status::ok;
    for (unsigned i = 0; i < 3; ++i) {
      const auto read = reader.read(std::span(out), no_wait);
      right = right && read.count == size && out == std::vector<unsigned char>(size, static_cast<unsigned char>(round * 3 + i));
    }
  }
  CHECK(right);
}

TEST_CASE("a moved ring handle carries on") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer first(name, 2, 8);
  CHECK(first.write(1) == Status::ok);
  CircularBuffer second(std::move(first));
  CHECK(second.is_owner());
  CHECK(second.participants().size() == 1);
  int value = 0;
  CHECK(second.read(value, no_wait) == Status::ok);
  CHECK(value == 1);
  CircularBuffer other(name);
  other = std::move(second);
  CHECK(other.is_owner());
  CHECK(other.participants().size() == 1);
  CHECK(other.write(2, no_wait) == Status::ok);
}
