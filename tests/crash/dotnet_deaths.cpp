// A process that uses the C# library's objects dies at each named point: what is left, and what the others see. The format has no
// room for repairs: the tests show what it costs.

#include "crash.hpp"

#include <strait/dotnet/circular_buffer.hpp>

using namespace strait::test;
using namespace strait::test::crash;
using strait::no_wait;
using strait::Status;
using Ring = strait::dotnet::CircularBuffer;

namespace {

const ChildFunction party{"crash: dotnet", [](std::span<const std::string> arguments) -> int {
  die_at(arguments[1]);
  if (arguments[2] == "create") {
    const Ring ring(arguments[0], 4, 8);
    return 0;
  }
  Ring ring(arguments[0]);
  std::int64_t value = 9;
  static_cast<void>(arguments[2] == "write" ? ring.write(value) : ring.read(value));
  return 0;
}};

void dies_in(const std::string& name, const std::string& point, const std::string& what) {
  Child child("crash: dotnet", {name, point, what});
  CHECK(child.wait().killed_by(SIGKILL));
}

void check_name_is_free(const std::string& point) {
  const Watchdog watchdog;
  for (const bool opener_first : {false, true}) {
    const NameGuard name("dotnet-ring");
    dies_in(name, point, "create");
    if (opener_first) {
      CHECK(caught([&] { return Ring(name.str()); }) == strait::Errc::not_found);
      CHECK_FALSE(shm_exists(name));
    }
    Ring ring(name, 3, 8);
    CHECK(ring.node_count() == 3);
    CHECK(ring.write(std::int64_t{1}) == Status::ok);
  }
}

}  // namespace

DEATH_TEST("dotnet create: header written", "a header and nothing else: nobody holds it, the next creator or opener of the name removes it.") {
  check_name_is_free("dotnet create: header written");
}

DEATH_TEST("dotnet create: filled in", "whole: nobody holds it, the next creator or opener of the name removes it.") {
  check_name_is_free("dotnet create: filled in");
}

DEATH_TEST("dotnet write: reserved",
           "a node is reserved for writing: the format tells nobody whose it is. The ring holds what lies before it, and no more.") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  Ring ring(name, 4, 8);
  REQUIRE(ring.write(std::int64_t{1}) == Status::ok);
  dies_in(name, "dotnet write: reserved", "write");
  // The writers' turn went with it, and came back.
  CHECK(ring.write(std::int64_t{2}) == Status::ok);
  std::int64_t value = 0;
  CHECK(ring.read(value) == Status::ok);
  CHECK(value == 1);
  CHECK(ring.read(value, no_wait) == Status::timed_out);
}

DEATH_TEST("dotnet read: reserved",
           "a node is reserved for reading: the format tells nobody whose it is. Its message is lost, and its node with it.") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  Ring ring(name, 4, 8);
  for (std::int64_t i = 1; i <= 3; ++i) REQUIRE(ring.write(i) == Status::ok);
  dies_in(name, "dotnet read: reserved", "read");
  std::int64_t value = 0;
  for (std::int64_t i = 2; i <= 3; ++i) {
    CHECK(ring.read(value) == Status::ok);
    CHECK(value == i);
  }
  CHECK(ring.read(value, no_wait) == Status::timed_out);
  CHECK(ring.write(value, no_wait) == Status::timed_out);  // its node is the oldest
}
