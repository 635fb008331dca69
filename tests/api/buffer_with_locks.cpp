#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/buffer_with_locks.hpp>
#include <strait/shared_array.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using strait::BufferReadWrite;
using strait::Errc;
using strait::no_wait;
using strait::test::caught;
using strait::test::eventually;
using strait::test::NameGuard;
using strait::test::Watchdog;
using strait::test::Workers;

namespace {

// What a call on another thread answered.
template <class F>
auto elsewhere(F call) {
  decltype(call()) answer{};
  std::thread thread([&] { answer = call(); });
  thread.join();
  return answer;
}

}  // namespace

TEST_CASE("a writer excludes every other holder, readers share") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  BufferReadWrite c(name);

  REQUIRE(a.acquire_write_lock());
  CHECK_FALSE(b.acquire_write_lock(no_wait));
  CHECK_FALSE(b.acquire_read_lock(no_wait));
  CHECK_FALSE(b.acquire_read_lock(10ms));
  a.release_write_lock();

  REQUIRE(a.acquire_read_lock());
  REQUIRE(b.acquire_read_lock(no_wait));
  CHECK_FALSE(c.acquire_write_lock(no_wait));
  CHECK_FALSE(c.acquire_write_lock(10ms));
  a.release_read_lock();
  CHECK_FALSE(c.acquire_write_lock(10ms));
  b.release_read_lock();
  CHECK(c.acquire_write_lock(no_wait));
  c.release_write_lock();
}

TEST_CASE("two writers never hold the lock together, and one release frees one lock only") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  BufferReadWrite c(name);
  REQUIRE(a.acquire_read_lock());
  REQUIRE(b.acquire_read_lock());
  a.release_read_lock();
  CHECK_FALSE(c.acquire_write_lock(no_wait));
  // A writer that gave up must not have shut the readers out.
  CHECK(a.acquire_read_lock(no_wait));
  a.release_read_lock();
  b.release_read_lock();
}

TEST_CASE("a lock that is not had in time is refused, and not before that time") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  REQUIRE(a.acquire_write_lock());
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(b.acquire_write_lock(60ms));
  CHECK(std::chrono::steady_clock::now() - start >= 60ms);
  const auto second = std::chrono::steady_clock::now();
  CHECK_FALSE(b.acquire_read_lock(60ms));
  CHECK(std::chrono::steady_clock::now() - second >= 60ms);
  a.release_write_lock();
}

TEST_CASE("a lock waited for comes as soon as it is released") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  for (const bool writer : {true, false}) {
    REQUIRE(a.acquire_write_lock());
    std::atomic<bool> held{false};
    Workers workers;
    workers.run([&] {
      if (writer ? !b.acquire_write_lock() : !b.acquire_read_lock()) throw std::runtime_error("refused without a timeout");
      held = true;
      writer ? b.release_write_lock() : b.release_read_lock();
    });
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(held.load());
    a.release_write_lock();
    CHECK(workers.join() == "");
    CHECK(held.load());
  }
}

TEST_CASE("a lock of a thread's own in its way is told at once, not waited for") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  REQUIRE(a.acquire_read_lock());
  CHECK(caught([&] { return a.acquire_read_lock(); }) == Errc::would_deadlock);
  const auto upgrade = caught([&] { return a.acquire_write_lock(); });
  CHECK(upgrade == Errc::would_deadlock);
  CHECK(upgrade.segment == name.str());
  a.release_read_lock();
  REQUIRE(a.acquire_write_lock());
  CHECK(caught([&] { return a.acquire_write_lock(); }) == Errc::would_deadlock);
  CHECK(caught([&] { return a.acquire_read_lock(); }) == Errc::would_deadlock);
  a.release_write_lock();
  CHECK(a.acquire_write_lock(no_wait));
  a.release_write_lock();
}

TEST_CASE("a lock that is not held cannot be released") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  const auto release = caught([&] { a.release_read_lock(); });
  CHECK(release == Errc::not_held);
  CHECK(release.segment == name.str());
  CHECK(caught([&] { a.release_write_lock(); }) == Errc::not_held);
  REQUIRE(a.acquire_read_lock());
  CHECK(caught([&] { a.release_write_lock(); }) == Errc::not_held);
  CHECK(caught([&] { b.release_read_lock(); }) == Errc::not_held);
  a.release_read_lock();
  REQUIRE(a.acquire_write_lock());
  CHECK(caught([&] { a.release_read_lock(); }) == Errc::not_held);
  CHECK(caught([&] { b.release_write_lock(); }) == Errc::not_held);
  CHECK_FALSE(b.acquire_read_lock(no_wait));
  a.release_write_lock();
}

TEST_CASE("a lock belongs to the thread that took it, also on one handle") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  REQUIRE(a.acquire_write_lock());
  CHECK_FALSE(elsewhere([&] { return a.acquire_write_lock(no_wait); }));
  CHECK_FALSE(elsewhere([&] { return a.acquire_read_lock(no_wait); }));
  CHECK(elsewhere([&] { return caught([&] { a.release_write_lock(); }) == Errc::not_held; }));
  a.release_write_lock();
  REQUIRE(a.acquire_read_lock());
  CHECK(elsewhere([&] {
    const bool shared = a.acquire_read_lock(no_wait);
    if (shared) a.release_read_lock();
    return shared;
  }));
  CHECK_FALSE(elsewhere([&] { return a.acquire_write_lock(no_wait); }));
  a.release_read_lock();
}

TEST_CASE("the standard lock classes work on a buffer") {
  const Watchdog watchdog;
  NameGuard name("lock");
  strait::SharedArray<int> a(name, 4);
  strait::SharedArray<int> b(name);
  strait::BufferWithLocks& locks = b;
  {
    const std::unique_lock lock(a);
    const std::unique_lock refused(locks, std::try_to_lock);
    CHECK_FALSE(refused.owns_lock());
    const std::shared_lock also_refused(locks, std::try_to_lock);
    CHECK_FALSE(also_refused.owns_lock());
    CHECK_FALSE(locks.try_lock_for(5ms));
    CHECK_FALSE(locks.try_lock_until(std::chrono::steady_clock::now() + 5ms));
    CHECK_FALSE(locks.try_lock_shared_for(5ms));
    CHECK_FALSE(locks.try_lock_shared_until(std::chrono::system_clock::now() + 5ms));
  }
  {
    const std::shared_lock lock(a);
    const std::shared_lock shared(locks, 1s);
    CHECK(shared.owns_lock());
  }
  {
    const std::unique_lock lock(locks, std::chrono::steady_clock::now() + 1s);
    CHECK(lock.owns_lock());
  }
  const std::scoped_lock last(a);
}

TEST_CASE("plain reads and writes pass when nothing is locked and time out against another holder") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  CHECK(a.read_write_timeout() == 100ms);
  b.write(1);
  CHECK(a.read<int>() == 1);

  const auto timeout = GENERATE(0ms, 20ms);
  b.read_write_timeout(timeout);
  CHECK(b.read_write_timeout() == timeout);

  REQUIRE(a.acquire_write_lock());
  int out = -1;
  const auto start = std::chrono::steady_clock::now();
  const auto read = caught([&] { b.read(out); });
  CHECK(std::chrono::steady_clock::now() - start >= timeout);
  CHECK(read == Errc::timed_out);
  CHECK(read.segment == name.str());
  CHECK(caught([&] { b.write(2); }) == Errc::timed_out);
  CHECK(caught([&] { b.write_with([](auto) {}); }) == Errc::timed_out);
  CHECK(caught([&] { b.read_with([](auto) {}); }) == Errc::timed_out);
  a.write(3);  // the holder's own pass, both ways
  CHECK(a.read<int>() == 3);
  a.release_write_lock();
  CHECK(out == -1);
  CHECK(b.read<int>() == 3);

  REQUIRE(a.acquire_read_lock());
  CHECK(caught([&] { b.write(4); }) == Errc::timed_out);
  CHECK(b.read<int>() == 3);
  CHECK(a.read<int>() == 3);
  a.release_read_lock();
  CHECK(caught([&] { b.write(5); }).nothing());
}

TEST_CASE("runs of an array obey the lock, direct access does not") {
  const Watchdog watchdog;
  NameGuard name("lock");
  strait::SharedArray<int> a(name, 4);
  strait::SharedArray<int> b(name);
  b.read_write_timeout(5ms);
  REQUIRE(a.acquire_write_lock());
  std::array<int, 2> out{};
  CHECK(caught([&] { b.write(out); }) == Errc::timed_out);
  CHECK(caught([&] { b.read(out); }) == Errc::timed_out);
  b[0] = 7;
  CHECK(a[0] == 7);
  a.release_write_lock();
}

TEST_CASE("a thread that ends with the write lock leaves it free and marked as abandoned") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  REQUIRE(b.acquire_write_lock());
  CHECK_FALSE(b.was_abandoned());
  b.release_write_lock();
  CHECK(elsewhere([&] { return a.acquire_write_lock(); }));
  REQUIRE(b.acquire_write_lock());
  CHECK(b.was_abandoned());
  b.release_write_lock();
  REQUIRE(b.acquire_write_lock());
  CHECK_FALSE(b.was_abandoned());
  b.release_write_lock();
}

TEST_CASE("a thread that ends with a read lock stands in no writer's way") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  CHECK(elsewhere([&] { return a.acquire_read_lock(); }));
  CHECK(b.acquire_write_lock());
  b.release_write_lock();
}

TEST_CASE("a handle that is closed or destroyed with a lock releases it") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite b(name, 64);
  {
    BufferReadWrite a(name);
    REQUIRE(a.acquire_write_lock());
  }
  CHECK(b.acquire_write_lock());
  b.release_write_lock();
  BufferReadWrite c(name);
  REQUIRE(c.acquire_read_lock());
  c.close();
  CHECK(b.acquire_write_lock());
  b.release_write_lock();
}

TEST_CASE("closing a handle ends the calls that wait for its lock") {
  const Watchdog watchdog;
  NameGuard name("lock");
  BufferReadWrite a(name, 64);
  BufferReadWrite b(name);
  REQUIRE(a.acquire_write_lock());
  std::atomic<int> waiting{0};
  std::atomic<int> closed{0};
  Workers workers;
  for (const bool writer : {true, false}) {
    workers.run([&, writer] {
      ++waiting;
      if (caught([&] { return writer ? b.acquire_write_lock() : b.acquire_read_lock(); }) == Errc::closed) ++closed;
    });
  }
  eventually([&] { return waiting == 2; });
  std::this_thread::sleep_for(20ms);
  b.close();
  CHECK(workers.join() == "");
  CHECK(closed == 2);
  a.release_write_lock();
}
