// Bad input: each gets its Errc, a message that names the segment and what both sides have, and leaves everything usable.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"
#include "ways.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/shared_array.hpp>

#include <strait/platform/process.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using strait::BufferReadWrite;
using strait::CircularBuffer;
using strait::Errc;
using strait::open_or_create;
using strait::SharedArray;
using strait::layout::SegmentHeader;
using strait::test::caught;
using strait::test::Caught;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::NameGuard;
using strait::test::Watchdog;
using strait::test::ways;

namespace {

constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
constexpr std::size_t root = std::size_t{1} << (4 * sizeof(std::size_t));  // whose square is one more

// A segment held by a process that will never look at it again, so that its bytes can be damaged.
const ChildFunction hold{"errors: hold a segment", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  std::optional<SharedArray<int>> array;
  std::optional<CircularBuffer> ring;
  if (arguments[1] == "array") array.emplace(name, std::size_t{4});
  if (arguments[1] == "ring") ring.emplace(name, std::size_t{3}, std::size_t{8});
  strait::test::say("ready");
  strait::test::hear();
  strait::test::exit_at_once(0);
}};

template <class Value>
void damage(const std::string& name, std::size_t offset, Value value) {
  strait::test::shm_patch(name, offset, &value, sizeof value);
}

using strait::test::shm_forget;

}  // namespace

TEST_CASE("names that cannot be had everywhere are refused everywhere") {
  const std::vector<std::string> bad{"", std::string(201, 'n'), std::string(5000, 'n'), "/", "a/b", "/leading", "..", ".", "../up", "a b", "a\\b", "a:b", std::string("a\0b", 3), "\xc3\xa9", "a\n"};
  for (const auto& name : bad) {
    for (const auto& [what, way] : ways()) {
      CAPTURE(name, what);
      const auto refused = caught([&, &way = way] { way(name); });
      CHECK(refused == Errc::invalid_argument);
      CHECK(refused.segment == name);
    }
  }
}

TEST_CASE("names of every allowed character and length are accepted") {
  const std::string base = strait::test::unique_name("name");
  for (const std::string& tail : {std::string(".x"), std::string("_x"), std::string("{0-A}"), std::string("..."), std::string(200 - base.size(), 'n')}) {
    CAPTURE(tail);
    CHECK(caught([&] {
      SharedArray<int> array(base + tail, 4);
      SharedArray<int> opened(base + tail);
    }).nothing());
  }
  CHECK(caught([] { SharedArray<int> hidden(".strait-test-" + std::to_string(strait::platform::process_id()), 4); }).nothing());
  CHECK(strait::test::left_behind(base).empty());
}

TEST_CASE("zero sizes and rings of less than two nodes are refused") {
  NameGuard name("errors");
  const auto refused = [&](auto call) {
    const auto result = caught(call);
    CHECK(result == Errc::invalid_argument);
    CHECK(result.segment == name.str());
    CHECK(result.says(name.str()));
    CHECK_FALSE(strait::test::shm_exists(name.str()));
  };
  refused([&] { SharedArray<int> array(name, 0); });
  refused([&] { SharedArray<int> array(open_or_create, name, 0); });
  refused([&] { BufferReadWrite buffer(name, 0); });
  refused([&] { CircularBuffer ring(name, 0, 8); });
  refused([&] { CircularBuffer ring(name, 1, 8); });
  refused([&] { CircularBuffer ring(name, 2, 0); });
  refused([&] { CircularBuffer ring(open_or_create, name, 1, 8); });
  for (const auto& [what, way] : ways()) {
    if (what.starts_with("create")) CHECK(caught([&, &create = way] { create(name); }).nothing());
  }
}

TEST_CASE("sizes that no object can have are refused as too large") {
  NameGuard name("errors");
  const auto refused = [&](auto call) {
    const auto result = caught(call);
    CHECK(result == Errc::too_large);
    CHECK(result.segment == name.str());
    CHECK_FALSE(strait::test::shm_exists(name.str()));
  };
  refused([&] { SharedArray<std::uint64_t> array(name, huge); });
  refused([&] { SharedArray<std::uint64_t> array(name, huge / 8); });
  refused([&] { SharedArray<std::uint64_t> array(name, huge / 8 + 2); });  // wraps to a few bytes
  refused([&] { BufferReadWrite buffer(name, huge); });
  refused([&] { BufferReadWrite buffer(name, huge - 100); });
  refused([&] { CircularBuffer ring(name, huge, 8); });
  refused([&] { CircularBuffer ring(name, 2, huge); });
  refused([&] { CircularBuffer ring(name, root, root); });
  CHECK(caught([&] { SharedArray<int> array(name, 4); }).nothing());
}

TEST_CASE("more than the system has is refused and leaves nothing behind") {
  NameGuard name("errors");
  const auto result = caught([&] { BufferReadWrite buffer(name, static_cast<std::size_t>((std::min<std::uint64_t>)(std::uint64_t{1} << 45, huge - (1 << 20)))); });
  CAPTURE(result);
  const bool right = result == Errc::no_space || result == Errc::too_large;
  CHECK(right);
  CHECK(result.segment == name.str());
  CHECK_FALSE(strait::test::shm_exists(name.str()));
}

TEST_CASE("a name that is taken cannot be created, and its holder is not disturbed") {
  NameGuard name("errors");
  SharedArray<int> holder(name, 4);
  holder[0] = 5;
  for (const auto& [what, way] : ways()) {
    if (!what.starts_with("create")) continue;
    CAPTURE(what);
    const auto refused = caught([&, &create = way] { create(name); });
    CHECK(refused == Errc::already_exists);
    CHECK(refused.segment == name.str());
    CHECK(refused.says(name.str()));
  }
  CHECK(holder[0] == 5);
  CHECK(holder.participants().size() == 1);
  CHECK(SharedArray<int>(name)[0] == 5);
}

TEST_CASE("a name that is missing cannot be opened, and is not made by trying") {
  NameGuard name("errors");
  for (const auto& [what, way] : ways()) {
    if (!what.starts_with("open a")) continue;
    CAPTURE(what);
    const auto refused = caught([&, &open = way] { open(name); });
    CHECK(refused == Errc::not_found);
    CHECK(refused.segment == name.str());
    CHECK(refused.says(name.str()));
    CHECK_FALSE(strait::test::shm_exists(name.str()));
  }
}

TEST_CASE("a segment of another kind is refused with both kinds") {
  NameGuard name("errors");
  const auto check = [&](const std::string& there, const std::string& asked, auto call) {
    CAPTURE(there, asked);
    const auto refused = caught(call);
    CHECK(refused == Errc::wrong_kind);
    CHECK(refused.segment == name.str());
    CHECK(refused.says(name.str()));
    CHECK(refused.says(there));
    CHECK(refused.says(asked));
  };
  {
    SharedArray<int> array(name, 4);
    check("array", "buffer", [&] { BufferReadWrite wrong(name); });
    check("array", "ring", [&] { CircularBuffer wrong(name); });
    check("array", "ring", [&] { CircularBuffer wrong(open_or_create, name, 2, 8); });
    array[3] = 1;
  }
  {
    BufferReadWrite buffer(name, 16);
    check("buffer", "array", [&] { SharedArray<std::byte> wrong(name); });
    check("buffer", "ring", [&] { CircularBuffer wrong(name); });
    buffer.write(1);
  }
  {
    CircularBuffer ring(name, 2, 8);
    check("ring", "array", [&] { SharedArray<int> wrong(name); });
    check("ring", "buffer", [&] { BufferReadWrite wrong(open_or_create, name, 16); });
    CHECK(ring.write(1) == strait::Status::ok);
  }
}

TEST_CASE("foreign bytes under a name are refused and never changed, also by a creator") {
  const Watchdog watchdog;
  NameGuard name("errors");
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{128}, std::size_t{100'000}}) {
    const std::vector<unsigned char> foreign(size, 'F');
    strait::test::shm_write(name.str(), foreign);
    const auto before = strait::test::shm_bytes(name.str());
    for (const auto& [what, way] : ways()) {
      CAPTURE(what, size);
      const auto refused = caught([&, &call = way] { call(name); });
      CHECK(refused == Errc::not_a_segment);
      CHECK(refused.segment == name.str());
      CHECK(strait::test::shm_bytes(name.str()) == before);
    }
    shm_forget(name);
  }
  CHECK(caught([&] { SharedArray<int> array(name, 4); }).nothing());
}

TEST_CASE("a segment of another format version is refused with both versions") {
  const Watchdog watchdog;
  NameGuard name("errors");
  Child holder("errors: hold a segment", {name.str(), "array"});
  REQUIRE(holder.read_line() == "ready");
  CHECK(caught([&] { SharedArray<int> good(name); }).nothing());
  damage(name, offsetof(SegmentHeader, version), std::uint32_t{34567});
  auto refused = caught([&] { SharedArray<int> array(name); });
  CHECK(refused == Errc::wrong_version);
  CHECK(refused.segment == name.str());
  REQUIRE(refused.says(name.str()));
  refused.text.erase(refused.text.find(name.str()), name.str().size());
  CAPTURE(refused.text);
  CHECK(refused.says("34567"));
  CHECK(refused.says(std::to_string(strait::layout::format_version)));
  CHECK(caught([&] { SharedArray<int> array(open_or_create, name, 4); }) == Errc::wrong_version);
  damage(name, offsetof(SegmentHeader, version), strait::layout::format_version);
  CHECK(caught([&] { SharedArray<int> good(name); }).nothing());
  const auto good = strait::test::shm_bytes(name.str());
  damage(name, offsetof(SegmentHeader, presence), std::uint16_t{777});
  CHECK(caught([&] { SharedArray<int> array(name); }) == Errc::wrong_version);
  strait::test::shm_patch(name.str(), 0, good.data(), sizeof(SegmentHeader));
  damage(name, offsetof(SegmentHeader, park), std::uint16_t{777});
  CHECK(caught([&] { SharedArray<int> array(name); }) == Errc::wrong_version);
  holder.kill();
  holder.wait();
  shm_forget(name);
}

TEST_CASE("no number in a damaged header is believed") {
  const Watchdog watchdog;
  NameGuard name("errors");
  Child holder("errors: hold a segment", {name.str(), "ring"});
  REQUIRE(holder.read_line() == "ready");
  const auto good = strait::test::shm_bytes(name.str());
  const auto refused_with = [&](std::size_t offset, auto value) {
    damage(name, offset, value);
    const auto refused = caught([&] { CircularBuffer ring(name); });
    CAPTURE(offset, value, refused);
    CHECK(refused.code.has_value());
    CHECK(refused.segment == name.str());
    strait::test::shm_patch(name.str(), 0, good.data(), sizeof(SegmentHeader));
  };
  for (const std::size_t offset : {offsetof(SegmentHeader, segment_size), offsetof(SegmentHeader, payload_offset), offsetof(SegmentHeader, payload_size),
                                   offsetof(SegmentHeader, element_size), offsetof(SegmentHeader, element_count)}) {
    // (An element of one byte instead of eight would take the same places: that one number cannot be seen to be wrong.)
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{77}, std::uint64_t{1} << 20, std::uint64_t{1} << 40, ~std::uint64_t{0}, ~std::uint64_t{0} - 63}) {
      refused_with(offset, value);
    }
  }
  for (const std::uint32_t value : {0u, 1u, 8192u, ~0u}) refused_with(offsetof(SegmentHeader, seat_count), value);
  for (const std::uint32_t value : {0u, 77u, ~0u}) refused_with(offsetof(SegmentHeader, kind), value);
  for (const std::uint32_t value : {0u, 3u, ~0u}) refused_with(offsetof(SegmentHeader, element_alignment), value);
  CHECK(caught([&] {
    CircularBuffer ring(name);
    if (ring.write(1) != strait::Status::ok) throw std::runtime_error("write");
  }).nothing());
  holder.kill();
  holder.wait();
  shm_forget(name);
}

TEST_CASE("a creator that does not finish is told after open_timeout, one that does is waited for") {
  const Watchdog watchdog;
  NameGuard name("errors");
  Child holder("errors: hold a segment", {name.str(), "array"});
  REQUIRE(holder.read_line() == "ready");
  damage(name, offsetof(SegmentHeader, state), static_cast<std::uint32_t>(strait::layout::State::creating));
  strait::OpenOptions options;
  options.open_timeout = 50ms;
  const auto start = std::chrono::steady_clock::now();
  const auto refused = caught([&] { SharedArray<int> array(name, options); });
  CHECK(refused == Errc::still_creating);
  CHECK(refused.segment == name.str());
  CHECK(std::chrono::steady_clock::now() - start >= 50ms);
  options.open_timeout = strait::forever;
  strait::test::Workers workers;
  workers.run([&] { SharedArray<int> array(name, options); });
  std::this_thread::sleep_for(20ms);
  damage(name, offsetof(SegmentHeader, state), static_cast<std::uint32_t>(strait::layout::State::ready));
  CHECK(workers.join() == "");
  holder.kill();
  holder.wait();
  shm_forget(name);
}

TEST_CASE("using an array or a buffer after its close throws closed") {
  NameGuard array_name("errors");
  SharedArray<int> array(array_name, 4);
  array.close();
  array.close();
  std::vector<int> values(2);
  CHECK(caught([&] { array[0] = 1; }) == Errc::closed);
  CHECK(caught([&] { return array.at(0); }) == Errc::closed);
  CHECK(caught([&] { return array.data(); }) == Errc::closed);
  CHECK(caught([&] { return array.begin(); }) == Errc::closed);
  CHECK(caught([&] { array.write(values); }) == Errc::closed);
  CHECK(caught([&] { array.read(values); }) == Errc::closed);
  CHECK(caught([&] { return array.acquire_read_lock(); }) == Errc::closed);
  CHECK(caught([&] { return array.acquire_write_lock(); }) == Errc::closed);
  CHECK(caught([&] { return array.participants(); }) == Errc::closed);
  CHECK(array.name() == array_name.str());
  CHECK(array.shutting_down());
  NameGuard buffer_name("errors");
  BufferReadWrite buffer(buffer_name, 64);
  buffer.close();
  const auto refused = caught([&] { buffer.write(1); });
  CHECK(refused == Errc::closed);
  CHECK(refused.segment == buffer_name.str());
  CHECK(refused.says(buffer_name.str()));
  CHECK(caught([&] { return buffer.read<int>(); }) == Errc::closed);
  CHECK(caught([&] { buffer.write_with([](std::span<std::byte>) {}); }) == Errc::closed);
  CHECK(caught([&] { buffer.read_with([](std::span<const std::byte>) {}); }) == Errc::closed);
}

TEST_CASE("the error codes are a std::error_code enum of the category strait") {
  const std::error_code code = Errc::timed_out;
  CHECK(code == Errc::timed_out);
  CHECK(code != Errc::closed);
  CHECK(std::string_view(code.category().name()) == "strait");
  CHECK_FALSE(code.message().empty());
  try {
    SharedArray<int> missing(strait::test::unique_name("missing"));
    FAIL("opened what is not there");
  } catch (const std::system_error& error) {
    CHECK(error.code() == Errc::not_found);
  }
}
