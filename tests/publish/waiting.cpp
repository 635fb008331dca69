// A subscriber among other things that are waited for.

#include "publish.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/wait_any.hpp>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Delivery;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;

TEST_CASE("wait_any takes a subscriber among others, and ends when there is a message") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  NameGuard name("ring");
  for (const Delivery delivery : {Delivery::lossless, Delivery::lossy}) {
    strait::CircularBuffer ring(name, 4, 64);
    Subscriber subscriber(topic, delivery);
    CHECK(strait::wait_any(10ms, ring, subscriber).status == Status::timed_out);
    Workers workers;
    workers.run([&] {
      Publisher publisher(topic);
      if (publisher.publish(std::string("news")) != Status::ok) throw std::runtime_error("not published");
    });
    const auto result = strait::wait_any(strait::forever, ring, subscriber);
    CHECK(result.status == Status::ok);
    CHECK(result.index == 1);
    CHECK(workers.join() == "");
    CHECK(strait::wait_any(strait::no_wait, subscriber).status == Status::ok);  // it is still there
    CHECK(next_text(subscriber, strait::no_wait) == "news");
    CHECK(strait::wait_any(strait::no_wait, subscriber).status == Status::timed_out);
    subscriber.close();
    CHECK(strait::wait_any(strait::no_wait, subscriber).status == Status::closed);
  }
}
