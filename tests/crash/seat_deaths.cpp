// A participant dies while it sits down, gets up, or mends another that died: the next one finishes what it began.

#include "crash.hpp"

using namespace strait::test;
using namespace strait::test::crash;
using strait::CircularBuffer;
using strait::Errc;
using strait::forever;
using strait::RingOptions;
using strait::Status;

namespace {

RingOptions seats(std::uint32_t count) {
  RingOptions options;
  options.max_participants = count;
  return options;
}

constexpr const char* points_of_repair[] = {"repair: seat taken", "repair: contents mended", "repair: all awake"};

// A party that has died with the ring's first message in its hands and a claim on the place behind it.
void die_with_hands_full(Stage& stage) {
  CHECK(stage.ring().write(100) == Status::ok);
  Child child = poised(stage.name(), {"open", "take", "claim", "poise", "pause"});
  child.kill();
  child.wait();
}

// The mender is there before the death and dies in its next look; the survivor that waits afterwards mends both.
void mender_dies(const char* point) {
  at_every_position([&](Stage& stage) {
    Child mender = poised(stage.name(), {"open", "poise", "die=" + std::string(point), "look"});
    die_with_hands_full(stage);
    go(mender);
    CHECK(next(stage.ring()) == "100");
    stage.check_whole();
    stage.check_seats(2);
  });
}

}  // namespace

DEATH_TEST("sit: presence held", "the presence goes with us, the seat is as it was.") {
  const Watchdog watchdog;
  {
    NameGuard name("crash");
    CircularBuffer owner(name, 2, node_size, seats(2));
    for (int i = 0; i < 3; ++i) dies(name, {"die=sit: presence held", "open"});
    CircularBuffer other(name);
    CHECK(owner.participants().size() == 2);
    CHECK(caught([&] { CircularBuffer third(name); }) == Errc::too_many_participants);
  }
  // The seat of one that died with a message in its hands, and another that dies about to take that seat.
  NameGuard name("crash");
  CircularBuffer owner(name, 2, node_size, seats(2));
  CHECK(owner.write(100) == Status::ok);
  Child first = poised(name, {"open", "take", "poise", "pause"});
  first.kill();
  first.wait();
  dies(name, {"die=sit: presence held", "open"});
  CircularBuffer other(name);
  CHECK(next(other) == "100");
}

DEATH_TEST("leave: seat free", "the seat is free already: the presence goes with us.") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer owner(name, 2, node_size, seats(2));
  for (int i = 0; i < 3; ++i) {
    dies(name, {"open", "write=1", "die=leave: seat free", "close"});
    CHECK(owner.participants().size() == 1);
    CircularBuffer other(name);
    CHECK(next(other) == "1");
  }
}

DEATH_TEST("repair: seat taken", "the mender dies before, among or after the contents: the next mender of this seat does them again.") {
  const Watchdog watchdog;
  mender_dies("repair: seat taken");
}

DEATH_TEST("repair: contents mended", "the mender dies after the contents: the next mender of this seat does them again.") {
  const Watchdog watchdog;
  mender_dies("repair: contents mended");
}

DEATH_TEST("repair: all awake", "the mender dies with everybody awake and the seat not yet free: the next mender of this seat does it again.") {
  const Watchdog watchdog;
  mender_dies("repair: all awake");
}

TEST_CASE("a mender that dies while it attaches, and one after it: the third finishes") {
  const Watchdog watchdog;
  for (const char* first : points_of_repair) {
    for (const char* second : points_of_repair) {
      Stage stage(0, 2);
      die_with_hands_full(stage);
      dies(stage.name(), {"die=" + std::string(first), "open"});
      dies(stage.name(), {"die=" + std::string(second), "open"});
      CHECK(next(stage.ring()) == "100");
      stage.check_whole();
      stage.check_seats(2);
    }
  }
}

TEST_CASE("a newcomer that dies while it mends the seat it is about to take leaves it to the next newcomer, or to a survivor") {
  const Watchdog watchdog;
  for (const char* point : points_of_repair) {
    for (const bool by_newcomer : {false, true}) {
      for (int deaths = 1; deaths <= 2; ++deaths) {
        Stage stage(0, 2, seats(3));  // the owner's, the survivor's, and one more
        die_with_hands_full(stage);
        for (int i = 0; i < deaths; ++i) dies(stage.name(), {"die=" + std::string(point), "open"});
        if (by_newcomer) {
          CircularBuffer newcomer(stage.name());
          CHECK(next(newcomer) == "100");
        } else {
          CHECK(next(stage.ring()) == "100");
        }
        stage.check_whole();
        stage.check_seats(2);
      }
    }
  }
}

TEST_CASE("a survivor that sleeps through the death of a mender is woken in its slice and finishes the mend") {
  const Watchdog watchdog;
  for (const char* point : points_of_repair) {
    Stage stage(0, 2);
    die_with_hands_full(stage);
    dies(stage.name(), {"die=" + std::string(point), "open"});
    Child reader = actor(stage.name(), {"open", "read"});
    CHECK(reader.read_line() == "100");
    CHECK(reader.wait().clean());
    stage.check_whole();
    stage.check_seats(2);
  }
}

TEST_CASE("seats of the killed are not lost: many more participants than seats, each killed with its hands full") {
  const Watchdog watchdog;
  Stage stage(0, 0, seats(4));
  for (int i = 0; i < 20; ++i) {
    CHECK(stage.ring().write(i) == Status::ok);
    Child child = poised(stage.name(), {"open", "take", "claim", "poise", "pause"});
    child.kill();
    child.wait();
    CHECK(next(stage.ring()) == std::to_string(i));
  }
  stage.check_whole();
  stage.check_seats(2);
}
