// What a kill leaves in the words, written by hand, and then mended; at every index and around the wrap of the laps. Each test
// bears the words of the DEATH note in the library that it stands for.

#include "support/catch.hpp"

#include "array_ring.hpp"

#include <cstdint>

using namespace strait;
using namespace strait::test;

namespace {

// As liveness/repair.hpp does it: the nodes, then the counter, unconditionally.
std::uint32_t mend(ArrayRing& ring, layout::Seat dead) {
  const auto given_back = ring.ring.mend(dead);
  ring.words.given_back.fetch_add(1);
  return given_back;
}

// Runs `test` on rings of some sizes, with `older` messages written and read before.
template <class Test>
void everywhere(Test test) {
  for (const std::uint64_t nodes : {2u, 3u, 5u}) {
    for (const Position start : some_starts(nodes)) {
      for (std::uint64_t older = 0; older <= nodes; ++older) {
        ArrayRing ring(nodes, start);
        for (std::uint64_t i = 0; i < older; ++i) {
          REQUIRE(ring.write(1000 + i));
          REQUIRE(ring.read() == 1000 + i);
        }
        test(ring, nodes);
      }
    }
  }
}

void uses_every_node(ArrayRing& ring, std::uint64_t nodes) {
  for (std::uint64_t i = 0; i < nodes; ++i) REQUIRE(ring.write(i));
  CHECK_FALSE(ring.write(99));
  for (std::uint64_t i = 0; i < nodes; ++i) REQUIRE(ring.read() == i);
  CHECK(ring.read() == ArrayRing::nothing);
}

}  // namespace

TEST_CASE("DEATH: a claimed node with nothing in it: the mend skips it") {
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    WriterCursor dead{};
    ring.ring.start(dead);
    const Attempt claimed = ring.ring.try_claim(dead, 5);
    REQUIRE(claimed.found == Found::node);
    REQUIRE(ring.write(1));
    CHECK(ring.read() == ArrayRing::nothing);  // younger than what is not finished
    CHECK(mend(ring, 5) == 0);
    CHECK(ring.word(claimed.at) == NodeWord::of(claimed.at.lap, Phase::skipped));
    CHECK(ring.read() == 1);
    uses_every_node(ring, nodes);
  });
}

TEST_CASE("DEATH: a claimed node with a payload: the mend skips it, the message is not acknowledged") {
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    WriterCursor dead{};
    ring.ring.start(dead);
    const Attempt claimed = ring.ring.try_claim(dead, 5);
    REQUIRE(claimed.found == Found::node);
    ring.payload[claimed.at.index] = 77;
    mend(ring, 5);
    CHECK(ring.read() == ArrayRing::nothing);
    uses_every_node(ring, nodes);
  });
}

TEST_CASE("DEATH: published and nobody woken: a reader finds it when its slice ends") {
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    WriterCursor dead{};
    ring.ring.start(dead);
    const Attempt claimed = ring.ring.try_claim(dead, 5);
    ring.payload[claimed.at.index] = 77;
    ring.ring.publish(claimed.at);
    CHECK(mend(ring, 5) == 0);
    CHECK(ring.read() == 77);
    uses_every_node(ring, nodes);
  });
}

TEST_CASE("DEATH: skipped and nobody woken: readers and writers find it when their slices end") {
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    WriterCursor dead{};
    ring.ring.start(dead);
    const Attempt claimed = ring.ring.try_claim(dead, 5);
    ring.ring.abandon(claimed.at);
    CHECK(mend(ring, 5) == 0);
    REQUIRE(ring.write(1));
    CHECK(ring.read() == 1);
    uses_every_node(ring, nodes);
  });
}

TEST_CASE("DEATH: a message read and not released: the mend gives it back, another reader gets it again") {
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    ReaderCursor dead{};
    ring.ring.start(dead);
    REQUIRE(ring.write(1));
    REQUIRE(ring.write(2));
    const Attempt held = ring.ring.try_take(dead, 5);
    REQUIRE(ring.payload[held.at.index] == 1);
    CHECK(ring.read() == 2);
    CHECK(ring.read() == ArrayRing::nothing);
    CHECK(mend(ring, 5) == 1);
    CHECK(ring.read() == 1);
    CHECK(ring.read() == ArrayRing::nothing);
    uses_every_node(ring, nodes);
  });
}

TEST_CASE("DEATH: free and no writer woken: a writer finds it when its slice ends") {
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    ReaderCursor dead{};
    ring.ring.start(dead);
    for (std::uint64_t i = 0; i < nodes; ++i) REQUIRE(ring.write(i));
    CHECK_FALSE(ring.write(99));
    ring.ring.release(ring.ring.try_take(dead, 5).at);
    CHECK(mend(ring, 5) == 0);
    CHECK(ring.write(nodes));
    for (std::uint64_t i = 1; i <= nodes; ++i) CHECK(ring.read() == i);
  });
}

TEST_CASE("DEATH: published again and nobody woken: a reader finds it when its slice ends") {
  // Killed between the two steps of a put back: the word says published, the counter does not know.
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    ReaderCursor dead{};
    ring.ring.start(dead);
    REQUIRE(ring.write(1));
    const Attempt held = ring.ring.try_take(dead, 5);
    CHECK(ring.read() == ArrayRing::nothing);  // has walked past it
    ring.words.node[held.at.index].store(NodeWord::of(held.at.lap, Phase::published).bits);
    CHECK(ring.read() == ArrayRing::nothing);  // and does not know yet
    CHECK(mend(ring, 5) == 0);                 // nothing to mend, and yet it counts
    CHECK(ring.read() == 1);
    uses_every_node(ring, nodes);
  });
}

TEST_CASE("a mend may be done twice, and a half-done one finished") {
  everywhere([](ArrayRing& ring, std::uint64_t nodes) {
    WriterCursor dead_writer{};
    ReaderCursor dead_reader{};
    ring.ring.start(dead_writer);
    ring.ring.start(dead_reader);
    REQUIRE(ring.write(1));
    REQUIRE(ring.ring.try_claim(dead_writer, 5).found == Found::node);
    const Attempt held = ring.ring.try_take(dead_reader, 5);
    CHECK(ring.read() == ArrayRing::nothing);
    // The mender died after this node and before the counter.
    ring.words.node[held.at.index].store(NodeWord::of(held.at.lap, Phase::published).bits);
    CHECK(mend(ring, 5) == 0);
    CHECK(mend(ring, 5) == 0);
    CHECK(ring.read() == 1);
    CHECK(ring.read() == ArrayRing::nothing);
    uses_every_node(ring, nodes);
  });
}

TEST_CASE("a mend touches nothing of the living") {
  ArrayRing ring(5);
  WriterCursor living_writer{};
  ReaderCursor living_reader{};
  ring.ring.start(living_writer);
  ring.ring.start(living_reader);
  REQUIRE(ring.write(1));
  const Attempt claimed = ring.ring.try_claim(living_writer, 3);
  const Attempt held = ring.ring.try_take(living_reader, 4);
  CHECK(mend(ring, 5) == 0);
  CHECK(ring.word(claimed.at) == NodeWord::of(claimed.at.lap, Phase::claimed, 3));
  CHECK(ring.word(held.at) == NodeWord::of(held.at.lap, Phase::reading, 4));
}
