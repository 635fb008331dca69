// NamedEvent between threads, handles and processes.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Errc;
using strait::forever;
using strait::NamedEvent;
using strait::no_wait;
using strait::Status;

namespace {

constexpr auto automatic = NamedEvent::Reset::automatic;
constexpr auto manual = NamedEvent::Reset::manual;

const ChildFunction wait_once{"event: wait", [](std::span<const std::string> arguments) -> int {
                                NamedEvent event(arguments[0], arguments[1] == "manual" ? manual : automatic);
                                say("ready");
                                say(text_of(event.wait(forever)));
                                return 0;
                              }};

}  // namespace

TEST_CASE("an automatic event lets one thread through for each set, and sets with nobody waiting count once") {
  const Watchdog watchdog;
  NameGuard name("event");
  NamedEvent event(name, automatic);
  CHECK(event.name() == name.str());
  CHECK(event.wait(no_wait) == Status::timed_out);
  CHECK(event.wait(10ms) == Status::timed_out);
  NamedEvent other(name, automatic);
  other.set();
  other.set();
  other.set();
  CHECK(event.wait(forever) == Status::ok);
  CHECK(event.wait(no_wait) == Status::timed_out);
  event.set();
  event.reset();
  CHECK(other.wait(no_wait) == Status::timed_out);
}

TEST_CASE("a manual event lets everybody through until it is reset") {
  const Watchdog watchdog;
  NameGuard name("event");
  NamedEvent event(name, manual);
  NamedEvent other(name, manual);
  CHECK(other.wait(10ms) == Status::timed_out);
  event.set();
  CHECK(other.wait(forever) == Status::ok);
  CHECK(other.wait(no_wait) == Status::ok);
  CHECK(event.wait(no_wait) == Status::ok);
  other.reset();
  CHECK(event.wait(no_wait) == Status::timed_out);
}

TEST_CASE("only the creator's initial state counts, and the other kind of reset is refused") {
  NameGuard name("event");
  NamedEvent event(name, automatic, true);
  NamedEvent other(name, automatic, true);
  CHECK(other.wait(no_wait) == Status::ok);
  CHECK(event.wait(no_wait) == Status::timed_out);
  const auto refused = caught([&] { NamedEvent wrong(name, manual); });
  CHECK(refused == Errc::type_mismatch);
  CHECK(refused.says("automatic"));
  CHECK(caught([&] { strait::NamedMutex mutex(name); }) == Errc::wrong_kind);
}

TEST_CASE("a manual event that is set and reset at once lets everybody through who waited") {
  const Watchdog watchdog;
  NameGuard name("event");
  NamedEvent event(name, manual);
  std::vector<Child> children;
  for (int i = 0; i < 3; ++i) children.emplace_back("event: wait", std::vector<std::string>{name.str(), "manual"});
  for (Child& child : children) REQUIRE(child.read_line() == "ready");
  Workers workers;
  std::atomic<bool> began{false};
  workers.run([&] {
    began = true;
    if (event.wait(forever) != Status::ok) workers.fail("not let through");
  });
  eventually([&] { return began.load(); });
  std::this_thread::sleep_for(100ms);  // they cannot be asked whether they wait; who does not yet gets through below
  event.set();
  event.reset();
  std::this_thread::sleep_for(20ms);
  event.set();
  for (Child& child : children) {
    CHECK(child.read_line() == "ok");
    CHECK(child.wait().clean());
  }
  CHECK(workers.join() == "");
}

TEST_CASE("closing a handle ends the waits through it, and no other") {
  const Watchdog watchdog;
  NameGuard name("event");
  NamedEvent event(name, automatic);
  NamedEvent other(name, automatic);
  Workers workers;
  for (int i = 0; i < 3; ++i) {
    workers.run([&] {
      if (other.wait(forever) != Status::closed) workers.fail("a waiter was not told");
    });
  }
  std::this_thread::sleep_for(20ms);  // so that they sleep; whenever they come, they are told
  other.close();
  other.close();
  CHECK(workers.join() == "");
  CHECK(other.wait(forever) == Status::closed);
  CHECK(caught([&] { other.set(); }) == Errc::closed);
  CHECK(caught([&] { other.reset(); }) == Errc::closed);
  event.set();
  CHECK(event.wait(no_wait) == Status::ok);
}
