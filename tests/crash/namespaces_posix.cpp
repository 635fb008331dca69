// Participants in another process-id namespace, with a shared /dev/shm: seen alive, and mended when killed.

#include "crash.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/core/config.hpp>

#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::BufferReadWrite;
using strait::CircularBuffer;
using strait::forever;
using strait::no_wait;
using strait::Status;

namespace {

// Says "no" where the system does not allow a namespace, else the id (in this namespace) of the process that is in the new one.
const ChildFunction in_another_namespace{"crash: namespace", [](std::span<const std::string> arguments) -> int {
  if (::unshare(CLONE_NEWPID) != 0) {
    say("no");
    return 0;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getpid() != 1) return 1;
    CircularBuffer ring(arguments[0]);
    BufferReadWrite buffer(arguments[1]);
    auto claim = ring.claim(forever);
    static_cast<void>(buffer.acquire_write_lock());
    say("poised");
    static_cast<void>(hear());
    const int number = 1;
    std::memcpy(claim.bytes().data(), &number, sizeof number);
    claim.publish(sizeof number);
    buffer.release_write_lock();
    static_cast<void>(hear());
    const auto again = ring.claim(forever);
    static_cast<void>(buffer.acquire_write_lock());
    // It sees those outside alive too, and does not mend them.
    int out = -1;
    const Status status = ring.read(out, 200ms);
    say(status == Status::timed_out && ring.participants().size() == 2 ? "published" : "unexpected");
    for (;;) ::pause();
  }
  say(std::to_string(child));
  ::waitpid(child, nullptr, 0);
  return 0;
}};

}  // namespace

TEST_CASE("a participant in another pid namespace is alive while it lives, and is mended when it is killed") {
  const Watchdog watchdog;
  if (!strait::core::kernel_lock_presence) {
    WARN("skipped: a process id means nothing in another namespace; presence by process does not cross it");
    return;
  }
  NameGuard name("crash");
  NameGuard lock_name("crash");
  CircularBuffer ring(name, nodes, node_size);
  BufferReadWrite buffer(lock_name, 64);
  Child child("crash: namespace", {name.str(), lock_name.str()});
  std::vector<std::string> lines{child.read_line().value_or("nothing")};
  if (lines.front() == "no") {
    WARN("skipped: this system does not let us make a pid namespace");
    return;
  }
  lines.push_back(child.read_line().value_or("nothing"));
  std::ranges::sort(lines);  // the two processes' lines come in either order; digits before letters
  REQUIRE(lines[1] == "poised");
  const pid_t inside = std::stoi(lines[0]);

  int out = -1;
  CHECK(ring.write(2, no_wait) == Status::ok);
  CHECK(ring.read(out, 300ms) == Status::timed_out);
  CHECK_FALSE(buffer.acquire_write_lock(300ms));
  CHECK(ring.participants().size() == 2);
  for (const auto& participant : ring.participants()) CHECK(participant.alive);

  child.write_line("go");
  CHECK(next(ring) == "1");
  CHECK(next(ring) == "2");
  child.write_line("go");
  CHECK(child.read_line() == "published");
  CHECK(ring.write(3, no_wait) == Status::ok);
  ::kill(inside, SIGKILL);
  CHECK(next(ring) == "3");
  CHECK(buffer.acquire_write_lock(forever));
  CHECK(buffer.was_abandoned());
  buffer.release_write_lock();
  CHECK(child.wait().clean());
}
#endif
