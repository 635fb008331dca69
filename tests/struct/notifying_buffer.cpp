// NotifyingBuffer between threads, handles and processes.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/bytes.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/notifying_buffer.hpp>
#include <strait/wait_any.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Errc;
using strait::forever;
using strait::no_wait;
using strait::NotifyingBuffer;
using strait::Status;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text(std::span<const std::byte> message) { return {reinterpret_cast<const char*>(message.data()), message.size()}; }
std::string text_of_last(const NotifyingBuffer& buffer) { return text(buffer.read()); }

const ChildFunction receive{"buffer: receive", [](std::span<const std::string> arguments) -> int {
                              NotifyingBuffer buffer(arguments[0], 100);
                              const auto subscription =
                                  buffer.on_receive([](std::span<const std::byte> message) { say(text(message)); });
                              say("ready");
                              static_cast<void>(hear());
                              return 0;
                            }};

const ChildFunction write{"buffer: write", [](std::span<const std::string> arguments) -> int {
                            NotifyingBuffer buffer(arguments[0], 100);
                            for (const auto& message : arguments.subspan(1)) buffer.write(bytes(message));
                            say("written");
                            static_cast<void>(hear());
                            return 0;
                          }};

}  // namespace

TEST_CASE("the last message is there with its length, whoever came first") {
  const Watchdog watchdog;
  NameGuard name("buffer");
  {
    NotifyingBuffer reader(name, 100);
    CHECK(reader.name() == name.str());
    CHECK(reader.capacity() == 100);
    std::uint64_t version = 9;
    CHECK(reader.read(version).empty());
    CHECK(version == 0);
    NotifyingBuffer writer(name, 100);
    writer.write(bytes("hello world"));
    CHECK(text_of_last(reader) == "hello world");
    writer.write(bytes("bye"));
    CHECK(text(reader.read(version)) == "bye");
    CHECK(version == 2);
    writer.write({});
    CHECK(reader.read(version).empty());
    CHECK(version == 3);
    const std::string full(100, 'x');
    reader.write(bytes(full));
    CHECK(text_of_last(writer) == full);
    CHECK(writer.version() == 4);
  }
  CHECK_FALSE(shm_exists(name));
}

TEST_CASE("what is too long, another capacity and another kind are refused, and nothing is lost") {
  NameGuard name("buffer");
  CHECK(caught([&] { NotifyingBuffer buffer(name, 0); }) == Errc::invalid_argument);
  NotifyingBuffer buffer(name, 8);
  buffer.write(bytes("12345678"));
  CHECK(caught([&] { buffer.write(bytes("123456789")); }) == Errc::message_too_large);
  CHECK(text_of_last(buffer) == "12345678");
  CHECK(buffer.version() == 1);
  CHECK(caught([&] { NotifyingBuffer other(name, 9); }) == Errc::type_mismatch);
  CHECK(caught([&] { strait::CircularBuffer ring(name); }) == Errc::wrong_kind);
}

TEST_CASE("a write in another process wakes who waits, and closing ends the wait") {
  const Watchdog watchdog;
  NameGuard name("buffer");
  NotifyingBuffer buffer(name, 100);
  CHECK(buffer.wait_for_change(0, no_wait) == Status::timed_out);
  Child writer("buffer: write", {name.str(), "news"});
  CHECK(buffer.wait_for_change(0, forever) == Status::ok);
  CHECK(text_of_last(buffer) == "news");
  CHECK(writer.read_line() == "written");
  writer.close_input();
  CHECK(writer.wait().clean());
  Workers workers;
  workers.run([&] {
    if (buffer.wait_for_change(1, forever) != Status::closed) workers.fail("the wait was not told");
  });
  std::this_thread::sleep_for(10ms);  // so that it sleeps; whenever it comes, it is told
  buffer.close();
  CHECK(workers.join() == "");
  CHECK(caught([&] { return buffer.read(); }) == Errc::closed);
  CHECK(caught([&] { buffer.write({}); }) == Errc::closed);
}

TEST_CASE("handlers in several processes are told of a write, and late ones of what comes after") {
  const Watchdog watchdog;
  NameGuard name("buffer");
  NotifyingBuffer buffer(name, 100);
  buffer.write(bytes("before"));
  Child first("buffer: receive", {name.str()});
  Child second("buffer: receive", {name.str()});
  REQUIRE(first.read_line() == "ready");
  REQUIRE(second.read_line() == "ready");
  buffer.write(bytes("one"));
  CHECK(first.read_line() == "one");
  CHECK(second.read_line() == "one");
  first.kill();
  first.wait();
  buffer.write(bytes("two"));
  CHECK(second.read_line() == "two");
}

TEST_CASE("with read_only a buffer that is there is read and watched without a place in it, and never written") {
  const Watchdog watchdog;
  NameGuard name("buffer");
  strait::OpenOptions looking;
  looking.read_only = true;
  CHECK(caught([&] { NotifyingBuffer none(name, 100, looking); }) == Errc::not_found);
  strait::OpenOptions one_seat;
  one_seat.max_participants = 1;
  NotifyingBuffer buffer(name, 100, one_seat);
  buffer.write(bytes("first"));
  CHECK(caught([&] { NotifyingBuffer other(name, 99, looking); }) == Errc::type_mismatch);
  NotifyingBuffer view(name, 100, looking);
  CHECK(text_of_last(view) == "first");
  CHECK(view.wait_for_change(1, no_wait) == Status::timed_out);
  CHECK(caught([&] { view.write(bytes("mine")); }) == Errc::permission_denied);
  std::mutex mutex;
  std::string told;
  const auto subscription = view.on_receive([&](std::span<const std::byte> message) {
    const std::lock_guard lock(mutex);
    told = text(message);
  });
  buffer.write(bytes("second"));
  CHECK(view.wait_for_change(1, forever) == Status::ok);
  CHECK(text_of_last(view) == "second");
  eventually([&] {
    const std::lock_guard lock(mutex);
    return told == "second";
  });
  CHECK(strait::wait_any(no_wait, view).status == Status::ok);
  CHECK(strait::wait_any(no_wait, view).status == Status::timed_out);
  buffer.write(bytes("third"));
  CHECK(strait::wait_any(forever, view).status == Status::ok);
}

TEST_CASE("a write while a handler runs is told after it, and of many the last one always") {
  const Watchdog watchdog;
  NameGuard name("buffer");
  NotifyingBuffer buffer(name, 100);
  NotifyingBuffer writer(name, 100);
  std::mutex mutex;
  std::vector<std::string> received;
  std::atomic<std::size_t> calls{0};
  std::atomic<bool> hold_back{true};
  std::thread::id thread;
  bool one_thread = true;
  const auto handler = [&](std::span<const std::byte> message) {
    eventually([&] { return !hold_back; });
    const std::lock_guard lock(mutex);
    if (thread == std::thread::id()) thread = std::this_thread::get_id();
    one_thread = one_thread && thread == std::this_thread::get_id();
    received.push_back(text(message));
    ++calls;
  };
  const auto subscription = buffer.on_receive(handler);
  const auto another = buffer.on_receive(handler);
  for (int i = 0; i < 50; ++i) writer.write(bytes(std::to_string(i)));
  hold_back = false;
  eventually([&] {
    const std::lock_guard lock(mutex);
    return std::count(received.begin(), received.end(), "49") == 2;
  });
  CHECK(calls <= 100);
  CHECK(one_thread);
  // One write after the other, each told before the next.
  for (int i = 0; i < 20; ++i) {
    const auto before = calls.load();
    writer.write(bytes("again"));
    eventually([&] { return calls == before + 2; });
  }
}

TEST_CASE("no second receiver loop is left behind when handlers come and go") {
  const Watchdog watchdog;
  NameGuard name("buffer");
  NotifyingBuffer buffer(name, 100);
  for (int round = 0; round < 30; ++round) {
    std::atomic<int> calls{0};
    std::optional<strait::Subscription> subscription(buffer.on_receive([&](std::span<const std::byte>) {
      ++calls;
      if (round % 3 == 0) subscription->cancel();
    }));
    buffer.write(bytes("x"));
    eventually([&] { return calls == 1; });
    if (round % 3 == 1) subscription.reset();
    const auto before = calls.load();
    buffer.write(bytes("y"));
    if (round % 3 == 2) {
      eventually([&] { return calls == 2; });
    } else {
      CHECK(calls == before);
    }
  }
}

TEST_CASE("streams read one copy and write the whole") {
  const Watchdog watchdog;
  NameGuard name("buffer");
  NotifyingBuffer buffer(name, 20);
  {
    NotifyingBuffer::Writer out(buffer);
    out << "answer " << 42;
    CHECK(buffer.version() == 0);
    out.flush();
    CHECK(text_of_last(buffer) == "answer 42");
    out << "!";
  }
  CHECK(text_of_last(buffer) == "answer 42!");
  CHECK(buffer.version() == 2);
  { NotifyingBuffer::Writer unused(buffer); }
  CHECK(buffer.version() == 2);
  NotifyingBuffer::Reader in(buffer);
  buffer.write(bytes("later"));
  std::string word;
  std::string number;
  in >> word >> number;
  CHECK(word == "answer");
  CHECK(number == "42!");
  CHECK(in.eof());
  std::atomic<int> told{0};
  strait::on_error([&](std::exception_ptr, std::string_view) { ++told; });
  {
    NotifyingBuffer::Writer out(buffer);
    out << std::string(21, 'x') << std::flush;
    CHECK(out.bad());
  }
  strait::on_error(nullptr);
  CHECK(told == 1);
  CHECK(text_of_last(buffer) == "later");
}
