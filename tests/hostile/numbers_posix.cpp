// Numbers in the segment of an event that somebody has replaced. (On Windows an event is the system's own.)

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "forged.hpp"

#include <strait/layout/event.hpp>
#include <strait/named_event.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

using namespace strait;
using namespace strait::test;
using namespace std::chrono_literals;

TEST_CASE("an event whose count of waiters is beyond all bounds looks at no entry that is not there") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  NamedEvent event(name, NamedEvent::Reset::automatic);
  const BackDoor door(name);
  auto& block = *reinterpret_cast<layout::EventBlock*>(door.bytes() + payload_of(door));
  block.entry_used = (std::numeric_limits<std::uint32_t>::max)();
  event.set();
  CHECK(event.wait(no_wait) == Status::ok);
  CHECK(event.wait(Timeout(1ms)) == Status::timed_out);
}

TEST_CASE("an event's segment without room for waiters is told as broken") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  const NamedEvent event(name, NamedEvent::Reset::automatic);
  for (const std::uint64_t count : {1u, 7u, 8u}) {
    forge_elements(name, layout::event_entry_size, count);
    CHECK(caught([&] { NamedEvent other(name, NamedEvent::Reset::automatic); }) == Errc::broken);
  }
}
