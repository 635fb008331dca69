// Words that change between any two looks, because somebody scribbles over them: every call ends, with a verdict.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "forged.hpp"
#include "restless.hpp"

#include <strait/event/event.hpp>
#include <strait/handle/struct_handle.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/platform/shared_bytes.hpp>
#include <strait/rpc_buffer.hpp>
#include <strait/wait/signal.hpp>

#include <array>
#include <cstdint>

using namespace strait;
using namespace strait::test;

namespace {

struct EventMemory {
  Restless<std::uint64_t>& state() { return *state_; }
  Restless<std::uint64_t>& orders() { return *orders_; }
  Restless<std::uint32_t>& entry_used() { return *used_; }
  Restless<std::uint64_t>& entry(std::uint32_t) { return *entry_; }
  std::uint32_t entry_count() const { return 4; }
  void wake() const {}

  Restless<std::uint64_t>* state_;
  Restless<std::uint64_t>* orders_;
  Restless<std::uint32_t>* used_;
  Restless<std::uint64_t>* entry_;
};

struct NoPark {
  int woken = 0;
  template <class Word>
  void wake_all(Word&, std::uint32_t) {
    ++woken;
  }
};

struct Values {
  std::array<std::uint64_t, 64> all;
};

}  // namespace

TEST_CASE("an event whose words change at every look is set, reset, waited for and mended all the same") {
  const Watchdog watchdog;
  std::uint64_t number = 0;
  for (const bool set : {false, true}) {
    Restless<std::uint64_t> state{[&] { return number += 2, number | static_cast<std::uint64_t>(set); }};
    Restless<std::uint64_t> orders{[&] { return ++number; }};
    Restless<std::uint32_t> used{[&] { return std::uint32_t{0}; }};
    Restless<std::uint64_t> entry{[&] { return layout::EventEntry::of(layout::EntryState::waiting, ++number, 3).bits; }};
    event::Event<EventMemory> event(EventMemory{&state, &orders, &used, &entry});
    event.set_manual();
    event.set_automatic();
    event.reset();
    CHECK_FALSE(event.take());
    CHECK_FALSE(event.enter(1).has_value());
    used.next = [] { return std::uint32_t{7}; };
    event.set_automatic();
    event.mend(3);
    entry.next = [] { return std::uint64_t{0}; };
    CHECK_FALSE(event.enter(1).has_value());
    event.mend(3);
    used.next = [] { return std::uint32_t{0}; };
    CHECK_FALSE(event.enter(1).has_value());
  }
}

TEST_CASE("a wake on a signal that changes at every look ends") {
  const Watchdog watchdog;
  std::uint32_t number = 1;
  Restless<std::uint32_t> signal{[&] { return number += 2; }};
  NoPark park;
  wait::wake(signal, park);
  CHECK(park.woken == 0);
}

TEST_CASE("a value that changes during every copy is told as timed out, and read when that has ended, and the handle closes") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  const Values initial{};
  handle::StructHandle shared(name, segment::Intent::create, {sizeof initial, 7}, &initial, {});
  const BackDoor control(name.str() + ".ctl");
  auto& state = control.word<std::uint64_t>(payload_of(control));
  std::uint64_t version = 0;
  const auto scribble = [&](const std::byte*) { state.store(layout::CellState::of(++version, 0, false).bits, std::memory_order_relaxed); };
  CHECK(caught([&] { static_cast<void>(shared.read(scribble)); }) == Errc::timed_out);
  Values copy{};
  CHECK(shared.read([&](const std::byte* from) { platform::load_bytes(&copy, from, sizeof copy); }) == version);
  shared.close();
}

TEST_CASE("an endpoint that finds its place changed at every look is told that the channel is full") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  RpcBuffer first(name);
  const BackDoor door(name);
  const Places places(door);
  const auto before = places.first.load();
  {
    std::uint32_t epoch = 0;
    const Scribbler scribbler([&] {
      const auto vacant = layout::PlaceWord::of(++epoch, layout::PlaceState::closed, layout::PlaceState::empty).bits;
      places.second.store(vacant, std::memory_order_relaxed);
      places.first.store(vacant, std::memory_order_relaxed);
    });
    const auto verdict = caught([&] { RpcBuffer second(name); });
    const bool right = verdict.nothing() || verdict == Errc::channel_full;
    CHECK(right);
  }
  places.first.store(before);
}
