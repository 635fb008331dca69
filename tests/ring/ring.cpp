// The ring with one thread: order, capacity, wrap, newcomers, give-backs, exclusive sides.

#include "support/catch.hpp"

#include "array_ring.hpp"

#include <cstdint>
#include <vector>

using namespace strait;
using namespace strait::test;

TEST_CASE("messages come out in the order they went in, at every size and around the wrap of the laps") {
  for (const std::uint64_t nodes : {2u, 3u, 5u, 64u}) {
    for (const Position start : some_starts(nodes)) {
      ArrayRing ring(nodes, start);
      std::uint64_t written = 0, read = 0;
      // Never full, full, empty, and everything in between, several laps long.
      for (std::uint64_t burst = 1; written < 20 * nodes; burst = burst % nodes + 1) {
        for (std::uint64_t i = 0; i < burst; ++i) REQUIRE(ring.write(written++));
        for (std::uint64_t i = 0; i < burst; ++i) REQUIRE(ring.read() == read++);
      }
      CHECK(ring.read() == ArrayRing::nothing);
      CHECK(ring.words.outside == 0);
    }
  }
}

TEST_CASE("N nodes hold N messages") {
  for (const std::uint64_t nodes : {2u, 3u, 5u, 64u}) {
    for (const Position start : some_starts(nodes)) {
      ArrayRing ring(nodes, start);
      for (std::uint64_t i = 0; i < nodes; ++i) REQUIRE(ring.write(i));
      CHECK_FALSE(ring.write(99));
      CHECK(ring.ring.try_claim(ring.writer, 0).found == Found::none);
      CHECK(ring.ring.approximate_size() == nodes);
      CHECK(ring.read() == 0);
      CHECK(ring.write(nodes));
      CHECK_FALSE(ring.write(99));
    }
  }
}

TEST_CASE("more than 65,536 nodes need more bits for the index and lose nothing") {
  const std::uint64_t nodes = 65'536 + 3;
  for (const Position start : {Position{0, 0}, Position{(std::uint64_t{1} << 40), nodes - 2}}) {
    ArrayRing ring(nodes, start);
    for (std::uint64_t i = 0; i < nodes; ++i) REQUIRE(ring.write(i));
    CHECK_FALSE(ring.write(0));
    for (std::uint64_t i = 0; i < nodes; ++i) REQUIRE(ring.read() == i);
    CHECK(ring.write(7));
    CHECK(ring.read() == 7);
    WriterCursor newcomer{};
    ring.ring.start(newcomer);
    CHECK(ring.ring.try_claim(newcomer, 2).found == Found::node);
  }
}

TEST_CASE("a newcomer finds the frontier, and the oldest message, wherever the ring is") {
  for (const std::uint64_t nodes : {2u, 3u, 5u}) {
    for (const Position start : some_starts(nodes)) {
      for (std::uint64_t written = 0; written <= 3 * nodes; ++written) {
        for (std::uint64_t left = 0; left <= nodes && left <= written; ++left) {
          ArrayRing ring(nodes, start);
          std::uint64_t read = 0;
          for (std::uint64_t i = 0; i < written; ++i) {
            if (i - read == nodes) REQUIRE(ring.read() == read++);
            REQUIRE(ring.write(i));
          }
          while (written - read > left) REQUIRE(ring.read() == read++);
          const std::uint64_t held = written - read;
          WriterCursor writer{};
          ReaderCursor reader{};
          ring.ring.start(writer);
          ring.ring.start(reader);
          const Attempt claimed = ring.ring.try_claim(writer, 2);
          CHECK((claimed.found == Found::node) == (held < nodes));
          if (claimed.found == Found::node) {
            Position expected = start;
            for (std::uint64_t i = 0; i < written; ++i) expected = ring.ring.geometry().next(expected);
            CHECK(claimed.at == expected);
          }
          const Attempt taken = ring.ring.try_take(reader, 3);
          CHECK((taken.found == Found::node) == (held > 0));
          if (taken.found == Found::node) CHECK(ring.payload[taken.at.index] == read);
        }
      }
    }
  }
}

TEST_CASE("an old cursor is a valid cursor") {
  for (const std::uint64_t nodes : {2u, 3u, 5u}) {
    for (const Position start : some_starts(nodes)) {
      ArrayRing ring(nodes, start);
      WriterCursor old_writer{};
      ReaderCursor old_reader{};
      old_writer.hint.store(ring.writer.hint.load());
      old_reader.hint.store(ring.reader.hint.load());
      for (std::uint64_t i = 0; i < 10 * nodes + 1; ++i) {
        REQUIRE(ring.write(i));
        if (i < 10 * nodes) REQUIRE(ring.read() == i);
      }
      const Attempt taken = ring.ring.try_take(old_reader, 2);
      REQUIRE(taken.found == Found::node);
      CHECK(ring.payload[taken.at.index] == 10 * nodes);
      CHECK(ring.ring.try_claim(old_writer, 3).found == Found::node);
    }
  }
}

TEST_CASE("an abandoned node is stepped over by readers, or used by the writer a lap later") {
  for (const std::uint64_t nodes : {2u, 3u, 5u}) {
    for (const Position start : some_starts(nodes)) {
      ArrayRing ring(nodes, start);
      REQUIRE(ring.write(1));
      const Attempt given_up = ring.ring.try_claim(ring.writer, 0);
      REQUIRE(given_up.found == Found::node);
      ring.ring.abandon(given_up.at);
      for (std::uint64_t i = 2; i < nodes; ++i) REQUIRE(ring.write(i));
      // The skipped node keeps its place until what is older was read.
      CHECK_FALSE(ring.write(99));
      CHECK(ring.read() == 1);
      CHECK(ring.write(nodes));
      CHECK(ring.write(nodes + 1));  // in the node that was skipped, before any reader stepped over it
      CHECK(ring.word(given_up.at) == NodeWord::of(given_up.at.lap + 1, Phase::published));
      for (std::uint64_t i = 2; i < nodes + 2; ++i) CHECK(ring.read() == i);

      const Attempt again = ring.ring.try_claim(ring.writer, 0);
      ring.ring.abandon(again.at);
      CHECK(ring.read() == ArrayRing::nothing);
      CHECK(ring.word(again.at) == NodeWord::of(again.at.lap + 1, Phase::free));
    }
  }
}

TEST_CASE("empty with a claim at the head is unfinished: it may yet be published") {
  ArrayRing ring(3);
  CHECK(ring.ring.try_take(ring.reader, 1).found == Found::none);
  const Attempt claimed = ring.ring.try_claim(ring.writer, 0);
  CHECK(ring.ring.try_take(ring.reader, 1).found == Found::unfinished);
  REQUIRE(ring.write(2));  // younger, and published: it waits for its turn
  CHECK(ring.ring.try_take(ring.reader, 1).found == Found::unfinished);
  ring.payload[claimed.at.index] = 1;
  ring.ring.publish(claimed.at);
  CHECK(ring.read() == 1);
  CHECK(ring.read() == 2);
}

TEST_CASE("a message that was put back is the next one that this handle takes, and the oldest one for others") {
  for (const std::uint64_t nodes : {2u, 3u, 5u}) {
    for (const Position start : some_starts(nodes)) {
      ArrayRing ring(nodes, start);
      ReaderCursor other{};
      other.hint.store(ring.reader.hint.load());
      REQUIRE(ring.write(1));
      REQUIRE(ring.write(2));
      const Attempt first = ring.ring.try_take(ring.reader, 1);
      const Attempt second = ring.ring.try_take(other, 2);
      REQUIRE(second.found == Found::node);
      CHECK(ring.payload[second.at.index] == 2);
      ring.ring.release(second.at);
      CHECK(ring.ring.try_take(other, 2).found == Found::none);
      ring.ring.put_back(ring.reader, first.at);
      // The other has walked past it and finds it by the counter.
      const Attempt again = ring.ring.try_take(other, 2);
      REQUIRE(again.found == Found::node);
      CHECK(again.at == first.at);
      ring.ring.put_back(other, again.at);
      CHECK(ring.read() == 1);
      CHECK(ring.ring.try_take(other, 2).found == Found::none);
      CHECK(ring.read() == ArrayRing::nothing);
    }
  }
}

TEST_CASE("several messages put back come again oldest first") {
  for (const Position start : some_starts(5)) {
    ArrayRing ring(5, start);
    std::vector<Position> held;
    for (std::uint64_t i = 0; i < 5; ++i) REQUIRE(ring.write(i));
    for (int i = 0; i < 4; ++i) held.push_back(ring.ring.try_take(ring.reader, 1).at);
    for (const std::size_t i : {2u, 0u, 3u, 1u}) ring.ring.put_back(ring.reader, held[i]);
    for (std::uint64_t i = 0; i < 5; ++i) CHECK(ring.read() == i);
  }
}

TEST_CASE("claims may be published and messages released in any order") {
  ArrayRing ring(3, {layout::lap_mask, 2});
  std::vector<Position> claims;
  for (int i = 0; i < 3; ++i) claims.push_back(ring.ring.try_claim(ring.writer, 0).at);
  for (const std::size_t i : {2u, 0u, 1u}) {
    ring.payload[claims[i].index] = i;
    ring.ring.publish(claims[i]);
  }
  std::vector<Position> takes;
  for (std::uint64_t i = 0; i < 3; ++i) {
    takes.push_back(ring.ring.try_take(ring.reader, 1).at);
    CHECK(ring.payload[takes.back().index] == i);
  }
  ring.ring.release(takes[2]);
  ring.ring.release(takes[1]);
  CHECK_FALSE(ring.write(9));  // the oldest position is not released
  ring.ring.release(takes[0]);
  for (int i = 0; i < 3; ++i) CHECK(ring.write(9));
}

TEST_CASE("exclusive sides find the same nodes without a store") {
  for (const std::uint64_t nodes : {2u, 3u}) {
    for (const Position start : some_starts(nodes)) {
      ArrayRing ring(nodes, start);
      for (std::uint64_t i = 0; i < 6 * nodes; ++i) {
        const Attempt found = ring.ring.find_free(ring.writer);
        REQUIRE(found.found == Found::node);
        CHECK(ring.word(found.at) == NodeWord::of(found.at.lap, Phase::free));
        if (i % 3 == 1) {  // given up, and found again
          ring.ring.look_back(ring.writer, found.at);
          CHECK(ring.ring.find_free(ring.writer).at == found.at);
        }
        ring.payload[found.at.index] = i;
        ring.ring.publish(found.at);
        const Attempt message = ring.ring.find_published(ring.reader);
        REQUIRE(message.found == Found::node);
        CHECK(ring.word(message.at) == NodeWord::of(message.at.lap, Phase::published));
        CHECK(ring.payload[message.at.index] == i);
        if (i % 3 == 2) {
          ring.ring.look_back(ring.reader, message.at);
          CHECK(ring.ring.find_published(ring.reader).at == message.at);
        }
        ring.ring.release(message.at);
      }
    }
  }
}

TEST_CASE("an exclusive side marks what it holds before it takes more") {
  ArrayRing ring(3, {layout::lap_mask, 2});
  const Attempt one = ring.ring.find_free(ring.writer);
  ring.ring.mark_claimed(one.at, 0);
  CHECK(ring.word(one.at) == NodeWord::of(one.at.lap, Phase::claimed, 0));
  const Attempt two = ring.ring.try_claim(ring.writer, 0);
  CHECK(two.at == ring.ring.geometry().next(one.at));
  ring.ring.publish(two.at);
  ring.ring.publish(one.at);
  const Attempt first = ring.ring.find_published(ring.reader);
  CHECK(first.at == one.at);
  ring.ring.mark_reading(first.at, 1);
  CHECK(ring.word(first.at) == NodeWord::of(first.at.lap, Phase::reading, 1));
  const Attempt second = ring.ring.try_take(ring.reader, 1);
  CHECK(second.at == two.at);
  ring.ring.release(second.at);
  ring.ring.put_back(ring.reader, first.at);
  CHECK(ring.ring.find_published(ring.reader).at == first.at);
}

TEST_CASE("a message can be withdrawn until somebody takes it") {
  ArrayRing ring(2);
  REQUIRE(ring.write(1));
  CHECK(ring.ring.withdraw({0, 0}));
  CHECK(ring.read() == ArrayRing::nothing);
  REQUIRE(ring.write(2));
  REQUIRE(ring.ring.try_take(ring.reader, 1).found == Found::node);
  CHECK_FALSE(ring.ring.withdraw({0, 1}));
  ring.ring.release({0, 1});
  CHECK_FALSE(ring.ring.withdraw({0, 1}));
}

TEST_CASE("a lap visits every node once, in an order that past() knows, in rings of every size") {
  for (const std::uint64_t nodes : {2u, 3u, 63u, 64u, 65u, 97u, 633u, 1000u, 1024u, 1025u, 65'537u}) {
    INFO(nodes << " nodes");
    const ring::Geometry geometry(nodes);
    std::vector<bool> visited(nodes, false);
    Position at{layout::lap_mask, 0};
    for (std::uint64_t step = 0; step < nodes; ++step) {
      REQUIRE(at.lap == layout::lap_mask);
      REQUIRE_FALSE(visited[at.index]);
      visited[at.index] = true;
      const Position next = geometry.next(at);
      if (nodes < 1000) {
        REQUIRE(geometry.past(next, at));
        REQUIRE_FALSE(geometry.past(at, next));
      }
      at = next;
    }
    CHECK(at == Position{0, 0});
  }
}

TEST_CASE("positions go round after the last index and after the last lap") {
  const ring::Geometry geometry(3);
  CHECK(geometry.next({4, 1}) == Position{4, 2});
  CHECK(geometry.next({4, 2}) == Position{5, 0});
  CHECK(geometry.next({layout::lap_mask, 2}) == Position{0, 0});
  CHECK(ring::Geometry::lap_back({0, 1}) == Position{layout::lap_mask, 1});
  CHECK(ring::Geometry::laps_on({layout::lap_mask, 1}, 3) == Position{2, 1});
  CHECK(geometry.past({5, 0}, {4, 2}));
  CHECK(geometry.past({4, 2}, {4, 1}));
  CHECK_FALSE(geometry.past({4, 1}, {4, 1}));
  CHECK_FALSE(geometry.past({4, 1}, {5, 0}));
  CHECK(geometry.past({0, 0}, {layout::lap_mask, 2}));
  CHECK_FALSE(geometry.past({layout::lap_mask, 2}, {0, 0}));
  for (const std::uint64_t nodes : {2u, 65'536u, 65'537u, 1u << 20}) {
    const ring::Geometry any(nodes);
    const Position at{std::uint64_t{1} << 40, nodes - 1};
    CHECK(any.unpack(any.pack(at)) == at);
  }
}
