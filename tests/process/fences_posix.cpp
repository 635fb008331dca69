// Who pays for fences: what the system allows each process decides, and the header says it.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/posix/forbid.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <sys/syscall.h>

#include <cerrno>
#include <chrono>
#include <span>
#include <string>

using namespace std::chrono_literals;
using strait::CircularBuffer;
using strait::Errc;
using strait::Status;
using strait::test::caught;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::forbid;
using strait::test::NameGuard;
using strait::test::say;
using strait::test::Watchdog;

namespace {

bool forbid_membarrier() { return forbid(SYS_membarrier, EPERM); }

constexpr int cannot_forbid = 77;

const ChildFunction open_without{"fences: open without membarrier", [](std::span<const std::string> arguments) -> int {
  if (!forbid_membarrier()) return cannot_forbid;
  return caught([&] { CircularBuffer ring(arguments[0]); }) == Errc::permission_denied ? 0 : 1;
}};

const ChildFunction create_without{"fences: create without membarrier", [](std::span<const std::string> arguments) -> int {
  if (!forbid_membarrier()) return cannot_forbid;
  CircularBuffer ring(arguments[0], 4, sizeof(int));
  say("ready");
  for (int i = 0; i < 1000; ++i) {
    int number = -1;
    if (ring.read(number, 30s) != Status::ok || number != i) return 1;
  }
  return 0;
}};

}  // namespace

TEST_CASE("a process that may not use membarrier cannot open a ring whose sleepers fence, and nothing happens to the ring") {
  const Watchdog watchdog;
  NameGuard name("fences");
  CircularBuffer ring(name, 2, sizeof(int));
  Child child("fences: open without membarrier", {name});
  const auto end = child.wait();
  if (end.code == cannot_forbid) {
    WARN("this system does not let a process forbid itself a system call: not tested");
    return;
  }
  CHECK(end.clean());
  CHECK(ring.participants().size() == 1);
  CHECK(ring.write(1) == Status::ok);
}

TEST_CASE("a ring whose creator may not use membarrier works for everybody: each change is a fence") {
  const Watchdog watchdog;
  NameGuard name("fences");
  Child child("fences: create without membarrier", {name});
  if (child.read_line() != "ready") {
    CHECK(child.wait().code == cannot_forbid);
    WARN("this system does not let a process forbid itself a system call: not tested");
    return;
  }
  CircularBuffer ring(name);
  for (int i = 0; i < 1000; ++i) REQUIRE(ring.write(i, 30s) == Status::ok);
  CHECK(child.wait().clean());
}
