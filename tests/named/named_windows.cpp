// NamedMutex and NamedEvent where they are the system's own: other programs meet them under their names.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>

#include <windows.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Errc;
using strait::forever;
using strait::NamedEvent;
using strait::NamedMutex;
using strait::no_wait;
using strait::Status;

namespace {

constexpr auto automatic = NamedEvent::Reset::automatic;
constexpr auto manual = NamedEvent::Reset::manual;

// An object of the system, as a program without Strait has it.
struct Foreign {
  explicit Foreign(void* made) : handle(made) { REQUIRE(handle != nullptr); }
  Foreign(const Foreign&) = delete;
  Foreign& operator=(const Foreign&) = delete;
  ~Foreign() { ::CloseHandle(handle); }
  unsigned long wait(unsigned long milliseconds = 0) const { return ::WaitForSingleObject(handle, milliseconds); }
  void* handle;
};

}  // namespace

TEST_CASE("a mutex is the system's own of that name, in both directions, also when the other program's thread ends with it") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  const Foreign foreign(::OpenMutexA(SYNCHRONIZE, FALSE, ("Local\\" + name.str()).c_str()));
  mutex.lock();
  std::thread([&] { CHECK(foreign.wait(10) == WAIT_TIMEOUT); }).join();
  mutex.unlock();
  std::thread([&] { CHECK(foreign.wait() == WAIT_OBJECT_0); }).join();  // it ends with it
  mutex.lock();
  CHECK(mutex.was_abandoned());
  mutex.unlock();
  std::thread([&] {
    mutex.lock();
    CHECK_FALSE(mutex.was_abandoned());
  }).join();
  CHECK(foreign.wait(60'000) == WAIT_ABANDONED);
  std::thread([&] { CHECK_FALSE(mutex.try_lock_for(1ms)); }).join();
  CHECK(::ReleaseMutex(foreign.handle) != 0);
  CHECK(mutex.try_lock());
  mutex.unlock();
}

TEST_CASE("an event is the system's own of that name, in both directions") {
  const Watchdog watchdog;
  NameGuard name("event");
  NamedEvent event(name, manual);
  const Foreign foreign(::OpenEventA(EVENT_ALL_ACCESS, FALSE, name.str().c_str()));
  CHECK(foreign.wait() == WAIT_TIMEOUT);
  event.set();
  CHECK(foreign.wait() == WAIT_OBJECT_0);
  ::ResetEvent(foreign.handle);
  CHECK(event.wait(no_wait) == Status::timed_out);
  Workers workers;
  workers.run([&] {
    if (event.wait(forever) != Status::ok) workers.fail("not let through");
  });
  ::SetEvent(foreign.handle);
  CHECK(workers.join() == "");
  event.reset();
  CHECK(foreign.wait() == WAIT_TIMEOUT);
}

TEST_CASE("an event and a mutex that another program made are opened as they are, and a set event stays set") {
  NameGuard event_name("event");
  NameGuard mutex_name("mutex");
  const Foreign event(::CreateEventA(nullptr, FALSE, TRUE, event_name.str().c_str()));
  const Foreign mutex(::CreateMutexA(nullptr, TRUE, mutex_name.str().c_str()));
  CHECK(caught([&] { NamedEvent other(event_name, manual); }) == Errc::type_mismatch);
  CHECK(caught([&] { NamedMutex other(event_name); }) == Errc::wrong_kind);
  CHECK(caught([&] { NamedEvent other(mutex_name, manual); }) == Errc::wrong_kind);
  CHECK(caught([&] { strait::CircularBuffer ring(mutex_name, 4, 64); }) == Errc::not_a_segment);
  CHECK(caught([&] { strait::CircularBuffer ring(event_name); }) == Errc::not_a_segment);
  NamedEvent opened(event_name, automatic);
  CHECK(opened.wait(no_wait) == Status::ok);
  std::thread([&] {
    NamedMutex same(mutex_name);
    CHECK_FALSE(same.try_lock());
  }).join();
  ::ReleaseMutex(mutex.handle);
}

TEST_CASE("names of the session and of the machine are two, with a mutex and an event behind each") {
  const Watchdog watchdog;
  NameGuard name("names");
  const std::string global = "Global\\" + name.str();
  NamedEvent event(global, automatic);
  NamedEvent of_session(name, automatic);
  Child child("event: wait", {global, "automatic"});
  REQUIRE(child.read_line() == "ready");
  of_session.set();
  event.set();
  CHECK(child.read_line() == "ok");
  CHECK(of_session.wait(no_wait) == Status::ok);
  NameGuard other("names");
  NamedMutex mutex("Global\\" + other.str());
  Child holder("mutex: hold", {"Global\\" + other.str()});
  CHECK(holder.read_line() == "clean");
  CHECK_FALSE(mutex.try_lock());
  CHECK(NamedMutex("Local\\" + other.str()).try_lock());
}

TEST_CASE("a thread that has the mutex is refused it through every handle, the system's leave to lock twice notwithstanding") {
  NameGuard name("mutex");
  NamedMutex mutex(name);
  NamedMutex other(name);
  mutex.lock();
  CHECK(caught([&] { other.lock(); }) == Errc::would_deadlock);
  CHECK(caught([&] { other.unlock(); }) == Errc::not_held);
  mutex.unlock();
  CHECK(other.try_lock());
  other.unlock();
}

TEST_CASE("what another thread holds is not let go of by closing the handle, but by that thread") {
  const Watchdog watchdog;
  NameGuard name("mutex");
  NamedMutex mutex(name);
  NamedMutex closed(name);
  std::atomic<bool> is_held{false};
  std::atomic<bool> go_on{false};
  Workers workers;
  workers.run([&] {
    closed.lock();
    is_held = true;
    eventually([&] { return go_on.load(); });
    closed.unlock();
  });
  eventually([&] { return is_held.load(); });
  closed.close();
  CHECK_FALSE(mutex.try_lock_for(1ms));
  go_on = true;
  mutex.lock();
  CHECK_FALSE(mutex.was_abandoned());
  mutex.unlock();
  CHECK(workers.join() == "");
}

TEST_CASE(
    "N sets made while N processes wait let all of them through, whatever they are followed by, and one that is killed takes "
    "none along") {
  const Watchdog watchdog;
  for (const bool with_a_kill : {false, true}) {
    NameGuard name("event");
    NamedEvent event(name, automatic);
    std::vector<Child> children;
    for (int i = 0; i < 4; ++i) children.emplace_back("event: wait", std::vector<std::string>{name.str(), "automatic"});
    for (Child& child : children) REQUIRE(child.read_line() == "ready");
    for (const Child& child : children) until_asleep(child);
    const std::size_t first = with_a_kill ? 1 : 0;
    if (with_a_kill) {
      children.front().kill();
      children.front().wait();
    }
    for (std::size_t i = first; i < children.size(); ++i) event.set();
    event.reset();  // too late for them
    for (std::size_t i = first; i < children.size(); ++i) {
      CHECK(children[i].read_line() == "ok");
      CHECK(children[i].wait().clean());
    }
    CHECK(event.wait(no_wait) == Status::timed_out);
  }
}

TEST_CASE("names and objects are gone with their last handle") {
  NameGuard name("names");
  {
    NamedMutex mutex(name);
    CHECK(shm_exists(name));
    mutex.lock();
  }
  CHECK_FALSE(shm_exists(name));
  CHECK_FALSE(shm_exists(name.str() + ".abandoned"));
  { NamedEvent event(name, manual, true); }
  CHECK_FALSE(shm_exists(name));
}
