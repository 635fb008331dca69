// NamedMutex between threads, handles and processes.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/named_mutex.hpp>
#include <strait/shared_array.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Errc;
using strait::NamedMutex;

namespace {

// Locks, says so, and holds it until it hears something or is killed.
const ChildFunction hold{"mutex: hold", [](std::span<const std::string> arguments) -> int {
                           NamedMutex mutex(arguments[0]);
                           mutex.lock();
                           say(mutex.was_abandoned() ? "abandoned" : "clean");
                           static_cast<void>(hear());
                           mutex.unlock();
                           return 0;
                         }};

// Arguments: mutex, array, how often. Counts up under the mutex; ends when the count is reached, and says how often it was its turn.
const ChildFunction count{"mutex: count", [](std::span<const std::string> arguments) -> int {
                            NamedMutex mutex(arguments[0]);
                            strait::SharedArray<std::uint64_t> array(arguments[1]);
                            const std::uint64_t end = std::stoull(arguments[2]);
                            std::uint64_t mine = 0;
                            for (bool done = false; !done;) {
                              const std::scoped_lock lock(mutex);
                              done = array[0] >= end;
                              if (!done) {
                                array[0] = array[0] + 1;
                                ++mine;
                              }
                            }
                            say(std::to_string(mine));
                            return 0;
                          }};

// Or a tenth of what STRAIT_TEST_MESSAGES says: under an emulator each sleep and wake takes a hundred times as long.
std::uint64_t turns() {
  const char* const asked = std::getenv("STRAIT_TEST_MESSAGES");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) / 10 : 100'000;
}

}  // namespace

TEST_CASE("a named mutex is held by one thread at a time, whichever handle it uses, and the standard's guards work on it") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  CHECK(mutex.name() == name.str());
  {
    const std::unique_lock lock(mutex);
    std::thread([&] {
      NamedMutex other(name);
      CHECK_FALSE(other.try_lock());
      CHECK_FALSE(other.try_lock_for(20ms));
      CHECK_FALSE(other.try_lock_until(std::chrono::steady_clock::now() + 20ms));
      CHECK_FALSE(other.try_lock_until(std::chrono::system_clock::now() - 1s));
      CHECK_FALSE(mutex.try_lock());
    }).join();
  }
  const std::scoped_lock lock(mutex);
  CHECK_FALSE(mutex.was_abandoned());
}

TEST_CASE("a thread that locks twice or unlocks what it does not hold is told so, and the mutex stays as it was") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  CHECK(caught([&] { mutex.unlock(); }) == Errc::not_held);
  mutex.lock();
  CHECK(caught([&] { mutex.lock(); }) == Errc::would_deadlock);
  CHECK(caught([&] { return mutex.try_lock(); }) == Errc::would_deadlock);
  std::thread([&] { CHECK(caught([&] { mutex.unlock(); }) == Errc::not_held); }).join();
  mutex.unlock();
  CHECK(caught([&] { mutex.unlock(); }) == Errc::not_held);
  CHECK(mutex.try_lock());
  mutex.unlock();
}

TEST_CASE("a mutex whose holder is killed is given to the next one, who is told, once") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  for (int round = 0; round < 3; ++round) {
    Child holder("mutex: hold", {name.str()});
    REQUIRE(holder.read_line() == "clean");
    CHECK_FALSE(mutex.try_lock_for(1ms));
    Child waiter("mutex: hold", {name.str()});
    holder.kill();
    holder.wait();
    CHECK(waiter.read_line() == "abandoned");
    waiter.close_input();
    CHECK(waiter.wait().clean());
    mutex.lock();
    CHECK_FALSE(mutex.was_abandoned());
    mutex.unlock();
  }
}

TEST_CASE("a try_lock some time after the holder was killed gets the mutex, without ever waiting") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  Child holder("mutex: hold", {name.str()});
  REQUIRE(holder.read_line() == "clean");
  holder.kill();
  holder.wait();
  eventually([&] { return mutex.try_lock(); });
  CHECK(mutex.was_abandoned());
  mutex.unlock();
}

TEST_CASE("a thread that ends with the mutex, or a handle that is closed with it, lets go of it as abandoned") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  std::thread([&] { mutex.lock(); }).join();
  mutex.lock();
  CHECK(mutex.was_abandoned());
  mutex.unlock();
  {
    NamedMutex other(name);
    std::unique_lock lock(other);
    other.close();
    CHECK(caught([&] { other.lock(); }) == Errc::closed);
  }
  mutex.lock();
  CHECK(mutex.was_abandoned());
  mutex.unlock();
}

TEST_CASE("closing a handle makes those who wait through it throw closed, the mutex goes on for others") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  const std::unique_lock held(mutex);
  NamedMutex other(name);
  Workers workers;
  for (int i = 0; i < 3; ++i) {
    workers.run([&] {
      if (!(caught([&] { other.lock(); }) == Errc::closed)) workers.fail("a waiter was not told");
    });
  }
  std::this_thread::sleep_for(20ms);  // so that they sleep; whenever they come, they are told
  other.close();
  CHECK(workers.join() == "");
}

TEST_CASE("a mutex's name is gone when the last handle is closed") {
  NameGuard name("mutex");
  {
    NamedMutex mutex(name);
    NamedMutex moved(std::move(mutex));
    moved.lock();
    moved.unlock();
    CHECK(caught([&] { mutex.lock(); }) == Errc::closed);  // NOLINT: after the move on purpose
    CHECK(caught([&] { NamedMutex other("a/b"); }) == Errc::invalid_argument);
  }
  CHECK_FALSE(shm_exists(name));
  static_assert(!std::is_copy_constructible_v<NamedMutex>);
}

TEST_CASE("processes that fight for a mutex lose no count, and each of them has its turn") {
  const Watchdog watchdog(120s);
  NameGuard name("mutex");
  NameGuard numbers("numbers");
  NamedMutex mutex(name);
  strait::SharedArray<std::uint64_t> array(numbers, 1);
  const std::uint64_t end = turns();
  std::vector<Child> children;
  for (int i = 0; i < 4; ++i)
    children.emplace_back("mutex: count", std::vector<std::string>{name.str(), numbers.str(), std::to_string(end)});
  std::uint64_t sum = 0;
  for (Child& child : children) {
    const auto line = child.read_line();
    REQUIRE(line);
    sum += std::stoull(*line);
    CHECK(child.wait().clean());
  }
  CHECK(sum == end);
  CHECK(array[0] == end);
}

TEST_CASE("one that comes now and then gets the mutex although others never stop taking it", "[fair]") {
  const Watchdog watchdog(120s);
  NameGuard name("mutex");
  NamedMutex mutex(name);
  std::atomic<bool> stop{false};
  Workers workers;
  for (int i = 0; i < 2; ++i) {
    workers.run([&] {
      NamedMutex busy(name);
      while (!stop) {
        busy.lock();
        const auto end = std::chrono::steady_clock::now() + 20us;
        while (std::chrono::steady_clock::now() < end) {
        }
        busy.unlock();
      }
    });
  }
  for (int turn = 0; turn < 50; ++turn) {
    mutex.lock();
    mutex.unlock();
  }
  stop = true;
  CHECK(workers.join() == "");
}
