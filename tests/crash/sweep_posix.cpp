// remove_dead_segments, and the share of it that every open does in passing: what is dead goes, and nothing else does.

#include "crash.hpp"

#include <strait/core/config.hpp>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>

using namespace strait::test;
using namespace strait::test::crash;
using strait::CircularBuffer;
using strait::Errc;
using strait::remove_dead_segments;
using strait::Status;

namespace {

constexpr unsigned nobody_uid = 65534;

bool is_root() { return ::geteuid() == 0; }

void become_another_user() {
  if (::setgid(nobody_uid) != 0 || ::setuid(nobody_uid) != 0) throw std::runtime_error("cannot become another user");
}

// Creates `count` segments NAME-0, NAME-1, ... and waits to be killed.
const ChildFunction create_many{"sweep: create", [](std::span<const std::string> arguments) -> int {
  if (arguments[2] == "another user") become_another_user();
  std::vector<CircularBuffer> rings;
  strait::RingOptions options;
  options.permissions = 0666;
  for (int i = 0; i < std::stoi(arguments[1]); ++i) rings.emplace_back(arguments[0] + "-" + std::to_string(i), 2, 8, options);
  say("poised");
  static_cast<void>(hear());
  return 0;
}};

const ChildFunction sweep_as_another_user{"sweep: as another user", [](std::span<const std::string>) -> int {
  become_another_user();
  static_cast<void>(remove_dead_segments());
  return 0;
}};

void leave_dead(const std::string& name, int count, const std::string& user = "this user") {
  Child child("sweep: create", {name, std::to_string(count), user});
  REQUIRE(child.read_line() == "poised");
  child.kill();
  child.wait();
}

bool named(const std::string& name, int i) { return shm_exists(name + "-" + std::to_string(i)); }

}  // namespace

TEST_CASE("remove_dead_segments removes every segment whose holders were all killed, whatever state it was in") {
  const Watchdog watchdog;
  NameGuard name("crash");
  leave_dead(name, 20);
  static_cast<void>(remove_dead_segments());  // the count is open: an open of another test program may have swept some
  for (int i = 0; i < 20; ++i) CHECK_FALSE(named(name, i));

  for (const char* point : {"create: header written", "create: pages reserved", "create: filled in", "create: ready"}) {
    INFO(point);
    NameGuard half("crash");
    dies(half, {"die=" + std::string(point), "create"});
    remove_dead_segments();
    CHECK_FALSE(shm_exists(half));
  }
}

TEST_CASE("remove_dead_segments leaves what anybody holds: here, in another process, stopped, or while it is created") {
  const Watchdog watchdog;
  NameGuard here("crash");
  NameGuard there("crash");
  NameGuard orphan("crash");
  NameGuard half("crash");
  CircularBuffer ring(here, nodes, node_size);
  Child holder = poised(there, {"create", "poise", "pause"});
  holder.stop();
  // Its creator dead, but an opener there.
  std::optional<Child> creator(poised(orphan, {"create", "poise", "pause"}));
  Child opener = poised(orphan, {"open", "poise", "pause"});
  creator.reset();
  Child slow = actor(half, {"stop=create: pages reserved", "create", "say=created", "pause"});
  eventually([&] { return shm_exists(half); });

  static_cast<void>(remove_dead_segments());
  for (const NameGuard* name : {&here, &there, &orphan, &half}) CHECK(shm_exists(name->str()));
  CHECK(ring.write(1) == Status::ok);
  CHECK(next(ring) == "1");
  eventually([&] {
    slow.cont();  // it may not have come to its stop yet
    return slow.read_line(std::chrono::milliseconds(10)) == "created";
  });

  for (Child* child : {&holder, &opener, &slow}) child->kill();
  for (Child* child : {&holder, &opener, &slow}) child->wait();
  static_cast<void>(remove_dead_segments());
  CHECK(shm_exists(here));
  for (const NameGuard* name : {&there, &orphan, &half}) CHECK_FALSE(shm_exists(name->str()));
}

TEST_CASE("foreign files in shared memory are left alone: text, too short for a header, empty, nearly ours, a link, a folder") {
  const Watchdog watchdog;
  NameGuard text("crash");
  NameGuard shorter("crash");
  NameGuard empty("crash");
  NameGuard nearly("crash");
  NameGuard link("crash");
  NameGuard folder("crash");
  shm_write(text, std::vector<unsigned char>(4096, 'x'));
  shm_write(shorter, {'S', 'T', 'R'});
  shm_write(empty, {});
  shm_write(nearly, {'S', 'T', 'R', 'A', 'I', 'T', '1', '\n', 0, 0, 0, 0});
  std::filesystem::create_symlink("/nonexistent", shm_path(link));
  std::filesystem::create_directory(shm_path(folder));

  static_cast<void>(remove_dead_segments());
  CHECK(shm_bytes(text) == std::vector<unsigned char>(4096, 'x'));
  CHECK(shm_bytes(shorter).size() == 3);
  CHECK(shm_exists(empty));
  CHECK(shm_bytes(nearly).size() == 12);
  CHECK(std::filesystem::is_symlink(shm_path(link)));
  CHECK(std::filesystem::is_directory(shm_path(folder)));
  for (const NameGuard* name : {&text, &shorter, &empty, &nearly, &link, &folder}) std::filesystem::remove(shm_path(name->str()));
}

TEST_CASE("another user's dead segments are left alone, by root too: and ours by another user") {
  const Watchdog watchdog;
  if (!is_root()) {
    WARN("skipped: only root can become another user");
    return;
  }
  NameGuard theirs("crash");
  leave_dead(theirs, 2, "another user");
  static_cast<void>(remove_dead_segments());
  CHECK(named(theirs, 0));
  CHECK(named(theirs, 1));
  // Their own sweep removes them.
  NameGuard ours("crash");
  CircularBuffer ring(ours, nodes, node_size);
  Child sweeper("sweep: as another user");
  CHECK(sweeper.wait().clean());
  CHECK_FALSE(named(theirs, 0));
  CHECK_FALSE(named(theirs, 1));
  CHECK(shm_exists(ours));
}

TEST_CASE("opening sweeps a share in passing: a machine that goes on using Strait loses what the killed left, bit by bit") {
  const Watchdog watchdog;
  NameGuard dead("crash");
  leave_dead(dead, 30);
  NameGuard name("crash");
  int opened = 0;
  eventually([&] {
    CircularBuffer ring(name, nodes, node_size);
    ++opened;
    int left = 0;
    for (int i = 0; i < 30; ++i) left += named(dead, i);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // at most ten shares a second
    return left == 0;
  });
  std::cout << "30 dead segments were swept in passing by " << opened << " opens" << std::endl;
}

TEST_CASE("creating and being killed again and again does not fill shared memory: what stays is bounded") {
  const Watchdog watchdog;
  NameGuard dead("crash");
  std::size_t most = 0;
  constexpr int rounds = 60;
  for (int i = 0; i < rounds; ++i) {
    Child child = poised(dead.str() + "-" + std::to_string(i), {"create", "poise", "pause"});  // its own open sweeps a share
    child.kill();
    child.wait();
    most = std::max(most, left_behind(dead).size());
  }
  CHECK(most < rounds);
  std::cout << "of " << rounds << " segments of killed creators at most " << most << " were there at one time" << std::endl;
  static_cast<void>(remove_dead_segments());
}

DEATH_TEST("sweep: exclusive", "a dead segment that nobody holds, as before.") {
  const Watchdog watchdog;
  // Another test program may sweep what this test leaves for the child: then the child finds nothing to die of.
  eventually([&] {
    NameGuard name("crash");
    Child stale = poised(name, {"create", "poise", "pause"});
    stale.kill();
    stale.wait();
    Child sweeper = actor(name, {"die=sweep: exclusive", "sweep"});
    const bool died = sweeper.wait().killed_by(SIGKILL);
    strait::remove_dead_segments();
    CHECK(caught([&] { CircularBuffer opener(name); }) == Errc::not_found);
    return died;
  });
}
