// Threads with a handle each: several mappings of one segment in one process. A race detector takes the mappings for different
// memory and would report races that are none, hence the tag.

#include "ring_load.hpp"

#include "../support/catch.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

using namespace strait::test;

TEST_CASE("threads with a handle each lose, double and disorder nothing", "[two-mappings]") {
  const Watchdog watchdog(std::chrono::seconds(100));
  const auto load = GENERATE(Load{1, 1, 4}, Load{4, 1, 8}, Load{1, 4, 8}, Load{3, 3, 2}, Load{4, 4, 64});
  CAPTURE(load.writers, load.readers, load.nodes);
  NameGuard name("load");
  strait::CircularBuffer owner(name, load.nodes, sizeof(Item));
  const auto with_ring = [&](auto&& use) {
    strait::CircularBuffer ring(name);
    use(ring);
  };
  CHECK(run(load, with_ring, [&] { owner.close(); }) == "");
}

TEST_CASE("threads with a handle each that claim and drop, take and put back, lose and double nothing", "[two-mappings]") {
  const Watchdog watchdog(std::chrono::seconds(100));
  auto load = GENERATE(Load{1, 1, 3}, Load{2, 2, 2}, Load{3, 3, 5}, Load{1, 4, 8});
  load.storms = true;
  CAPTURE(load.writers, load.readers, load.nodes);
  NameGuard name("load");
  strait::CircularBuffer owner(name, load.nodes, sizeof(Item));
  const auto with_ring = [&](auto&& use) {
    strait::CircularBuffer ring(name);
    use(ring);
  };
  CHECK(run(load, with_ring, [&] { owner.close(); }) == "");
}

TEST_CASE("handles that come and go in the middle of the traffic disturb nobody", "[two-mappings]") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard name("load");
  strait::CircularBuffer owner(name, 5, sizeof(Item));
  std::atomic<bool> done{false};
  Workers visitors;
  visitors.run([&] {
    while (!done) {
      strait::CircularBuffer visitor(name);
      // Each visitor has its hand in the ring when it leaves.
      const auto claim = visitor.claim(strait::no_wait);
      if (auto message = visitor.take(strait::no_wait)) message.put_back();
    }
  });
  const auto with_ring = [&](auto&& use) {
    strait::CircularBuffer ring(name);
    use(ring);
  };
  Load load{2, 2, 5};
  load.in_order = false;  // a message that was put back may come after younger ones
  CHECK(run(load, with_ring, [&] {
          done = true;
          const auto visitors_failed = visitors.join();
          if (!visitors_failed.empty()) throw std::runtime_error(visitors_failed);
          owner.close();
        }) == "");
}
