// Numbers in a segment that somebody has replaced: none is used before it is checked.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "forged.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/notifying_buffer.hpp>
#include <strait/rpc_buffer.hpp>
#include <strait/shared_struct.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <thread>
#include <vector>

using namespace strait;
using namespace strait::test;
using namespace std::chrono_literals;

namespace {

layout::ControlBlock& control_of(const BackDoor& door) {
  return *reinterpret_cast<layout::ControlBlock*>(door.bytes() + layout::header_size + header_of(door).seat_count * sizeof(layout::SeatLine));
}

struct Values {
  std::array<std::uint64_t, 16> all;
};

}  // namespace

TEST_CASE("a message that says it is longer than its node is told as broken, dropped, and hides no other") {
  const Watchdog watchdog;
  for (const Sharing sharing : {Sharing::many, Sharing::one}) {
    NameGuard name("hostile");
    RingOptions options;
    options.writers = options.readers = sharing;
    CircularBuffer ring(name, 4, 100, options);
    const BackDoor door(name);
    const auto lengthen = [&](std::uint32_t length) {
      const auto stride = static_cast<std::size_t>(*layout::node_stride(100));
      for (std::size_t node = 0; node < 4; ++node) door.word<std::uint32_t>(payload_of(door) + node * stride + offsetof(layout::Node, length)).store(length);
    };
    for (const std::uint32_t length : {101u, 5000u, 0x7fffffffu, 0xffffffffu}) {
      CAPTURE(length);
      std::vector<std::byte> out(200);
      const std::vector<std::function<void()>> reads{
          [&] { static_cast<void>(ring.read(std::span(out), no_wait)); },
          [&] { static_cast<void>(ring.read_with([](std::span<const std::byte>) {}, no_wait)); },
          [&] { static_cast<void>(ring.take(no_wait)); },
      };
      for (const auto& read : reads) {
        REQUIRE(ring.write(1, no_wait) == Status::ok);
        lengthen(length);
        REQUIRE(ring.write(2, no_wait) == Status::ok);
        CHECK(caught(read) == Errc::broken);
        int value = 0;
        CHECK(ring.read(value, no_wait) == Status::ok);
        CHECK(value == 2);
      }
    }
  }
}

TEST_CASE("a header with no seats or too many is refused, also where all its other numbers fit to that") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  OpenOptions options;
  options.max_participants = layout::max_seats;
  const BufferReadWrite buffer(name, 4096, options);
  const BackDoor door(name);
  auto& header = *reinterpret_cast<layout::SegmentHeader*>(door.bytes());
  for (const std::uint32_t seats : {0u, layout::max_seats + 1}) {
    const auto plan = *layout::plan({layout::Kind::buffer, 1, 64, header.element_alignment, 0}, seats);
    REQUIRE(plan.segment_size <= door.size());
    header.element_count = 64;
    header.seat_count = seats;
    header.payload_offset = plan.payload_offset;
    header.payload_size = plan.payload_size;
    header.segment_size = plan.segment_size;
    CHECK(caught([&] { BufferReadWrite other(name); }) == Errc::broken);
  }
}

TEST_CASE("a side of a ring that belongs to a seat that does not exist is refused") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  RingOptions options;
  options.writers = options.readers = Sharing::one;
  CircularBuffer ring(name, 4, 100, options);
  const BackDoor door(name);
  for (const std::uint32_t owner : {9000u, 0x7fffffffu, 0xffffffffu}) {
    control_of(door).writer_side = owner;
    control_of(door).reader_side = owner;
    CHECK(caught([&] { static_cast<void>(ring.write(1, no_wait)); }) == Errc::too_many_participants);
    int value = 0;
    CHECK(caught([&] { static_cast<void>(ring.read(value, no_wait)); }) == Errc::too_many_participants);
  }
  control_of(door).writer_side = 0;
  CHECK(ring.write(1, no_wait) == Status::ok);
}

TEST_CASE("places of a channel that belong to seats that do not exist keep nobody") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  RpcBuffer first(name);
  const BackDoor door(name);
  const Places places(door);
  const auto before = places.first.load();
  const auto nowhere = layout::PlaceWord::of(9, layout::PlaceState::occupied, layout::PlaceState::empty, 8190).bits;
  places.first = nowhere;
  places.second = nowhere;
  CHECK(caught([&] { RpcBuffer second(name); }) == Errc::channel_full);
  places.first = before;
  places.second = 0;
  CHECK(caught([&] { RpcBuffer second(name); }).nothing());
}

TEST_CASE("a message of a notifying buffer that says it is longer than the buffer is as long as the buffer") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  NotifyingBuffer latest(name, 100);
  latest.write(std::vector<std::byte>(50, std::byte{3}));
  const BackDoor door(name);
  const auto value = payload_of(door) + sizeof(layout::CellBlock) + 2 * 128;  // behind two journals of 108 bytes, in steps of 64
  auto& length = door.word<std::uint64_t>(value);
  REQUIRE(length == 50);
  for (const std::uint64_t wrong : {std::uint64_t{101}, std::uint64_t{1} << 40, ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
    length = wrong;
    CHECK(latest.read().size() == 100);
    latest.write(std::vector<std::byte>(7));  // keeps the old value in a journal first
    CHECK(latest.read().size() == 7);
  }
}

TEST_CASE("who changed what of a struct is told only where it can be, within the value and by a seat that exists") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  SharedStruct<Values> shared(name, Values{});
  const BackDoor door(name.str() + ".ctl");
  auto& block = *reinterpret_cast<layout::CellBlock*>(door.bytes() + payload_of(door));
  std::atomic<int> calls{0};
  std::atomic<bool> inside{true};
  const auto watched = shared.on_updated([&](const Values&, const Change& change) {
    if (change.first > change.last || change.last >= sizeof(Values)) inside = false;
    ++calls;
  });
  for (const std::uint64_t wrong : {std::uint64_t{sizeof(Values)}, ~std::uint64_t{0}}) {
    const int before = calls;
    const auto version = layout::CellState{block.state.load()}.version() + 1;
    auto& line = block.changes[version % layout::change_lines];
    line.version = version;
    line.first = 3;
    line.last = wrong;
    line.seat = static_cast<std::uint32_t>(wrong);
    block.state = layout::CellState::of(version, 0, false).bits;
    while (calls == before) std::this_thread::yield();
  }
  CHECK(inside);
}

TEST_CASE("a channel's segment with tiny nodes is told as broken") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  const RpcBuffer channel(name);
  for (const std::uint64_t size : {1u, 31u, 32u, 255u}) {
    forge_elements(name, size, 4);
    CHECK(caught([&] { RpcBuffer other(name); }) == Errc::broken);
  }
}
