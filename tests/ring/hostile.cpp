// Words that make no sense, because somebody scribbled over them: every call ends, and never looks outside the ring.

#include "support/catch.hpp"
#include "support/watchdog.hpp"

#include "array_ring.hpp"

#include <cstdint>
#include <random>

using namespace strait;
using namespace strait::test;

namespace {

std::mt19937_64& random_source() {
  static std::mt19937_64 source;
  return source;
}

// A word that is likely to lead somewhere: any phase (also those that do not exist), a lap near the ring's or anywhere.
std::uint64_t scribble() {
  auto& random = random_source();
  const std::uint64_t bits = random();
  switch (bits % 4) {
    case 0: return random();
    case 1: return (bits & 0xFFFF) | (random() % 8) << 16;
    default: return (bits & 0xFFFF) | (layout::lap_mask - random() % 4) << 16;
  }
}

void scribble_over_one(ArrayMemory::Words& words) {
  if (random_source()() % 3 == 0) words.node[random_source()() % words.node.size()].store(scribble());
  if (random_source()() % 16 == 0) words.given_back.store(random_source()() % 4);
}

void call_everything(ArrayRing& ring) {
  for (int round = 0; round < 4; ++round) {
    Attempt attempt = ring.ring.try_claim(ring.writer, 0);
    if (attempt.found == Found::node) (round % 2 == 0) ? ring.ring.publish(attempt.at) : ring.ring.abandon(attempt.at);
    attempt = ring.ring.find_free(ring.writer);
    if (attempt.found == Found::node) {
      ring.ring.mark_claimed(attempt.at, 0);
      static_cast<void>(ring.ring.withdraw(attempt.at));
    }
    attempt = ring.ring.try_take(ring.reader, 1);
    if (attempt.found == Found::node) (round % 2 == 0) ? ring.ring.release(attempt.at) : ring.ring.put_back(ring.reader, attempt.at);
    attempt = ring.ring.find_published(ring.reader);
    if (attempt.found == Found::node) ring.ring.mark_reading(attempt.at, 1);
    ring.ring.start(ring.writer);
    ring.ring.start(ring.reader);
    static_cast<void>(ring.ring.mend(static_cast<layout::Seat>(random_source()() % 8192)));
    static_cast<void>(ring.ring.approximate_size());
  }
}

}  // namespace

TEST_CASE("whatever the words say, every call ends inside the ring") {
  const test::Watchdog watchdog;
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  random_source().seed(seed);
  for (int run = 0; run < 3000; ++run) {
    const std::uint64_t nodes = 2 + random_source()() % 6;
    ArrayRing ring(nodes, {layout::lap_mask, nodes - 1});
    for (auto& word : ring.words.node) word.store(scribble());
    ring.words.given_back.store(random_source()());
    call_everything(ring);
    REQUIRE(ring.words.outside == 0);
  }
}

TEST_CASE("whatever somebody keeps scribbling meanwhile, every call ends inside the ring") {
  const test::Watchdog watchdog;
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  random_source().seed(seed);
  for (int run = 0; run < 300; ++run) {
    ArrayRing ring(2 + random_source()() % 6);
    ring.words.disturb = scribble_over_one;
    call_everything(ring);
    REQUIRE(ring.words.outside == 0);
  }
}

TEST_CASE("a call that gets nowhere says contended") {
  ArrayRing ring(2);
  // The word is a lap newer at every look: a walk that would never end.
  ring.words.disturb = [](ArrayMemory::Words& words) {
    for (auto& word : words.node) word.store(NodeWord::of(words.looks, Phase::claimed, 1).bits);
  };
  CHECK(ring.ring.try_claim(ring.writer, 0).found == Found::contended);
  ring.words.disturb = [](ArrayMemory::Words& words) {
    for (auto& word : words.node) word.store(NodeWord::of(5 * words.looks, Phase::free).bits);
  };
  CHECK(ring.ring.try_take(ring.reader, 0).found == Found::contended);
  CHECK(ring.words.outside == 0);
}
