// RawNotifyingBuffer: bytes from offset 0 and an event, with partners that know nothing else.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/named_event.hpp>
#include <strait/raw_notifying_buffer.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace strait::test;
using strait::Errc;
using strait::NamedEvent;
using strait::RawNotifyingBuffer;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text(std::span<const std::byte> message) { return {reinterpret_cast<const char*>(message.data()), message.size()}; }

}  // namespace

TEST_CASE("the object holds the bytes and nothing else, a write leaves the old tail, and everything goes with the last handle") {
  const Watchdog watchdog;
  NameGuard name("raw");
  {
    RawNotifyingBuffer first(name, 5);
    RawNotifyingBuffer second(name, 5);
    CHECK(first.size() == 5);
    first.write(bytes("hello"));
    second.write(bytes("be"));
    CHECK(text(first.read()) == "bello");
    CHECK(shm_holds(name, {'b', 'e', 'l', 'l', 'o'}));
    CHECK(caught([&] { first.write(bytes("too long")); }) == Errc::message_too_large);
    CHECK(caught([&] { RawNotifyingBuffer other(name, 6); }) == Errc::type_mismatch);
    CHECK(caught([&] { RawNotifyingBuffer none(name, 0); }) == Errc::invalid_argument);
    CHECK(shm_exists(name.str() + "Event"));
    second.close();
    CHECK(caught([&] { second.write({}); }) == Errc::closed);
  }
  CHECK(left_behind(name.str()).empty());
}

TEST_CASE("a partner that maps the bytes and sets the event is received, and receives the event") {
  const Watchdog watchdog;
  NameGuard name("raw");
  shm_write(name, {'1', '2', '3', '4'});  // the partner was first
  {
    RawNotifyingBuffer buffer(name, 4);
    NamedEvent event(name.str() + "Event", NamedEvent::Reset::manual);
    CHECK(text(buffer.read()) == "1234");
    std::mutex mutex;
    std::vector<std::string> received;
    std::atomic<std::size_t> calls{0};
    auto subscription = buffer.on_receive([&](std::span<const std::byte> message) {
      const std::lock_guard lock(mutex);
      received.push_back(text(message));
      ++calls;
    });
    shm_patch(name, 1, "xy", 2);
    event.set();
    eventually([&] { return calls == 1; });
    buffer.write(bytes("AB"));
    eventually([&] { return calls >= 2; });
    {
      const std::lock_guard lock(mutex);
      CHECK(received.front() == "1xy4");
      CHECK(received.back() == "ABy4");
    }
    subscription.cancel();
    const auto before = calls.load();
    event.reset();
    buffer.write(bytes("Z"));
    CHECK(event.wait(strait::forever) == strait::Status::ok);  // ours is told to the partner
    CHECK(calls == before);
  }
  CHECK(shm_exists(name));  // the partner's
  shm_forget(name);
}

TEST_CASE("a write while a handler runs is received after it, and every receiver gets the last one") {
  const Watchdog watchdog;
  NameGuard name("raw");
  RawNotifyingBuffer writer(name, 3);
  RawNotifyingBuffer one(name, 3);
  RawNotifyingBuffer two(name, 3);
  std::atomic<bool> hold_back{true};
  std::mutex mutex;
  std::string last_of_one;
  std::string last_of_two;
  const auto into = [&](std::string& last) {
    return [&](std::span<const std::byte> message) {
      eventually([&] { return !hold_back; });
      const std::lock_guard lock(mutex);
      last = text(message);
    };
  };
  const auto first = one.on_receive(into(last_of_one));
  const auto second = two.on_receive(into(last_of_two));
  for (int i = 100; i < 150; ++i) writer.write(bytes(std::to_string(i)));
  hold_back = false;
  eventually([&] {
    const std::lock_guard lock(mutex);
    return last_of_one == "149" && last_of_two == "149";
  });
}
