// The ways in which a process ends that only POSIX systems have: a first thread that ends alone, forks with handles open.

#include "crash.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/core/config.hpp>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::BufferReadWrite;
using strait::CircularBuffer;
using strait::forever;
using strait::no_wait;
using strait::ReadClaim;
using strait::Status;
using strait::WriteClaim;

namespace {

// Forks by `how` with a claimed node in its hands, says the child's id, and waits to be killed.
const ChildFunction fork_by{"crash: fork", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  const WriteClaim claimed = ring.claim(forever);
  const std::string& how = arguments[1];
  // A system call of its own goes round the handlers that close the descriptors in the child.
  const pid_t child = how == "raw" ? static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)) : ::fork();
  if (child == 0) {
    ::alarm(120);  // an end of its own, should the test not come to kill it
    if (how == "exec") ::execlp("sleep", "sleep", "120", nullptr);
    if (how == "again") {
      // What a child that goes on working does: it opens handles of its own.
      CircularBuffer own(arguments[0]);
      static_cast<void>(own.write(42));
      for (;;) ::pause();
    }
    for (;;) ::pause();
  }
  say(std::to_string(child));
  for (;;) ::pause();
}};

// Kills and waits for a process that is not our child.
class Stranger {
 public:
  explicit Stranger(pid_t pid) : pid_(pid) {}
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    // Gone, or a zombie that its new parent has not reaped: it holds nothing any more.
    eventually([this] {
      std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
      std::string stat;
      if (!std::getline(file, stat)) return true;
      const auto end = stat.rfind(')');
      return end != std::string::npos && stat.size() > end + 2 && (stat[end + 2] == 'Z' || stat[end + 2] == 'X');
    });
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

const ChildFunction thread_ends{"crash: main thread ends", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  std::thread([&ring] {
    WriteClaim claim = ring.claim(forever);
    say("poised");
    static_cast<void>(hear());
    const int number = 7;
    std::memcpy(claim.bytes().data(), &number, sizeof number);
    claim.publish(sizeof number);
    say("published");
    for (;;) ::pause();
  }).detach();
  ::syscall(SYS_exit, 0);  // this thread only, without the C library's clean-up
  return 0;
}};

}  // namespace

TEST_CASE("a process whose first thread has ended while another works is alive: its claim stays its own") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  Child child("crash: main thread ends", {name.str()});
  REQUIRE(child.read_line() == "poised");
  CHECK(ring.write(2, no_wait) == Status::ok);
  int out = -1;
  CHECK(ring.read(out, 300ms) == Status::timed_out);
  child.write_line("go");
  CHECK(child.read_line() == "published");
  CHECK(drain(ring) == std::vector<int>{7, 2});
  child.kill();
  child.wait();
}

// ---- fork ------------------------------------------------------------------------------------------------------------------

TEST_CASE("a child that was forked with handles open, and lives on or has become another program, does not keep its dead parent alive") {
  const Watchdog watchdog;
  for (const char* how : {"plain", "exec"}) {
    INFO(how);
    NameGuard name("crash");
    CircularBuffer ring(name, nodes, node_size);
    Child parent("crash: fork", {name.str(), how});
    Stranger child(std::stoi(parent.read_line().value_or("-1")));
    CHECK(ring.write(2, no_wait) == Status::ok);
    parent.kill();
    parent.wait();
    CHECK(next(ring) == "2");
    CHECK(ring.participants().size() == 1);
  }
}

TEST_CASE("a forked child that opens handles of its own is a participant itself, and its parent's death is noticed, its own too") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  Child parent("crash: fork", {name.str(), "again"});
  Stranger child(std::stoi(parent.read_line().value_or("-1")));
  eventually([&] { return ring.approximate_size() == 1; });
  CHECK(ring.participants().size() == 3);
  parent.kill();
  parent.wait();
  CHECK(next(ring) == "42");
  CHECK(ring.participants().size() == 2);
  child.kill();
  eventually([&] {
    static_cast<void>(drain(ring));
    return ring.participants().size() == 1;
  });
}

TEST_CASE("a forked child that dies, or ends, changes nothing for its parent") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  CircularBuffer other(name);
  const WriteClaim claim = other.claim(forever);
  for (const bool killed : {false, true}) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (killed) ::raise(SIGKILL);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
  }
  CHECK(ring.write(2, no_wait) == Status::ok);
  int out = -1;
  CHECK(ring.read(out, 200ms) == Status::timed_out);
  CHECK(ring.participants().size() == 2);
}

TEST_CASE("a child made round the C library's fork keeps the descriptors: its parent counts as alive until it ends too (with kernel locks)") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  Child parent("crash: fork", {name.str(), "raw"});
  Stranger child(std::stoi(parent.read_line().value_or("-1")));
  CHECK(ring.write(2, no_wait) == Status::ok);
  parent.kill();
  parent.wait();
  if (strait::core::kernel_lock_presence) {
    int out = -1;
    CHECK(ring.read(out, 300ms) == Status::timed_out);
    child.kill();
  }
  CHECK(next(ring) == "2");
  child.kill();  // with presence by process it kept nothing but the name
}
