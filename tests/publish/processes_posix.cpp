// What only POSIX systems have: forks, and names that can be removed by hand.

#include "publish.hpp"

#include <strait/shared_buffer.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <optional>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;

TEST_CASE("a forked child that destroys what it inherited changes nothing for its parent") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  std::optional<Publisher> publisher(std::in_place, topic.str());
  std::optional<Subscriber> subscriber(std::in_place, topic.str());
  const auto told = subscriber->on_connect([](const strait::Participant&) {});
  const auto also = publisher->on_connect([](const strait::Participant&) {});
  const pid_t child = ::fork();
  if (child == 0) {
    publisher.reset();
    subscriber.reset();
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(publisher->active_connections() == 1);
  CHECK(publisher->publish(std::string("still here")) == Status::ok);
  CHECK(next_text(*subscriber) == "still here");
}

TEST_CASE("a topic that is removed by hand goes with its rings, and those who are there go on") {
  const Watchdog watchdog;
  NameGuard topic("topic");
  Publisher publisher(topic);
  Subscriber subscriber(topic);
  CHECK(left_behind(topic.str()).size() == 2);
  CHECK(strait::remove_segment(topic));
  CHECK(left_behind(topic.str()).empty());
  CHECK(publisher.publish(std::string("on")) == Status::ok);
  CHECK(next_text(subscriber) == "on");
  Subscriber other(topic);
  CHECK(other.active_connections() == 0);
}
