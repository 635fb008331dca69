// The queue of requests: whoever gives one up finds it either waiting or begun, never between the two.

#include "../support/catch.hpp"
#include "../support/watchdog.hpp"

#include <strait/rpc/work.hpp>

#include <chrono>
#include <cstdint>
#include <future>

using namespace std::chrono_literals;
using strait::rpc::Request;
using strait::rpc::Work;
using strait::test::Watchdog;

namespace {

Request request_of(std::uint64_t id) {
  Request request;
  request.id = id;
  return request;
}

}  // namespace

TEST_CASE("a request that leaves the queue has begun before anybody can miss it there") {
  const Watchdog watchdog;
  Work work(1);
  work.add(request_of(7), [](bool) {});
  std::future<bool> given_up;
  bool missed_before_it_began = true;
  const auto item = work.take([](bool) {}, [&](const Request& begun) {
    CHECK(begun.id == 7);
    given_up = std::async(std::launch::async, [&] {
      bool waiting = false;
      work.forget_requests([&](const Request& request) { return waiting |= request.id == 7; }, [](bool) {});
      return waiting;
    });
    // It must not come to an answer while the request is in between.
    missed_before_it_began = given_up.wait_for(50ms) == std::future_status::ready;
  });
  CHECK(item.kind == Work::Kind::request);
  CHECK_FALSE(missed_before_it_began);
  CHECK_FALSE(given_up.get());
}
