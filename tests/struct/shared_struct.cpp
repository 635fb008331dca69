// SharedStruct between threads, handles and processes.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/platform/process.hpp>
#include <strait/shared_struct.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using strait::Change;
using strait::Errc;
using strait::forever;
using strait::no_wait;
using strait::open_or_create;
using strait::SharedStruct;
using strait::Status;

namespace {

struct State {
  std::int32_t mode;
  double level;
  std::array<char, 20> text;
  std::int64_t count;
};
constexpr State initial{1, 2.5, {"hello"}, 4};

#pragma pack(push, 1)
struct Packed {
  char flag;
  double level;
  std::int32_t mode;
  std::uint16_t tail;
};
#pragma pack(pop)
static_assert(sizeof(Packed) == 15);

struct Large {
  std::array<char, 100'000> bytes;
};

struct Named {
  std::int32_t a;
  float b;
};
struct Moved {
  float b;
  std::int32_t a;
};
struct Retyped {
  std::int32_t a;
  std::int32_t b;
};

std::string control(const std::string& name) { return name + ".ctl"; }

template <class T>
std::vector<unsigned char> bytes_of(const T& value) {
  std::vector<unsigned char> bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

const ChildFunction hold{"struct: hold", [](std::span<const std::string> arguments) -> int {
                           const SharedStruct<State> shared(arguments[0], initial);
                           say("ready");
                           static_cast<void>(hear());
                           return 0;
                         }};

const ChildFunction change{"struct: change", [](std::span<const std::string> arguments) -> int {
                             SharedStruct<State> shared(arguments[0]);
                             shared.set(&State::count, std::stoll(arguments[1]));
                             say(std::to_string(shared.version()));
                             static_cast<void>(hear());
                             return 0;
                           }};

const ChildFunction await{"struct: wait", [](std::span<const std::string> arguments) -> int {
                            const SharedStruct<State> shared(arguments[0]);
                            say("ready");
                            say(text_of(shared.wait_for_change(std::stoull(arguments[1]), forever)));
                            say(std::to_string(shared.get(&State::count)));
                            return 0;
                          }};

const ChildFunction stand_in_update{"struct: stand in update", [](std::span<const std::string> arguments) -> int {
                                      SharedStruct<State> shared(arguments[0]);
                                      shared.update([](State& state) {
                                        state.count = -1;
                                        say("inside");
                                        static_cast<void>(hear());
                                      });
                                      return 0;
                                    }};

}  // namespace

namespace strait {
template <>
struct share_name<Named> {
  static constexpr std::string_view value = "reading";
  static constexpr auto fields = std::tuple{&Named::a, &Named::b};
};
template <>
struct share_name<Moved> {
  static constexpr std::string_view value = "reading";
  static constexpr auto fields = std::tuple{&Moved::a, &Moved::b};
};
template <>
struct share_name<Retyped> {
  static constexpr std::string_view value = "reading";
  static constexpr auto fields = std::tuple{&Retyped::a, &Retyped::b};
};
}  // namespace strait

TEST_CASE("the object of the name holds exactly the struct's bytes, from offset 0, and both objects go with the last handle") {
  NameGuard name("struct");
  {
    SharedStruct<State> shared(name, initial);
    CHECK(shared.name() == name.str());
    CHECK(shared.is_owner());
    CHECK(shm_holds(name, bytes_of(initial)));
    CHECK(shm_exists(control(name)));
    const SharedStruct<State> other(name);
    CHECK_FALSE(other.is_owner());
    shared.close();
    CHECK(shm_exists(name));
    CHECK(other.load().level == 2.5);
  }
  CHECK_FALSE(shm_exists(name));
  CHECK_FALSE(shm_exists(control(name)));
}

TEST_CASE("what one handle stores, sets or updates the others load, and each is one change") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  SharedStruct<State> other(name);
  CHECK(other.version() == 0);
  CHECK(other.load().mode == 1);
  CHECK(std::string_view(other.load().text.data()) == "hello");
  State next = initial;
  next.mode = 7;
  shared.store(next);
  CHECK(other.version() == 1);
  CHECK(other.get(&State::mode) == 7);
  other.set(&State::level, -1.5);
  CHECK(shared.version() == 2);
  CHECK(shared.load().level == -1.5);
  shared.update([](State& state) {
    ++state.mode;
    state.text.fill('x');
  });
  CHECK(other.version() == 3);
  CHECK(other.load().mode == 8);
  CHECK(other.load().text[19] == 'x');
  CHECK(other.load().count == 4);
  shared.store(shared.load());  // nothing differs: a change all the same
  CHECK(other.version() == 4);
  CHECK(shm_holds(name, bytes_of(other.load())));
}

TEST_CASE("an update that throws, and one that is refused, change nothing") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  CHECK_THROWS_AS(shared.update([](State& state) {
    state.mode = 99;
    throw std::runtime_error("no");
  }),
                  std::runtime_error);
  CHECK(caught([&] { shared.update([&](State&) { shared.set(&State::mode, 5); }); }) == Errc::would_deadlock);
  CHECK(shared.version() == 0);
  CHECK(shm_holds(name, bytes_of(initial)));
  shared.set(&State::mode, 3);
  CHECK(shared.version() == 1);
}

TEST_CASE("a packed struct's members are read and written wherever they lie, and no other byte is touched") {
  NameGuard name("struct");
  SharedStruct<Packed> shared(name, Packed{'a', 1.25, 77, 9});
  shared.set(&Packed::level, -3.5);
  shared.set(&Packed::mode, 0x01020304);
  CHECK(shared.get(&Packed::flag) == 'a');
  CHECK(shared.get(&Packed::level) == -3.5);
  CHECK(shared.get(&Packed::mode) == 0x01020304);
  CHECK(shared.get(&Packed::tail) == 9);
  const Packed now{'a', -3.5, 0x01020304, 9};
  CHECK(shm_holds(name, bytes_of(now)));
}

TEST_CASE("writers wait for each other no longer than lock_timeout, and readers do not wait at all") {
  const Watchdog watchdog;
  NameGuard name("struct");
  strait::OpenOptions options;
  options.lock_timeout = 30ms;
  SharedStruct<State> shared(name, initial, options);
  SharedStruct<State> other(name, options);
  std::atomic<bool> inside{false};
  std::atomic<bool> go_on{false};
  Workers workers;
  workers.run([&] {
    other.update([&](State& state) {
      state.count = 11;
      inside = true;
      eventually([&] { return go_on.load(); });
    });
  });
  eventually([&] { return inside.load(); });
  CHECK(caught([&] { shared.set(&State::mode, 2); }) == Errc::timed_out);
  CHECK(caught([&] { shared.store(initial); }) == Errc::timed_out);
  CHECK(shared.load().count == 4);
  CHECK(shared.version() == 0);
  go_on = true;
  CHECK(workers.join() == "");
  CHECK(shared.load().count == 11);
  CHECK(shared.version() == 1);
}

TEST_CASE("a change made in another process wakes who waits for it") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  CHECK(shared.wait_for_change(0, no_wait) == Status::timed_out);
  CHECK(shared.wait_for_change(0, 5ms) == Status::timed_out);
  Child waiter("struct: wait", {name.str(), "0"});
  REQUIRE(waiter.read_line() == "ready");
  Child changer("struct: change", {name.str(), "42"});
  CHECK(changer.read_line() == "1");
  CHECK(waiter.read_line() == "ok");
  CHECK(waiter.read_line() == "42");
  CHECK(shared.wait_for_change(0, forever) == Status::ok);
  CHECK(shared.wait_for_change(1, no_wait) == Status::timed_out);
}

TEST_CASE("a process that is killed inside an update has changed nothing, and writers go on") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  Child victim("struct: stand in update", {name.str()});
  REQUIRE(victim.read_line() == "inside");
  victim.kill();
  victim.wait();
  shared.set(&State::mode, 6);
  CHECK(shared.version() == 1);
  CHECK(shared.load().count == 4);
}

TEST_CASE("handlers are told what changed and by whom, merged where they are slow, and never miss the last change") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  SharedStruct<State> other(name);
  std::mutex mutex;
  std::vector<std::pair<State, Change>> calls;
  std::atomic<std::uint64_t> last{0};
  std::atomic<bool> hold_back{false};
  const auto subscription = other.on_updated([&](const State& now, const Change& what) {
    eventually([&] { return !hold_back; });
    const std::lock_guard lock(mutex);
    calls.emplace_back(now, what);
    last = what.version;
  });
  shared.set(&State::level, 8.0);
  eventually([&] { return last == 1; });
  {
    const std::lock_guard lock(mutex);
    REQUIRE(calls.size() == 1);
    const auto& [now, what] = calls[0];
    CHECK(now.level == 8.0);
    CHECK(what.has(&State::level));
    CHECK_FALSE(what.has(&State::mode));
    CHECK_FALSE(what.has(&State::count));
    CHECK(what.first == offsetof(State, level));
    CHECK(what.last == offsetof(State, level) + 7);
    CHECK(what.by.alive);
    CHECK(what.by.owner);
    CHECK(what.by.pid == strait::platform::process_id());
    calls.clear();
  }
  hold_back = true;
  for (int i = 0; i < 100; ++i) {
    shared.set(&State::mode, i);
    other.set(&State::count, std::int64_t{i});
  }
  hold_back = false;
  eventually([&] { return last == 201; });
  const std::lock_guard lock(mutex);
  CHECK(calls.size() <= 200);
  CHECK(calls.back().first.mode == 99);
  CHECK(calls.back().first.count == 99);
  CHECK_FALSE(calls.back().second.by.owner);
  std::uint64_t before = 1;
  for (const auto& [now, what] : calls) {
    CHECK(what.version > before);
    // A change of two members is told as such.
    if (what.version - before >= 2) CHECK((what.has(&State::mode) && what.has(&State::count)));
    before = what.version;
  }
}

TEST_CASE("a subscription's end ends the calls, also inside its own handler, and it may outlive the struct") {
  const Watchdog watchdog;
  NameGuard name("struct");
  std::optional<SharedStruct<State>> shared(std::in_place, name, initial);
  std::atomic<int> calls{0};
  auto guard = std::make_shared<int>(0);
  strait::Subscription self;
  std::mutex mutex;
  {
    const std::lock_guard lock(mutex);
    self = shared->on_updated([&, guard](const State&, const Change&) {
      ++calls;
      const std::lock_guard lock_inside(mutex);
      self.cancel();
    });
  }
  CHECK(static_cast<bool>(self));
  shared->set(&State::mode, 1);
  eventually([&] { return guard.use_count() == 1; });  // what it captured is gone with it
  shared->set(&State::mode, 2);
  CHECK(calls == 1);

  std::atomic<int> more{0};
  auto other = shared->on_updated([&](const State&, const Change&) { ++more; });
  shared->set(&State::mode, 3);
  eventually([&] { return more == 1; });
  CHECK(calls == 1);
  auto moved = std::move(other);
  CHECK_FALSE(static_cast<bool>(other));  // NOLINT: after the move on purpose
  shared.reset();
  moved.cancel();
}

TEST_CASE("what a handler throws goes to the hook, and the handler goes on being called") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  std::atomic<int> told{0};
  std::atomic<bool> named{true};
  strait::on_error([&](std::exception_ptr error, std::string_view where) {
    try {
      std::rethrow_exception(error);
    } catch (const std::runtime_error& thrown) {
      if (std::string_view(thrown.what()) != "from a handler") named = false;
    }
    if (where.find("on_updated") == std::string_view::npos || where.find(name.str()) == std::string_view::npos) named = false;
    ++told;
    throw std::logic_error("a hook that throws is left at that");
  });
  {
    const auto subscription = shared.on_updated([](const State&, const Change&) { throw std::runtime_error("from a handler"); });
    shared.set(&State::mode, 1);
    eventually([&] { return told == 1; });
    shared.set(&State::mode, 2);
    eventually([&] { return told == 2; });
  }
  strait::on_error(nullptr);
  CHECK(named);
}

TEST_CASE("closing ends waits and handlers, and every later call is told so") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  SharedStruct<State> other(name);
  const auto subscription = other.on_updated([](const State&, const Change&) {});
  Workers workers;
  workers.run([&] {
    if (other.wait_for_change(0, forever) != Status::closed) workers.fail("the wait was not told");
  });
  std::this_thread::sleep_for(10ms);  // so that it sleeps; whenever it comes, it is told
  other.close();
  other.close();
  CHECK(workers.join() == "");
  CHECK(other.wait_for_change(0, forever) == Status::closed);
  CHECK(caught([&] { return other.load().mode; }) == Errc::closed);
  CHECK(caught([&] { other.set(&State::mode, 1); }) == Errc::closed);
  CHECK(caught([&] { return other.version(); }) == Errc::closed);
  CHECK(caught([&] { return other.raw() == nullptr; }) == Errc::closed);
  CHECK(caught([&] { return other.on_updated([](const State&, const Change&) {}); }) == Errc::closed);
  CHECK_FALSE(other.is_owner());
  // Inside a handler it would wait for itself.
  std::atomic<bool> refused{false};
  const auto closing =
      shared.on_updated([&](const State&, const Change&) { refused = caught([&] { shared.close(); }) == Errc::would_deadlock; });
  shared.set(&State::mode, 1);
  eventually([&] { return refused.load(); });
}

TEST_CASE("a creator refuses a living name, an opener a missing one, and another type is told from it") {
  NameGuard name("struct");
  CHECK(caught([&] { SharedStruct<State> none(name); }) == Errc::not_found);
  SharedStruct<State> shared(name, initial);
  CHECK(caught([&] { SharedStruct<State> again(name, initial); }) == Errc::already_exists);
  const auto refused = caught([&] { SharedStruct<Packed> other(name); });
  CHECK(refused == Errc::type_mismatch);
  CHECK(refused.segment == name.str());
  CHECK(caught([&] { SharedStruct<Packed> other(open_or_create, name, Packed{}); }) == Errc::type_mismatch);
  CHECK(caught([&] { strait::CircularBuffer ring(name); }) == Errc::not_a_segment);
  CHECK(caught([&] { strait::CircularBuffer ring(name, 4, 64); }) == Errc::not_a_segment);
  CHECK(caught([&] { SharedStruct<State> bad("no/slash", initial); }) == Errc::invalid_argument);
  SharedStruct<State> joined(open_or_create, name, State{});
  CHECK(joined.load().mode == 1);
}

TEST_CASE("the offsets and kinds of listed fields are part of the type") {
  NameGuard name("struct");
  const SharedStruct<Named> shared(name, Named{1, 2.f});
  CHECK(SharedStruct<Named>(name).load().a == 1);
  CHECK(caught([&] { SharedStruct<Moved> other(name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedStruct<Retyped> other(name); }) == Errc::type_mismatch);
}

TEST_CASE("a name of 200 characters is a struct's too") {
  NameGuard prefix("struct");
  const std::string name = prefix.str() + std::string(200 - prefix.str().size(), 'x');
  {
    SharedStruct<State> shared(name, initial);
    CHECK(SharedStruct<State>(name).load().mode == 1);
  }
  CHECK_FALSE(shm_exists(name));
  CHECK(caught([&] { SharedStruct<State> shared(name + "y", initial); }) == Errc::invalid_argument);
}

TEST_CASE("a segment of another kind under the name is refused while it lives, and in nobody's way when it is dead") {
  NameGuard name("struct");
  {
    strait::CircularBuffer ring(name, 4, 64);
    CHECK(caught([&] { SharedStruct<State> shared(name, initial); }) == Errc::already_exists);
    CHECK(caught([&] { SharedStruct<State> shared(name); }) == Errc::wrong_kind);
    CHECK_FALSE(shm_exists(control(name)));
    int out = 0;
    CHECK(ring.write(5) == Status::ok);
    CHECK(ring.read(out) == Status::ok);
  }
  SharedStruct<State> shared(name, initial);
  CHECK(shared.load().mode == 1);
}

TEST_CASE("what a foreign program wrote directly is loaded, kept by a set of another member, and told to a polling handler") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  std::atomic<int> calls{0};
  std::atomic<int> plain{0};
  std::atomic<std::uint64_t> by{1};
  std::atomic<bool> has_mode{false};
  std::atomic<bool> has_count{true};
  const auto not_polling = shared.on_updated([&](const State&, const Change&) { ++plain; });
  const auto subscription = shared.on_updated(
      [&](const State& now, const Change& what) {
        if (now.mode != 1234) return;
        has_mode = what.has(&State::mode);
        has_count = what.has(&State::count);
        by = what.by.id;
        ++calls;
      },
      5ms);
  const std::int32_t mode = 1234;
  shm_patch(name, offsetof(State, mode), &mode, sizeof mode);
  CHECK(shared.load().mode == 1234);
  eventually([&] { return calls == 1; });
  CHECK(has_mode);
  CHECK_FALSE(has_count);
  CHECK(by == 0);
  CHECK(plain == 0);
  CHECK(shared.version() == 0);
  shared.set(&State::count, 8);
  CHECK(shared.load().mode == 1234);
}

TEST_CASE("an object that a foreign program made is opened, shared with versions and locks, and never removed") {
  const Watchdog watchdog;
  NameGuard name("struct");
  shm_write(name, bytes_of(initial));
  {
    CHECK(caught([&] { SharedStruct<State> creator(name, initial); }) == Errc::not_a_segment);
    CHECK(caught([&] { SharedStruct<Large> other(name); }) == Errc::type_mismatch);
    CHECK_FALSE(shm_exists(control(name)));
    SharedStruct<State> shared(name);
    SharedStruct<State> other(name);
    CHECK(shared.load().mode == 1);
    other.set(&State::mode, 2);
    CHECK(shared.version() == 1);
    CHECK(shared.get(&State::mode) == 2);
    const std::int64_t count = 77;
    shm_patch(name, offsetof(State, count), &count, sizeof count);
    CHECK(other.load().count == 77);
    CHECK(shared.raw()->count == 77);
    const auto either = SharedStruct<State>(open_or_create, name, State{});
    CHECK(either.load().count == 77);
  }
  CHECK_FALSE(shm_exists(control(name)));
  REQUIRE(shm_exists(name));
  State now{};
  std::memcpy(&now, shm_bytes(name).data(), sizeof now);
  CHECK(now.mode == 2);
  {
    const SharedStruct<State> first(open_or_create, name, State{});
    CHECK(first.load().mode == 2);
  }
  CHECK(shm_exists(name));
  strait::OpenOptions options;
  options.read_only = true;
  {
    SharedStruct<State> reader(name, options);
    CHECK(reader.load().count == 77);
    CHECK(caught([&] { reader.set(&State::mode, 1); }) == Errc::permission_denied);
  }
  CHECK(shm_exists(name));
  shm_forget(name);
}

TEST_CASE("a read-only handle loads, waits and watches, and is refused whatever writes") {
  const Watchdog watchdog;
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  strait::OpenOptions options;
  options.read_only = true;
  SharedStruct<State> reader(name, options);
  CHECK(reader.load().mode == 1);
  CHECK(reader.wait_for_change(0, 1ms) == Status::timed_out);
  CHECK(caught([&] { reader.store(initial); }) == Errc::permission_denied);
  CHECK(caught([&] { reader.update([](State&) {}); }) == Errc::permission_denied);
  std::atomic<int> seen{0};
  const auto subscription = reader.on_updated([&](const State& now, const Change&) { seen = now.mode; });
  Child changer("struct: change", {name.str(), "5"});
  CHECK(changer.read_line() == "1");
  CHECK(reader.wait_for_change(0, forever) == Status::ok);
  shared.set(&State::mode, 9);
  eventually([&] { return seen == 9; });
  CHECK_FALSE(reader.is_owner());
}

TEST_CASE(
    "when everybody was killed, the next creator starts afresh, an opener finds nothing, and a sweep removes both objects") {
  const Watchdog watchdog;
  for (const int next : {0, 1, 2}) {
    NameGuard name("struct");
    Child owner("struct: hold", {name.str()});
    REQUIRE(owner.read_line() == "ready");
    owner.kill();
    owner.wait();
    if (next == 0) {
      State other = initial;
      other.mode = 50;
      SharedStruct<State> shared(name, other);
      CHECK(shared.load().mode == 50);
      CHECK(shared.version() == 0);
    } else if (next == 1) {
      CHECK(caught([&] { SharedStruct<State> shared(name); }) == Errc::not_found);
      CHECK_FALSE(shm_exists(name));
    } else {
      strait::remove_dead_segments();
    }
    CHECK_FALSE(shm_exists(name));
    CHECK_FALSE(shm_exists(control(name)));
  }
}

TEST_CASE(
    "who is left alone by a creator that was killed goes on, is told peer_lost where it would wait, and adopts nothing by "
    "accident") {
  const Watchdog watchdog;
  NameGuard name("struct");
  Child owner("struct: hold", {name.str()});
  REQUIRE(owner.read_line() == "ready");
  SharedStruct<State> shared(name);
  owner.kill();
  owner.wait();
  CHECK(shared.wait_for_change(0, forever) == Status::peer_lost);
  shared.set(&State::mode, 4);
  CHECK_FALSE(shared.is_owner());
  const SharedStruct<State> adopter(open_or_create, name, State{});
  CHECK(adopter.is_owner());
  CHECK(adopter.load().mode == 4);
}

TEST_CASE("arithmetic types and types without a default constructor are shared too") {
  struct NoDefault {
    explicit NoDefault(int number) : value(number) {}
    int value;
  };
  NameGuard name("struct");
  NameGuard number("struct");
  SharedStruct<NoDefault> shared(name, NoDefault(5));
  shared.update([](NoDefault& it) { it.value = 6; });
  CHECK(shared.load().value == 6);
  SharedStruct<double> single(number, 1.5);
  single.store(2.5);
  CHECK(SharedStruct<double>(number).load() == 2.5);
  static_assert(!std::is_copy_constructible_v<SharedStruct<int>> && std::is_nothrow_move_constructible_v<SharedStruct<int>>);
}
