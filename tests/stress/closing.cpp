// close() against everything else that threads of the same handle do at that moment.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

using namespace strait::test;
using strait::Errc;
using strait::Status;

namespace {

// Runs `call` until it throws closed; anything else that it throws is wrong.
template <class F>
void until_closed(std::atomic<int>& inside, F call) {
  ++inside;
  for (;;) {
    const auto result = caught(call);
    if (result == Errc::closed) return;
    if (!result.nothing()) throw std::runtime_error(result.text);
  }
}

}  // namespace

TEST_CASE("a ring handle may be closed under its threads: each call ends with closed, none is left inside") {
  const Watchdog watchdog(std::chrono::seconds(100));
  for (int round = 0; round < 40 / patience() + 4; ++round) {
    NameGuard name("closing");
    strait::CircularBuffer ring(name, 3, 8);
    std::atomic<int> inside{0};
    Workers workers;
    workers.run([&] { until_closed(inside, [&] { return ring.write(1, std::chrono::milliseconds(1)); }); });
    workers.run([&] {
      until_closed(inside, [&] {
        int value = 0;
        return ring.read(value, std::chrono::milliseconds(1));
      });
    });
    workers.run([&] { until_closed(inside, [&] { return ring.claim(strait::no_wait).status(); }); });
    workers.run([&] { until_closed(inside, [&] { return ring.take(strait::no_wait).status(); }); });
    workers.run([&] { until_closed(inside, [&] { return ring.participants().size() + ring.approximate_size(); }); });
    while (inside < 5) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(100 * (round % 10)));
    ring.close();
    CHECK(workers.join() == "");
  }
}

TEST_CASE("a thread may ask whether a handle is shutting down while another closes it") {
  const Watchdog watchdog(std::chrono::seconds(100));
  for (int round = 0; round < 40 / patience() + 4; ++round) {
    NameGuard name("closing");
    strait::CircularBuffer ring(name, 3, 8);
    std::atomic<int> inside{0};
    Workers workers;
    for (int i = 0; i < 2; ++i) {
      workers.run([&] {
        ++inside;
        while (!ring.shutting_down()) static_cast<void>(ring.is_owner());
        for (int k = 0; k < 1000; ++k) static_cast<void>(ring.is_owner());
      });
    }
    while (inside < 2) std::this_thread::yield();
    ring.close();
    CHECK(workers.join() == "");
  }
}

TEST_CASE("a buffer handle may be closed under its threads") {
  const Watchdog watchdog(std::chrono::seconds(100));
  for (int round = 0; round < 40 / patience() + 4; ++round) {
    NameGuard name("closing");
    strait::BufferReadWrite buffer(name, 64);
    std::atomic<int> inside{0};
    Workers workers;
    workers.run([&] { until_closed(inside, [&] { return buffer.read<int>(); }); });
    workers.run([&] {
      until_closed(inside, [&] {
        if (!buffer.acquire_write_lock()) throw std::runtime_error("refused");
        buffer.write(1);
        buffer.release_write_lock();
      });
    });
    workers.run([&] {
      until_closed(inside, [&] {
        if (!buffer.acquire_read_lock()) throw std::runtime_error("refused");
        buffer.release_read_lock();
      });
    });
    while (inside < 3) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(100 * (round % 10)));
    buffer.close();
    CHECK(workers.join() == "");
  }
}

TEST_CASE("two threads may close the same handle, and both return when it is closed") {
  const Watchdog watchdog(std::chrono::seconds(100));
  for (int round = 0; round < 100 / patience(); ++round) {
    NameGuard name("closing");
    strait::CircularBuffer ring(name, 2, 8);
    Workers workers;
    for (int i = 0; i < 2; ++i) {
      workers.run([&] {
        ring.close();
        if (!(caught([&] { return ring.write(1); }) == Errc::closed)) throw std::runtime_error("not closed");
      });
    }
    CHECK(workers.join() == "");
  }
}
