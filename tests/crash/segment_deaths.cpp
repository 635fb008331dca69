// A creator, opener or sweeper dies at each named point: what the next one finds under the name. Whatever is left may be swept by
// any process of this user that opens anything, so no test here looks at what is left, only at what the next party gets.

#include "crash.hpp"

using namespace strait::test;
using namespace strait::test::crash;
using strait::CircularBuffer;
using strait::Errc;
using strait::open_or_create;
using strait::Status;

namespace {

constexpr const char* points_of_creation[] = {"open: object open",     "open: exclusive",   "create: header written",
                                              "create: pages reserved", "create: filled in", "create: ready"};

void use(CircularBuffer& ring) {
  int out = 0;
  CHECK(ring.write(7) == Status::ok);
  CHECK(ring.read(out) == Status::ok);
  CHECK(out == 7);
}

// A creator dies at `point`: the next opener finds nothing, the next creator finds nothing in its way, and everything is gone
// when it closes.
void creator_dies(const char* point) {
  const Watchdog watchdog;
  for (const char* verb : {"create", "join"}) {
    const std::vector<std::string> script{"die=" + std::string(point), verb};
    {
      NameGuard name("crash");
      dies(name, script);
      CHECK(caught([&] { CircularBuffer opener(name); }) == Errc::not_found);
      CHECK(caught([&] { CircularBuffer opener(name); }) == Errc::not_found);
    }
    {
      NameGuard name("crash");
      dies(name, script);
      CircularBuffer creator(name, nodes, node_size);
      CHECK(creator.is_owner());
      use(creator);
    }
    {
      NameGuard name("crash");
      dies(name, script);
      dies(name, script);  // the next creator dies at the same point
      CircularBuffer either(open_or_create, name, 5, 32);  // of other sizes than the dead one's
      CHECK(either.node_count() == 5);
      CHECK(either.is_owner());
      use(either);
    }
  }
}

// The same, with parties that wait for the creator: it stands still at the point, and is killed under their eyes.
void creator_is_killed_before_waiters(const char* point) {
  NameGuard name("crash");
  Child creator = actor(name, {"stop=" + std::string(point), "create"});
  eventually([&] { return shm_exists(name); });
  creator.stop();  // wherever it is by now: at the point, at the latest
  Child opener = actor(name, {"say=ready", "try_open"});
  Child joiner = actor(name, {"say=ready", "join", "write=1", "poise"});
  CHECK(opener.read_line() == "ready");
  CHECK(joiner.read_line() == "ready");
  until_asleep(joiner);
  creator.kill();
  creator.wait();
  CHECK(joiner.read_line() == "written");
  const auto outcome = opener.read_line();  // which of the two comes first is open
  CHECK((outcome == "opened" || outcome == "not found"));
  CHECK(joiner.read_line() == "poised");
  CHECK(opener.wait().clean());
  joiner.write_line("go");
  CHECK(joiner.wait().clean());
}

}  // namespace

DEATH_TEST("open: object open", "an empty object that nobody holds: the next creator fills it, the next opener removes it.") { creator_dies("open: object open"); }

DEATH_TEST("open: exclusive", "an empty object, or a stale one, that nobody holds: the next creator or opener deals with it.") {
  creator_dies("open: exclusive");

  const Watchdog watchdog;
  for (const bool by_opener : {false, true}) {
    NameGuard name("crash");
    Child stale = poised(name, {"create", "poise", "pause"});
    stale.kill();
    stale.wait();
    dies(name, {"die=open: exclusive", "join"});  // it takes the stale object over, or makes one: dead in the middle either way
    if (by_opener) {
      CHECK(caught([&] { CircularBuffer opener(name); }) == Errc::not_found);
    } else {
      CircularBuffer creator(name, nodes, node_size);
      use(creator);
    }
  }
}

DEATH_TEST("create: header written", "a header in state `creating` on an object that nobody holds: the next creator or opener removes it.") {
  creator_dies("create: header written");
}

DEATH_TEST("create: pages reserved", "a header in state `creating` and all pages: the next creator or opener removes it.") {
  creator_dies("create: pages reserved");
}

DEATH_TEST("create: filled in", "everything is filled in and nobody may open it: the next creator or opener removes it.") { creator_dies("create: filled in"); }

DEATH_TEST("create: ready", "ready, and nobody holds it: the next creator or opener removes it.") { creator_dies("create: ready"); }

TEST_CASE("parties that wait for a creator that is killed go on: one creates, another opens or is told that there is nothing") {
  const Watchdog watchdog;
  for (const char* point : points_of_creation) {
    INFO(point);
    if (!names_stay() && point == points_of_creation[0]) continue;  // nothing is there yet that waiters could see
    creator_is_killed_before_waiters(point);
  }
}

DEATH_TEST("open: shared", "the lock goes with us.") {
  const Watchdog watchdog;
  for (const char* verb : {"open", "join", "create"}) {
    NameGuard name("crash");
    CircularBuffer owner(name, nodes, node_size);
    dies(name, {"die=open: shared", verb});
    CircularBuffer other(name);
    CHECK(owner.participants().size() == 2);
    CHECK(owner.write(7) == Status::ok);
    CHECK(next(other) == "7");
  }
}

TEST_CASE("a stale segment of other sizes and another kind is in nobody's way") {
  const Watchdog watchdog;
  NameGuard name("crash");
  for (int i = 0; i < 5; ++i) {
    Child stale = poised(name, {"create", "claim", "publish=1", "poise", "pause"});
    stale.kill();
    stale.wait();
    CircularBuffer creator(open_or_create, name, 7, 16);
    CHECK(creator.approximate_size() == 0);
    CHECK(creator.node_count() == 7);
    use(creator);
  }
}

TEST_CASE("the owner and all others are killed at once: the next creator starts afresh, whoever it is") {
  const Watchdog watchdog;
  for (int i = 0; i < 5; ++i) {
    NameGuard name("crash");
    std::vector<Child> parties;
    parties.push_back(poised(name, {"create", "claim", "publish=1", "poise", "pause"}));
    for (int k = 0; k < 2; ++k) parties.push_back(poised(name, {"join", "claim", "poise", "pause"}));
    for (Child& child : parties) child.kill();
    for (Child& child : parties) child.wait();
    CircularBuffer creator(name, nodes, node_size);
    CHECK(creator.participants().size() == 1);
    use(creator);
  }
}
