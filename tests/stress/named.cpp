// A mutex and an event under threads that share one handle.

#include "../support/catch.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

using namespace strait::test;
using strait::NamedEvent;
using strait::Status;

TEST_CASE("threads of one handle count under a named mutex and lose nothing") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard name("mutex");
  strait::NamedMutex mutex(name);
  std::uint64_t count = 0;
  const std::uint64_t rounds = static_cast<std::uint64_t>(3000 / patience());
  Workers workers;
  for (int i = 0; i < 4; ++i) {
    workers.run([&, i] {
      for (std::uint64_t round = 0; round < rounds; ++round) {
        if (i == 0) {
          while (!mutex.try_lock_for(std::chrono::microseconds(300))) {
          }
        } else {
          mutex.lock();
        }
        ++count;
        mutex.unlock();
      }
    });
  }
  CHECK(workers.join() == "");
  CHECK(count == 4 * rounds);
}

TEST_CASE("each token that goes round through automatic events arrives, with waits that time out in between") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard there("there");
  NameGuard back("back");
  NamedEvent ask(there, NamedEvent::Reset::automatic);
  NamedEvent answer(back, NamedEvent::Reset::automatic);
  const int rounds = 3000 / patience();
  Workers workers;
  // Three threads wait for one event; what is asked once is answered once.
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  for (int i = 0; i < 3; ++i) {
    workers.run([&] {
      while (answered < rounds) {
        if (ask.wait(std::chrono::microseconds(200)) != Status::ok) continue;
        if (++answered > asked) workers.fail("let through without a set");
        answer.set();
      }
    });
  }
  for (int round = 0; round < rounds; ++round) {
    ++asked;
    ask.set();
    if (answer.wait(strait::forever) != Status::ok) workers.fail("no answer");
  }
  CHECK(workers.join() == "");
  CHECK(answered == rounds);
}
