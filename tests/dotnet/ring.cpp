// The ring of the C# library as our processes use it: verdicts, callbacks, sleepers, ends, and bytes that somebody has spoilt.

#include "dotnet.hpp"

#include "../support/workers.hpp"

#include <strait/dotnet/ring.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>
#include <utility>

using namespace strait::test;
using namespace std::chrono_literals;
using strait::Errc;
using strait::forever;
using strait::no_wait;
using strait::Status;
namespace dotnet = strait::dotnet;

namespace {

constexpr std::size_t header = sizeof(dotnet::SharedHeader);

void patch_int(const std::string& name, std::uint64_t offset, std::int32_t value) { shm_patch(name, offset, &value, sizeof value); }

}  // namespace

TEST_CASE("dotnet ring: N nodes hold N - 1 messages, and a full and an empty ring say timed_out") {
  const Watchdog watchdog;
  for (const std::size_t nodes : {2u, 3u, 10u}) {
    const NameGuard name("dotnet-ring");
    dotnet::CircularBuffer ring(name, nodes, 8);
    CHECK(ring.node_count() == nodes);
    for (int lap = 0; lap < 3; ++lap) {
      for (std::size_t i = 0; i + 1 < nodes; ++i) CHECK(ring.write(i, no_wait) == Status::ok);
      CHECK(ring.write(std::size_t{0}, no_wait) == Status::timed_out);
      CHECK(ring.write(std::size_t{0}, 5ms) == Status::timed_out);
      std::size_t value = 0;
      for (std::size_t i = 0; i + 1 < nodes; ++i) {
        CHECK(ring.read(value, no_wait) == Status::ok);
        CHECK(value == i);
      }
      CHECK(ring.read(value, no_wait) == Status::timed_out);
      CHECK(ring.read(value, 5ms) == Status::timed_out);
    }
  }
}

TEST_CASE("dotnet ring: an empty message is a message, and what does not fit is refused before a node is reserved") {
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 3, 8);
  CHECK(ring.write(std::string_view()) == Status::ok);
  Bytes to(8);
  const auto read = ring.read(to, no_wait);
  CHECK(read);
  CHECK(read.count == 0);
  const Bytes fresh = bytes_of(name, 24 + header);
  CHECK(caught([&] { return ring.write(Bytes(9), no_wait); }) == Errc::message_too_large);
  CHECK(bytes_of(name, 24 + header) == fresh);
}

TEST_CASE("dotnet ring: a read that refuses a message leaves it, and a full ring goes on") {
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 2, 8);
  REQUIRE(ring.write(std::array<std::uint8_t, 7>{1, 2, 3, 4, 5, 6, 7}) == Status::ok);
  std::int32_t number = 0;
  CHECK(caught([&] { return ring.read(number); }) == Errc::type_mismatch);
  std::vector<std::int32_t> numbers(2);
  CHECK(caught([&] { return ring.read(numbers); }) == Errc::type_mismatch);
  Bytes six(6);
  CHECK(caught([&] { return ring.read(six); }) == Errc::buffer_too_small);
  Bytes seven(7);
  CHECK(ring.read(seven).count == 7);
  CHECK(seven[6] == 7);
}

TEST_CASE("dotnet ring: a writer's callback that throws leaves an empty message, a reader's throws the message away, and no node stays reserved") {
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 2, 8);
  for (int i = 0; i < 5; ++i) {
    const auto fails = [](std::span<std::byte>) -> std::size_t { throw std::runtime_error("no"); };
    CHECK(caught([&] { return ring.write_with(fails); }).says("no"));
    CHECK(ring.read_with([](std::span<const std::byte> bytes) { CHECK(bytes.empty()); }) == Status::ok);
    CHECK(caught([&] { return ring.write_with([](std::span<std::byte>) { return std::size_t{9}; }); }) == Errc::message_too_large);
    CHECK(ring.read_with([](std::span<const std::byte> bytes) { CHECK(bytes.empty()); }) == Status::ok);
    CHECK(ring.write(std::int64_t{7}) == Status::ok);
    CHECK(caught([&] { return ring.read_with([](std::span<const std::byte>) { throw std::runtime_error("no"); }); }).says("no"));
    CHECK(ring.write(std::int64_t{8}) == Status::ok);
    std::int64_t value = 0;
    CHECK(ring.read(value) == Status::ok);
    CHECK(value == 8);
  }
}

TEST_CASE("dotnet ring: N sleeping readers and N messages in a row: all wake up") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 16, 8);
  for (int round = 0; round < 20; ++round) {
    Workers readers;
    std::atomic<int> got{0};
    for (int i = 0; i < 6; ++i) {
      readers.run([&] {
        std::int64_t value = 0;
        if (ring.read(value, forever) != Status::ok) throw std::runtime_error("no message");
        ++got;
      });
    }
    for (std::int64_t i = 0; i < 6; ++i) CHECK(ring.write(i) == Status::ok);
    CHECK(readers.join() == "");
    CHECK(got == 6);
  }
}

TEST_CASE("dotnet ring: many writers and readers through few nodes: nothing lost, doubled or out of a writer's order") {
  const Watchdog watchdog(120s);
  struct Message {
    std::int32_t writer;
    std::int32_t number;
    std::uint64_t filling;
  };
  constexpr int writers = 3, readers = 3, each = 4000;
  for (const std::size_t nodes : {2u, 3u, 7u}) {
    const NameGuard name("dotnet-ring");
    dotnet::CircularBuffer ring(name, nodes, sizeof(Message));
    std::vector<dotnet::CircularBuffer> handles;
    for (int i = 0; i < 2; ++i) handles.emplace_back(name.str());
    std::vector<std::vector<Message>> records(readers);
    Workers all;
    for (int w = 0; w < writers; ++w) {
      all.run([&, w] {
        auto& mine = w == 0 ? ring : handles[static_cast<std::size_t>(w) % 2];
        for (int i = 0; i < each; ++i) {
          if (mine.write(Message{w, i, static_cast<std::uint64_t>(w) * 1'000'000 + static_cast<std::uint64_t>(i)}, forever) != Status::ok) throw std::runtime_error("write");
        }
      });
    }
    std::atomic<int> taken{0};
    for (int r = 0; r < readers; ++r) {
      all.run([&, r] {
        auto& mine = r == 0 ? ring : handles[static_cast<std::size_t>(r) % 2];
        while (taken.fetch_add(1) < writers * each) {
          Message message{};
          if (mine.read(message, forever) != Status::ok) throw std::runtime_error("read");
          records[static_cast<std::size_t>(r)].push_back(message);
        }
      });
    }
    REQUIRE(all.join() == "");
    std::vector<int> count(writers * each);
    for (const auto& record : records) {
      std::vector<std::int32_t> last(writers, -1);
      for (const Message& m : record) {
        REQUIRE(m.filling == static_cast<std::uint64_t>(m.writer) * 1'000'000 + static_cast<std::uint64_t>(m.number));
        CHECK(m.number > last[static_cast<std::size_t>(m.writer)]);
        last[static_cast<std::size_t>(m.writer)] = m.number;
        ++count[static_cast<std::size_t>(m.writer * each + m.number)];
      }
    }
    CHECK(std::count(count.begin(), count.end(), 1) == writers * each);
  }
}

TEST_CASE("dotnet ring: the owner's close lets readers have what is there and then says closed, and wakes who sleeps") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer owner(name, 4, 8);
  dotnet::CircularBuffer other(name.str());
  CHECK(owner.is_owner());
  CHECK_FALSE(other.is_owner());
  REQUIRE(owner.write(std::int64_t{1}) == Status::ok);
  Workers sleeper;
  std::atomic<int> reads{0};
  sleeper.run([&] {
    std::int64_t value = 0;
    while (other.read(value, forever) == Status::ok) ++reads;
  });
  eventually([&] { return reads == 1; });
  owner.close();
  CHECK(sleeper.join() == "");
  CHECK(other.write(std::int64_t{2}) == Status::closed);
  CHECK(other.shutting_down());
  CHECK(owner.shutting_down());
  CHECK(caught([&] { return owner.write(std::int64_t{2}); }) == Errc::closed);
  owner.close();
  CHECK(caught([&] { return dotnet::CircularBuffer(name, 4, 8); }) == Errc::already_exists);
  other.close();
  dotnet::CircularBuffer next(name, 2, 16);  // nobody has it any more
  CHECK(next.node_buffer_size() == 16);
}

TEST_CASE("dotnet ring: closing a handle ends its blocked calls and nobody else's") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer owner(name, 2, 8);
  REQUIRE(owner.write(std::int64_t{1}) == Status::ok);
  dotnet::CircularBuffer first(name.str());
  dotnet::CircularBuffer second(name.str());
  Workers writers;
  std::atomic<bool> first_ended{false};
  Status first_status{}, second_status{};
  writers.run([&] {
    // Closed before it has begun, it throws.
    if (caught([&] { return first_status = first.write(std::int64_t{2}, forever); }) == Errc::closed) first_status = Status::closed;
    first_ended = true;
  });
  writers.run([&] { second_status = second.write(std::int64_t{3}, forever); });
  first.close();
  eventually([&] { return first_ended.load(); });
  std::int64_t value = 0;
  CHECK(owner.read(value, forever) == Status::ok);
  CHECK(owner.read(value, forever) == Status::ok);
  CHECK(value == 3);
  CHECK(writers.join() == "");
  CHECK(first_status == Status::closed);
  CHECK(second_status == Status::ok);
}

TEST_CASE("dotnet ring: opening and creating tell what is wrong") {
  const NameGuard name("dotnet-ring");
  CHECK(caught([&] { return dotnet::CircularBuffer(name.str()); }) == Errc::not_found);
  CHECK(caught([&] { return dotnet::CircularBuffer(name, 1, 8); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::CircularBuffer(name, 2, 0); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::CircularBuffer(name, 3, std::size_t{1} << 30); }) == Errc::too_large);
  CHECK(caught([&] { return dotnet::CircularBuffer("", 3, 8); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::CircularBuffer("a/b", 3, 8); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::CircularBuffer(std::string(161, 'x'), 3, 8); }) == Errc::invalid_argument);
  strait::OpenOptions read_only;
  read_only.read_only = true;
  CHECK(caught([&] { return dotnet::CircularBuffer(name.str(), read_only); }) == Errc::invalid_argument);
  dotnet::CircularBuffer ring(name, 3, 8);
  CHECK(caught([&] { return dotnet::CircularBuffer(name, 3, 8); }) == Errc::already_exists);
  CHECK(caught([&] { return dotnet::SharedArray<std::array<char, 7>>(name.str()); }) == Errc::type_mismatch);
  const NameGuard array_name("dotnet-array");
  const dotnet::SharedArray<std::int32_t> array(array_name, 4);
  CHECK(caught([&] { return dotnet::CircularBuffer(array_name.str()); }) == Errc::wrong_kind);
  const dotnet::SharedArray<std::int32_t> long_array(array_name.str() + "2", 400);
  strait::OpenOptions impatient;
  impatient.open_timeout = 20ms;
  // All zeros: a C# creator might be about to fill it in.
  CHECK(caught([&] { return dotnet::CircularBuffer(array_name.str() + "2", impatient); }) == Errc::still_creating);
}

TEST_CASE("dotnet ring: a name may hold what C# allows, a space or a letter beyond ASCII") {
  const std::string plain = unique_name("dotnet-ring");
  const NameGuard guard(plain);
  const std::string name = plain + " x {1} \xc3\xa9";
  dotnet::CircularBuffer ring(name, 3, 8);
  dotnet::CircularBuffer other(name);
  CHECK(ring.write(std::int64_t{5}) == Status::ok);
  std::int64_t value = 0;
  CHECK(other.read(value) == Status::ok);
  CHECK(value == 5);
}

// ---- bytes that somebody has spoilt --------------------------------------------------------------------------------------------

TEST_CASE("dotnet ring: a header or node that does not say what it must is refused when the ring is opened") {
  const NameGuard name("dotnet-ring");
  const dotnet::CircularBuffer ring(name, 3, 8);
  const Bytes good = bytes_of(name, 160);
  strait::OpenOptions impatient;
  impatient.open_timeout = 20ms;
  struct Wrong {
    std::uint64_t offset;
    std::int32_t value;
    Errc error;
  };
  std::vector<Wrong> wrongs{{0, 15, Errc::not_a_segment}, {0, 100'000, Errc::not_a_segment}, {4, -1, Errc::not_a_segment}, {0, 0, Errc::still_creating},
                            {0, 152, Errc::broken},       {32, 1, Errc::broken},             {32, -3, Errc::broken},       {32, 0x7fffffff, Errc::broken},
                            {32, 4, Errc::broken},        {36, -8, Errc::broken},            {36, 9, Errc::broken},        {36, 0x7fffffff, Errc::broken},
                            {32, 0, Errc::still_creating}};
  for (std::uint64_t node = 40; node < 136; node += 32) {
    for (const std::uint64_t field : {0u, 4u, 16u, 20u, 24u}) {
      for (const std::int32_t value : {-1, 3, 1000, 0x7fffffff}) wrongs.push_back({node + field, value, Errc::broken});
    }
  }
  for (const Wrong& wrong : wrongs) {
    INFO("offset " << wrong.offset << ", value " << wrong.value);
    patch_int(name, wrong.offset, wrong.value);
    CHECK(caught([&] { return dotnet::CircularBuffer(name.str(), impatient); }) == wrong.error);
    put(name, good);
  }
  CHECK(dotnet::CircularBuffer(name.str()).node_count() == 3);
}

TEST_CASE("dotnet ring: a cursor that is no index is an error, and a length that cannot be costs one message") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 3, 8);
  const Bytes fresh = bytes_of(name, 160);
  std::int64_t value = 0;
  for (const std::int32_t bad : {-1, 3, 0x7fffffff, -0x7fffffff}) {
    for (const std::uint64_t cursor : {16u, 20u, 24u, 28u}) {
      INFO("cursor at " << cursor << " is " << bad);
      put(name, fresh);
      patch_int(name, cursor, bad);
      const auto wrote = caught([&] { return ring.write(std::int64_t{1}, no_wait); });
      const auto read = caught([&] { return ring.read(value, no_wait); });
      CHECK((wrote == Errc::broken || read == Errc::broken));
    }
  }
  for (const std::int32_t bad : {-1, 9, 1000, 0x7fffffff}) {
    INFO("length " << bad);
    put(name, fresh);
    CHECK(ring.write(std::int64_t{1}) == Status::ok);
    CHECK(ring.write(std::int64_t{2}) == Status::ok);
    patch_int(name, 40 + 28, bad);
    CHECK(caught([&] { return ring.read(value); }) == Errc::broken);
    CHECK(ring.read(value) == Status::ok);
    CHECK(value == 2);
    CHECK(ring.write(std::int64_t{3}) == Status::ok);
    CHECK(ring.write(std::int64_t{4}) == Status::ok);
  }
}

TEST_CASE("dotnet ring: random bytes in place of all that changes never crash, hang or lead outside") {
  const Watchdog watchdog;
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 3, 8);
  const Bytes fresh = bytes_of(name, 160);
  for (int round = 0; round < 4000; ++round) {
    Bytes spoilt = fresh;
    const auto set = [&](std::size_t offset) {
      // Mostly numbers that are nearly right.
      const std::int32_t value = random() % 8 == 0 ? static_cast<std::int32_t>(random()) : static_cast<std::int32_t>(random() % 5) - 1;
      std::memcpy(spoilt.data() + offset, &value, sizeof value);
    };
    for (const std::size_t cursor : {16u, 20u, 24u, 28u}) set(cursor);
    for (std::size_t node = 40; node < 136; node += 32) {
      set(node + 8);
      set(node + 12);
      set(node + 28);
    }
    // Behind the ring's end nothing is touched, and neither is what never changes.
    put(name, spoilt);
    for (int i = 0; i < 4; ++i) {
      std::int64_t value = 0;
      static_cast<void>(caught([&] { return ring.write(std::int64_t{1}, no_wait); }));
      static_cast<void>(caught([&] { return ring.read(value, no_wait); }));
      static_cast<void>(caught([&] { return ring.read_with([](std::span<const std::byte> bytes) { CHECK(bytes.size() <= 8); }, no_wait); }));
    }
    const Bytes now = bytes_of(name, 160);
    for (const std::size_t offset : {0u, 4u, 8u, 12u, 32u, 36u, 40u, 44u, 56u, 60u, 64u, 72u, 76u, 88u, 92u, 96u, 104u, 108u, 120u, 124u, 128u}) {
      if (std::memcmp(now.data() + offset, fresh.data() + offset, 4) != 0) FAIL("something else was written, at " << offset);
    }
  }
  put(name, fresh);
  CHECK(ring.write(std::int64_t{1}) == Status::ok);
}

// ---- one interleaving by hand ---------------------------------------------------------------------------------------------------

namespace {

// Something happens just before the nth compare-and-swap on it.
struct Hooked {
  std::int32_t value = 0;
  int before_swap = -1;
  std::function<void()> happens;

  std::int32_t load(std::memory_order) const { return value; }
  void store(std::int32_t next, std::memory_order) { value = next; }
  std::int32_t exchange(std::int32_t next, std::memory_order) { return std::exchange(value, next); }
  bool compare_exchange_strong(std::int32_t& expected, std::int32_t next, std::memory_order, std::memory_order) {
    if (before_swap-- == 0) happens();
    if (value != expected) {
      expected = value;
      return false;
    }
    value = next;
    return true;
  }
};

struct HookedRing {
  std::array<Hooked, 4> cursors;
  std::array<Hooked, 3> flags, amounts, returned;
};

struct HookedWords {
  HookedRing* ring;
  dotnet::Index count() const { return 3; }
  Hooked& read_end() const { return ring->cursors[0]; }
  Hooked& read_start() const { return ring->cursors[1]; }
  Hooked& write_end() const { return ring->cursors[2]; }
  Hooked& write_start() const { return ring->cursors[3]; }
  Hooked& done_read(dotnet::Index i) const { return ring->returned[static_cast<std::size_t>(i)]; }
  Hooked& done_write(dotnet::Index i) const { return ring->flags[static_cast<std::size_t>(i)]; }
  Hooked& amount(dotnet::Index i) const { return ring->amounts[static_cast<std::size_t>(i)]; }
  dotnet::Index checked(dotnet::Index i) const { return i; }
};

}  // namespace

TEST_CASE("dotnet ring: a poster that was overtaken by a lap puts back the flag that it took, and the message behind it is published") {
  HookedRing words;
  dotnet::Ring<HookedWords> ring(HookedWords{&words});
  REQUIRE(ring.reserve_for_writing() == 0);
  REQUIRE(ring.reserve_for_writing() == 1);
  ring.post(1, 8);  // out of turn: it keeps its flag
  REQUIRE(words.flags[1].value == 1);
  // Node 0 is posted; its poster sees the flag of node 1, and is held up before it takes it. Meanwhile another one took it, a lap
  // went by, and node 1 was posted out of turn once more, behind node 0, which somebody has.
  words.flags[1].before_swap = 0;
  words.flags[1].happens = [&] {
    words.cursors[0].value = words.cursors[1].value = words.cursors[2].value = 0;
    words.cursors[3].value = 2;
  };
  ring.post(0, 8);
  CHECK(words.cursors[2].value == 0);
  CHECK(words.flags[1].value == 1);
  ring.post(0, 8);  // that somebody
  CHECK(words.cursors[2].value == 2);
}
