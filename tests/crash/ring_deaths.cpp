// A writer or reader of a ring dies at each named point: what the survivors see, with the head at every node, with survivors
// that sleep through the death and survivors that come afterwards.

#include "crash.hpp"

using namespace strait::test;
using namespace strait::test::crash;
using strait::CircularBuffer;
using strait::forever;
using strait::no_wait;
using strait::RingOptions;
using strait::Sharing;
using strait::Status;

namespace {

RingOptions one_writer() {
  RingOptions options;
  options.writers = Sharing::one;
  return options;
}

RingOptions one_reader() {
  RingOptions options;
  options.readers = Sharing::one;
  return options;
}

void fill(CircularBuffer& ring, int first) {
  for (int i = 0; i < static_cast<int>(nodes); ++i) REQUIRE(ring.write(first + i, no_wait) == Status::ok);
}

}  // namespace

// ---- writers -----------------------------------------------------------------------------------------------------------

DEATH_TEST("claim: claimed", "a claimed node with nothing in it: the mend skips it.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    at_every_position([&](Stage& stage) {
      Survivor reader(stage, asleep, "read");
      dies(stage.name(), {"open", "die=claim: claimed", "claim"});
      CHECK(stage.ring().write(2) == Status::ok);
      CHECK(reader.result() == "2");
      stage.check_whole();
      stage.check_seats(2);
    });
  }
}

DEATH_TEST("publish: payload written", "a claimed node with a payload: the mend skips it, the message is not acknowledged. (Exclusive: nothing is left.)") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    at_every_position([&](Stage& stage) {
      Survivor reader(stage, asleep, "read");
      dies(stage.name(), {"open", "die=publish: payload written", "write=100"});
      CHECK(stage.ring().write(2) == Status::ok);
      CHECK(reader.result() == "2");
      stage.check_whole();
      stage.check_seats(2);
    });
  }
  at_every_position(
      [](Stage& stage) {
        dies(stage.name(), {"open", "die=publish: payload written", "write=100"});
        // The side passes on; the node was never marked.
        CHECK(stage.ring().write(2) == Status::ok);
        CHECK(next(stage.ring()) == "2");
        stage.check_whole();
      },
      one_writer());
}

DEATH_TEST("publish: published", "published and nobody woken: a reader finds it when its slice ends.") {
  const Watchdog watchdog;
  for (const RingOptions& options : {RingOptions{}, one_writer()}) {
    for (const bool asleep : {false, true}) {
      at_every_position(
          [&](Stage& stage) {
            Survivor reader(stage, asleep, "read");
            dies(stage.name(), {"open", "die=publish: published", "write=100"});
            CHECK(reader.result() == "100");
            stage.check_whole();
            stage.check_seats(2);
          },
          options);
    }
  }
}

DEATH_TEST("abandon: skipped", "skipped and nobody woken: readers and writers find it when their slices end.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    at_every_position([&](Stage& stage) {
      Child writer = poised(stage.name(), {"open", "claim", "poise", "die=abandon: skipped", "abandon"});
      CHECK(stage.ring().write(2) == Status::ok);
      Survivor reader(stage, asleep, "read");
      go(writer);
      CHECK(reader.result() == "2");
      stage.check_whole();
    });
    at_every_position([&](Stage& stage) {
      Child writer = poised(stage.name(), {"open", "claim", "poise", "die=abandon: skipped", "abandon"});
      for (int i = 1; i < static_cast<int>(nodes); ++i) CHECK(stage.ring().write(i, no_wait) == Status::ok);
      CHECK(stage.ring().write(99, no_wait) == Status::timed_out);
      Survivor other(stage, asleep, "write=9");
      go(writer);
      CHECK(other.result() == "written");
      CHECK(drain(stage.ring()) == std::vector<int>{1, 2, 9});
      stage.check_whole();
    });
  }
}

TEST_CASE("every claim of a writer that dies is skipped, those of the living stay: however many it had, in whatever places") {
  const Watchdog watchdog;
  for (const RingOptions& options : {RingOptions{}, one_writer()}) {
    at_every_position(
        [](Stage& stage) {
          Child writer = poised(stage.name(), {"open", "claim", "claim", "claim", "publish=1", "poise", "pause"});
          CHECK(next(stage.ring()) == "1");
          writer.kill();
          writer.wait();
          CHECK(stage.ring().write(5, forever) == Status::ok);
          CHECK(next(stage.ring()) == "5");
          stage.check_whole();
        },
        options);
  }
}

// ---- readers -----------------------------------------------------------------------------------------------------------

DEATH_TEST("release: message read", "a message read and not released: the mend gives it back, another reader gets it again.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    at_every_position([&](Stage& stage) {
      CHECK(stage.ring().write(100) == Status::ok);
      Child reader = poised(stage.name(), {"open", "take", "poise", "die=release: message read", "release"});
      Survivor other(stage, asleep, "read");
      go(reader);
      CHECK(other.result() == "100");
      stage.check_whole();
      stage.check_seats(2);
    });
  }
  // The same through the copying form, with younger messages around it: none of them is lost or given twice.
  at_every_position([](Stage& stage) {
    fill(stage.ring(), 100);
    dies(stage.name(), {"open", "die=release: message read", "read"});
    std::vector<std::string> got;
    for (std::uint64_t i = 0; i < nodes; ++i) got.push_back(next(stage.ring()));
    std::ranges::sort(got);
    CHECK(got == std::vector<std::string>{"100", "101", "102"});
    stage.check_whole();
  });
  at_every_position(
      [](Stage& stage) {
        fill(stage.ring(), 100);
        dies(stage.name(), {"open", "die=release: message read", "read"});
        // The side passes on, and what its last owner had not released comes first.
        for (const char* expected : {"100", "101", "102"}) CHECK(next(stage.ring()) == expected);
        stage.check_whole();
      },
      one_reader());
}

DEATH_TEST("release: free", "free and no writer woken: a writer finds it when its slice ends.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    at_every_position([&](Stage& stage) {
      fill(stage.ring(), 100);
      Child reader = poised(stage.name(), {"open", "take", "poise", "die=release: free", "release"});
      Survivor writer(stage, asleep, "write=9");
      go(reader);
      CHECK(writer.result() == "written");
      CHECK(drain(stage.ring()) == std::vector<int>{101, 102, 9});
      stage.check_whole();
      stage.check_seats(2);
    });
  }
}

DEATH_TEST("put back: published", "published again and nobody woken: a reader finds it when its slice ends.") {
  const Watchdog watchdog;
  for (const bool asleep : {false, true}) {
    at_every_position([&](Stage& stage) {
      CHECK(stage.ring().write(100) == Status::ok);
      Child reader = poised(stage.name(), {"open", "take", "poise", "die=put back: published", "put_back"});
      Survivor other(stage, asleep, "read");
      go(reader);
      CHECK(other.result() == "100");
      stage.check_whole();
      stage.check_seats(2);
    });
  }
}

TEST_CASE("every message that a reader holds when it dies is given back: however many it had, in whatever places") {
  const Watchdog watchdog;
  for (const RingOptions& options : {RingOptions{}, one_reader()}) {
    at_every_position(
        [](Stage& stage) {
          fill(stage.ring(), 100);
          Child reader = poised(stage.name(), {"open", "take", "take", "take", "poise", "pause"});
          reader.kill();
          reader.wait();
          for (const char* expected : {"100", "101", "102"}) CHECK(next(stage.ring()) == expected);
          stage.check_whole();
        },
        options);
  }
}

TEST_CASE("writers and readers that all die at once leave the survivor every published message and every node") {
  const Watchdog watchdog;
  at_every_position([](Stage& stage) {
    CHECK(stage.ring().write(100) == Status::ok);
    Child reader = poised(stage.name(), {"open", "take", "poise", "pause"});
    Child writer = poised(stage.name(), {"open", "claim", "poise", "pause"});
    Child other = poised(stage.name(), {"open", "claim", "publish=102", "poise", "pause"});
    for (Child* child : {&reader, &writer, &other}) child->kill();
    for (Child* child : {&reader, &writer, &other}) child->wait();
    std::vector<std::string> got{next(stage.ring()), next(stage.ring())};
    std::ranges::sort(got);
    CHECK(got == std::vector<std::string>{"100", "102"});
    stage.check_whole();
    stage.check_seats(2);
  });
}

// ---- the owner ---------------------------------------------------------------------------------------------------------

DEATH_TEST("close: closed", "closed and nobody woken: sleepers see it when their slice ends.") {
  const Watchdog watchdog;
  for (const bool full : {false, true}) {
    NameGuard name("crash");
    Child owner = poised(name, {"create", "poise", "die=close: closed", "close"});
    CircularBuffer ring(name);
    if (full) fill(ring, 100);
    Child asleep = sleeper(name, {"open", "say=ready", full ? "write=9" : "read"});
    go(owner);
    CHECK(asleep.read_line() == "closed");
    CHECK(asleep.wait().clean());
    CHECK(ring.shutting_down());
    CHECK(ring.write(1) == Status::closed);
    if (full) CHECK(drain(ring) == std::vector<int>{100, 101, 102});
    CHECK(next(ring) == "closed");
  }
}

TEST_CASE("the owner is killed: the others go on among themselves, and the last one is told that it is alone") {
  const Watchdog watchdog;
  NameGuard name("crash");
  Child owner = poised(name, {"create", "poise", "pause"});
  CircularBuffer writer(name);
  std::optional<CircularBuffer> reader(std::in_place, name);
  owner.kill();
  owner.wait();
  CHECK(writer.write(1) == Status::ok);
  CHECK(next(*reader) == "1");
  CHECK_FALSE(writer.shutting_down());
  CHECK(writer.write(2) == Status::ok);
  reader.reset();
  CHECK(next(writer) == "2");
  CHECK(next(writer) == "peer_lost");
}
