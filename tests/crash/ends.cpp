// The ways in which a process, or a thread, ends or goes silent with a node or a lock in its hands: stopped and continued, _exit,
// abort, an exception that nobody catches, a thread's end.

#include "crash.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/core/config.hpp>

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <stdexcept>
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

// How long a stopped process stands still: far beyond every slice. STRAIT_STOP_SECONDS makes it as long as one likes.
std::chrono::seconds standstill() {
  const char* asked = std::getenv("STRAIT_STOP_SECONDS");
  return std::chrono::seconds(asked != nullptr ? std::atoi(asked) : 2);
}

[[noreturn]] void fail() { throw std::runtime_error("nobody catches this"); }

// Ends by `how` with a claimed node, a taken message and the write lock of a buffer.
const ChildFunction end_by{"crash: end", [](std::span<const std::string> arguments) -> int {
  without_core_file();
  CircularBuffer ring(arguments[0]);
  BufferReadWrite buffer(arguments[1]);
  const std::string& how = arguments[2];
  const ReadClaim taken = ring.take(forever);
  const WriteClaim claimed = ring.claim(forever);
  static_cast<void>(buffer.acquire_write_lock());
  say("poised");
  static_cast<void>(hear());
  if (how == "_exit") exit_at_once(0);
  if (how == "exit") std::exit(0);  // runs no destructor of these locals
  if (how == "abort") std::abort();
  if (how == "uncaught") [&]() noexcept { fail(); }();
  if (how == "uncaught in a thread") std::thread(fail).join();
  if (how == "caught") throw std::runtime_error("caught far above: the destructors run");
  if (how == "segmentation fault") std::raise(SIGSEGV);
  return 0;  // destructors
}};

}  // namespace

// ---- stopped and continued -----------------------------------------------------------------------------------------------

TEST_CASE("a process that is stopped for a while is silent, not dead: continued, its claimed node is still its own") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  Child writer = poised(name, {"open", "claim", "poise", "publish=1", "say=done"});
  writer.stop();
  CHECK(ring.write(2, no_wait) == Status::ok);
  int out = -1;
  CHECK(ring.read(out, standstill()) == Status::timed_out);  // the head is the stopped one's
  CHECK(ring.read(out, no_wait) == Status::timed_out);
  CHECK(ring.participants().size() == 2);
  writer.write_line("go");
  writer.cont();
  CHECK(writer.read_line() == "done");
  CHECK(writer.wait().clean());
  CHECK(drain(ring) == std::vector<int>{1, 2});
}

TEST_CASE("a reader that is stopped for a while keeps its message: nobody else gets it, and its release counts") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  for (int i = 0; i < static_cast<int>(nodes); ++i) CHECK(ring.write(i, no_wait) == Status::ok);
  Child reader = poised(name, {"open", "take", "poise", "release", "say=done"});
  reader.stop();
  CHECK(drain(ring) == std::vector<int>{1, 2});
  int out = -1;
  CHECK(ring.read(out, standstill()) == Status::timed_out);
  CHECK(ring.write(9, no_wait) == Status::timed_out);  // the oldest node is not released
  reader.write_line("go");
  reader.cont();
  CHECK(reader.read_line() == "done");
  CHECK(reader.wait().clean());
  CHECK(ring.write(9, no_wait) == Status::ok);
  CHECK(drain(ring) == std::vector<int>{9});
}

TEST_CASE("the holder of a lock that is stopped for a while keeps it: others time out, and nothing is abandoned") {
  const Watchdog watchdog;
  NameGuard name("crash");
  BufferReadWrite buffer(name, 64);
  Child writer = actor(name, {"buffer", "lock", "poise", "unlock", "say=done"});
  REQUIRE(writer.read_line() == "clean");
  REQUIRE(writer.read_line() == "poised");
  writer.stop();
  CHECK_FALSE(buffer.acquire_write_lock(standstill()));
  CHECK_FALSE(buffer.acquire_read_lock(no_wait));
  CHECK_FALSE(buffer.was_abandoned());
  writer.write_line("go");
  writer.cont();
  CHECK(writer.read_line() == "done");
  CHECK(writer.wait().clean());
  CHECK(buffer.acquire_write_lock(forever));
  CHECK_FALSE(buffer.was_abandoned());
  buffer.release_write_lock();
}

TEST_CASE("a stopped process that is killed is dead: what it held is mended") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  Child writer = poised(name, {"open", "claim", "poise", "pause"});
  writer.stop();
  CHECK(ring.write(2, no_wait) == Status::ok);
  writer.kill();
  writer.wait();
  CHECK(next(ring) == "2");
}

TEST_CASE("a killed process that its parent has not reaped, a zombie, is dead") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  Child writer = poised(name, {"open", "claim", "poise", "pause"});
  CHECK(ring.write(2, no_wait) == Status::ok);
  writer.kill();
  CHECK(next(ring) == "2");  // nobody has waited for it yet
  CHECK(ring.participants().size() == 1);
  CHECK(writer.wait().killed_by(SIGKILL));
}

// ---- the ways to end -----------------------------------------------------------------------------------------------------

TEST_CASE("_exit, exit, abort, a fault or an uncaught exception end a holder as a kill does, with all that follows") {
  const Watchdog watchdog;
  for (const char* how : {"_exit", "exit", "abort", "uncaught", "uncaught in a thread", "segmentation fault"}) {
    INFO(how);
    NameGuard name("crash");
    NameGuard lock_name("crash");
    CircularBuffer ring(name, nodes, node_size);
    BufferReadWrite buffer(lock_name, 64);
    CHECK(ring.write(1, no_wait) == Status::ok);
    Child child("crash: end", {name.str(), lock_name.str(), how});
    REQUIRE(child.read_line() == "poised");
    CHECK(ring.write(2, no_wait) == Status::ok);
    child.write_line("go");
    const Exit exit = child.wait();
    CHECK(exit.clean() == (how == std::string_view("_exit") || how == std::string_view("exit")));
    std::vector<std::string> got{next(ring), next(ring)};
    std::ranges::sort(got);
    CHECK(got == std::vector<std::string>{"1", "2"});
    CHECK(drain(ring).empty());
    CHECK(buffer.acquire_write_lock(forever));
    CHECK(buffer.was_abandoned());
    buffer.release_write_lock();
  }
}

TEST_CASE("a holder whose stack is unwound ends in order: its claim is abandoned, its message released, its lock abandoned") {
  const Watchdog watchdog;
  for (const char* how : {"return", "caught"}) {
    INFO(how);
    NameGuard name("crash");
    NameGuard lock_name("crash");
    CircularBuffer ring(name, nodes, node_size);
    BufferReadWrite buffer(lock_name, 64);
    CHECK(ring.write(1, no_wait) == Status::ok);
    Child child("crash: end", {name.str(), lock_name.str(), how});
    REQUIRE(child.read_line() == "poised");
    CHECK(ring.write(2, no_wait) == Status::ok);
    child.write_line("go");
    CHECK(child.wait().code.has_value());
    CHECK(drain(ring) == std::vector<int>{2});
    CHECK(buffer.try_lock());
    CHECK(buffer.was_abandoned());
    buffer.unlock();
  }
}

// ---- threads -------------------------------------------------------------------------------------------------------------

TEST_CASE("a claim that outlives the thread that made it is the process's: another thread publishes it") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  std::unique_ptr<WriteClaim> claim;
  std::thread([&] { claim = std::make_unique<WriteClaim>(ring.claim(forever)); }).join();
  int out = -1;
  CHECK(ring.read(out, 200ms) == Status::timed_out);  // nobody mends it: its process lives
  const int number = 5;
  std::memcpy(claim->bytes().data(), &number, sizeof number);
  claim->publish(sizeof number);
  CHECK(next(ring) == "5");
}

TEST_CASE("a thread that ends with a claim on its stack abandons it: the next message goes through at once") {
  const Watchdog watchdog;
  NameGuard name("crash");
  CircularBuffer ring(name, nodes, node_size);
  std::thread([&] { const WriteClaim claim = ring.claim(forever); }).join();
  CHECK(ring.write(2, no_wait) == Status::ok);
  CHECK(drain(ring) == std::vector<int>{2});
}

TEST_CASE("a thread that ends while it holds the write lock lets go, and the lock counts as abandoned for threads and processes") {
  const Watchdog watchdog;
  for (const bool sleeping_process : {false, true}) {
    NameGuard name("crash");
    BufferReadWrite buffer(name, 64);
    std::optional<Child> other;
    std::promise<void> held;  // (std::atomic's wait sleeps through wake-ups where the library of g++ 12 has no futex)
    std::promise<void> leave;
    std::thread holder([&] {
      static_cast<void>(buffer.acquire_write_lock());
      held.set_value();
      leave.get_future().wait();
    });
    held.get_future().wait();
    if (sleeping_process) other.emplace(sleeper(name, {"buffer", "say=ready", "lock", "unlock"}));
    leave.set_value();
    holder.join();
    if (other) {
      CHECK(other->read_line() == "abandoned");
      CHECK(other->wait().clean());
      CHECK_FALSE(buffer.was_abandoned());
    }
    CHECK(buffer.acquire_write_lock(forever));
    CHECK(buffer.was_abandoned() == !sleeping_process);
    buffer.release_write_lock();
  }
}

TEST_CASE("a thread that ends while it holds a read lock lets go: a writer gets in, and nothing counts as abandoned") {
  const Watchdog watchdog;
  NameGuard name("crash");
  BufferReadWrite buffer(name, 64);
  std::thread([&] { static_cast<void>(buffer.acquire_read_lock()); }).join();
  CHECK(buffer.acquire_write_lock(forever));
  CHECK_FALSE(buffer.was_abandoned());
  buffer.release_write_lock();
}
