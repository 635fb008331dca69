// Several threads on one handle of a ring: one mapping, so that a race detector sees everything.

#include "ring_load.hpp"

#include "../support/catch.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

using namespace strait::test;

TEST_CASE("threads on one handle of a ring lose, double and disorder nothing") {
  const Watchdog watchdog(std::chrono::seconds(100));
  const auto load = GENERATE(Load{1, 1, 4}, Load{4, 1, 8}, Load{1, 4, 8}, Load{3, 3, 2}, Load{4, 4, 64});
  CAPTURE(load.writers, load.readers, load.nodes);
  NameGuard name("load");
  strait::CircularBuffer ring(name, load.nodes, sizeof(Item));
  CHECK(run(load, [&](auto&& use) { use(ring); }, [&] { ring.close(); }) == "");
}

TEST_CASE("threads on one handle that claim and drop, take and put back, lose and double nothing") {
  const Watchdog watchdog(std::chrono::seconds(100));
  auto load = GENERATE(Load{1, 1, 3}, Load{2, 2, 2}, Load{3, 3, 5}, Load{1, 4, 8});
  load.storms = true;
  CAPTURE(load.writers, load.readers, load.nodes);
  NameGuard name("load");
  strait::CircularBuffer ring(name, load.nodes, sizeof(Item));
  CHECK(run(load, [&](auto&& use) { use(ring); }, [&] { ring.close(); }) == "");
}

TEST_CASE("one writing and one reading thread on one handle of a ring with exclusive sides lose nothing") {
  const Watchdog watchdog(std::chrono::seconds(100));
  const bool one_writer = GENERATE(true, false);
  const bool one_reader = GENERATE(true, false);
  const bool storms = GENERATE(false, true);
  CAPTURE(one_writer, one_reader, storms);
  Load load{1, 1, 3};
  load.storms = storms;
  load.messages /= 4;
  strait::RingOptions options;
  if (one_writer) options.writers = strait::Sharing::one;
  if (one_reader) options.readers = strait::Sharing::one;
  NameGuard name("load");
  strait::CircularBuffer ring(name, load.nodes, sizeof(Item), options);
  CHECK(run(load, [&](auto&& use) { use(ring); }, [&] { ring.close(); }) == "");
}
