// A subscriber in an event loop.

#include "publish.hpp"

#include <poll.h>

using namespace strait::test;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;

namespace {

bool is_readable(int descriptor, int milliseconds) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

}  // namespace

TEST_CASE("a subscriber's descriptor is readable while there is a message, and after its close") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Subscriber subscriber(topic);
  const int descriptor = subscriber.readable_fd();
  CHECK(!is_readable(descriptor, 0));
  Publisher publisher(topic);
  for (std::int64_t round = 0; round < 50; ++round) {
    CHECK(publisher.publish(round) == Status::ok);
    CHECK(is_readable(descriptor, -1));
    CHECK(next_number(subscriber, strait::no_wait) == round);
    CHECK(next_text(subscriber, strait::no_wait) == "timed_out");
  }
  subscriber.close();
  CHECK(is_readable(descriptor, -1));
}
