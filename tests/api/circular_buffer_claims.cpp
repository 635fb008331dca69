// In place: claims and takes, their order, and what happens to those that are dropped, moved or outlived.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/circular_buffer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using strait::CircularBuffer;
using strait::Errc;
using strait::no_wait;
using strait::ReadClaim;
using strait::Status;
using strait::WriteClaim;
using strait::test::caught;
using strait::test::NameGuard;
using strait::test::Watchdog;

namespace {

static_assert(!std::is_copy_constructible_v<WriteClaim> && std::is_nothrow_move_constructible_v<WriteClaim>);
static_assert(!std::is_copy_constructible_v<ReadClaim> && std::is_nothrow_move_constructible_v<ReadClaim>);
static_assert(!std::is_convertible_v<WriteClaim, bool> && std::is_constructible_v<bool, const WriteClaim&>);
static_assert(!std::is_convertible_v<ReadClaim, bool> && std::is_constructible_v<bool, const ReadClaim&>);

struct Tick {
  std::uint64_t time;
  double price;
};

void publish(WriteClaim& claim, int value) {
  std::memcpy(claim.bytes().data(), &value, sizeof value);
  claim.publish(sizeof value);
}

int value_of(const ReadClaim& claim) {
  int value = -1;
  if (claim.bytes().size() == sizeof value) std::memcpy(&value, claim.bytes().data(), sizeof value);
  return value;
}

// The next message without waiting, -1 if there is none.
int next(CircularBuffer& ring) {
  int value = -1;
  return ring.read(value, no_wait) == Status::ok ? value : -1;
}

// How many messages the ring takes now; reads them back, so it is as before.
std::size_t room(CircularBuffer& ring) {
  std::size_t count = 0;
  while (ring.write(0, no_wait) == Status::ok) ++count;
  for (std::size_t i = 0; i < count; ++i) next(ring);
  return count;
}

}  // namespace

TEST_CASE("a claim is filled in place and read in place") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 2, 30);
  CircularBuffer reader(name);
  if (auto claim = writer.claim()) {
    CHECK(claim.status() == Status::ok);
    CHECK(claim.bytes().size() == 30);
    CHECK(reinterpret_cast<std::uintptr_t>(claim.bytes().data()) % 8 == 0);
    std::ranges::fill(claim.bytes(), std::byte{7});
    claim.publish(11);
  } else {
    FAIL("nothing claimed");
  }
  if (auto message = reader.take()) {
    CHECK(message.status() == Status::ok);
    CHECK(message.bytes().size() == 11);
    CHECK(std::ranges::all_of(message.bytes(), [](std::byte byte) { return byte == std::byte{7}; }));
    CHECK(reinterpret_cast<std::uintptr_t>(message.bytes().data()) % 8 == 0);
  } else {
    FAIL("nothing taken");
  }
  CHECK(room(writer) == 2);
}

TEST_CASE("as<T> gives a typed view of a claim and checks the size") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, sizeof(Tick) + 4);
  {
    auto claim = ring.claim();
    REQUIRE(claim);
    auto& tick = claim.as<Tick>();
    tick.time = 5;
    tick.price = 0.5;
    CHECK(caught([&] { static_cast<void>(claim.as<std::array<char, 100>>()); }).code.has_value());
    claim.publish(sizeof(Tick));
  }
  {
    auto message = ring.take();
    REQUIRE(message);
    const auto refused = caught([&] { static_cast<void>(message.as<std::uint64_t>()); });
    CHECK(refused == Errc::type_mismatch);
    CHECK(refused.segment == name.str());
    CHECK(message.as<Tick>().time == 5);
    CHECK(message.as<Tick>().price == 0.5);
  }
  CHECK(room(ring) == 2);
}

TEST_CASE("a claim that is not published leaves no message and its node comes back") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 8);
  CircularBuffer reader(name);
  for (int round = 0; round < 10; ++round) {
    { const auto dropped = writer.claim(no_wait); REQUIRE(dropped); }
    CHECK(next(reader) == -1);
    CHECK(writer.write(round, no_wait) == Status::ok);
    CHECK(next(reader) == round);
    CHECK(next(reader) == -1);
  }
  CHECK(room(writer) == 3);
}

TEST_CASE("a full ring of dropped claims is an empty ring") {
  const Watchdog watchdog;
  const auto nodes = GENERATE(std::size_t{2}, std::size_t{3}, std::size_t{8});
  NameGuard name("ring");
  CircularBuffer ring(name, nodes, 8);
  for (int round = 0; round < 5; ++round) {
    std::vector<WriteClaim> claims;
    for (std::size_t i = 0; i < nodes; ++i) {
      claims.push_back(ring.claim(no_wait));
      REQUIRE(claims.back());
    }
    CHECK_FALSE(ring.claim(no_wait));
    CHECK(next(ring) == -1);
    claims.clear();
    CHECK(next(ring) == -1);
    CHECK(room(ring) == nodes);
    CHECK(ring.write(1) == Status::ok);  // another offset each round
    CHECK(next(ring) == 1);
  }
}

TEST_CASE("publishing more than a node holds is refused and the claim stays") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 2, 12);
  auto claim = ring.claim();
  REQUIRE(claim);
  auto refused = caught([&] { claim.publish(13); });
  CHECK(refused == Errc::message_too_large);
  CHECK(refused.segment == name.str());
  refused.text.erase(refused.text.find(name.str()), name.str().size());
  CAPTURE(refused.text);
  CHECK(refused.says("13"));
  CHECK(refused.says("12"));
  CHECK(caught([&] { claim.publish(static_cast<std::size_t>(-1)); }) == Errc::message_too_large);
  CHECK(static_cast<bool>(claim));
  CHECK(next(ring) == -1);
  publish(claim, 4);
  CHECK(next(ring) == 4);
  CHECK(room(ring) == 2);
}

TEST_CASE("claims published in any order are read in the order they were made, three deep") {
  const Watchdog watchdog;
  const bool exclusive = GENERATE(false, true);
  CAPTURE(exclusive);
  NameGuard name("ring");
  strait::RingOptions options;
  if (exclusive) options.writers = strait::Sharing::one;
  CircularBuffer writer(name, 5, 8, options);
  CircularBuffer reader(name);
  std::array<int, 3> order{0, 1, 2};
  int round = 0;
  do {
    CAPTURE(order);
    std::vector<WriteClaim> claims;
    for (int i = 0; i < 3; ++i) {
      claims.push_back(writer.claim(no_wait));
      REQUIRE(claims.back());
    }
    std::array<bool, 3> published{};
    int read = 0;
    for (const int index : order) {
      publish(claims[static_cast<std::size_t>(index)], 10 * round + index);
      published[static_cast<std::size_t>(index)] = true;
      while (read < 3 && published[static_cast<std::size_t>(read)]) CHECK(next(reader) == 10 * round + read++);
      CHECK(next(reader) == -1);
    }
    CHECK(read == 3);
    ++round;
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(room(writer) == 5);
}

TEST_CASE("a message waits for an older claim, published or dropped, of any handle") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer first(name, 4, 8);
  CircularBuffer second(name);
  CircularBuffer reader(name);
  auto older = first.claim();
  CHECK(second.write(2) == Status::ok);
  CHECK(next(reader) == -1);
  publish(older, 1);
  CHECK(next(reader) == 1);
  CHECK(next(reader) == 2);

  std::optional<WriteClaim> dropped(second.claim());
  CHECK(first.write(3) == Status::ok);
  CHECK(next(reader) == -1);
  dropped.reset();
  CHECK(next(reader) == 3);
  CHECK(next(reader) == -1);
}

TEST_CASE("claims dropped and published in every mix leave every node usable") {
  const Watchdog watchdog;
  const bool exclusive = GENERATE(false, true);
  CAPTURE(exclusive);
  NameGuard name("ring");
  strait::RingOptions options;
  if (exclusive) options.writers = strait::Sharing::one;
  CircularBuffer writer(name, 3, 8, options);
  CircularBuffer reader(name);
  for (unsigned mix = 0; mix < 8; ++mix) {
    CAPTURE(mix);
    std::vector<WriteClaim> claims;
    for (int i = 0; i < 3; ++i) {
      claims.push_back(writer.claim(no_wait));
      REQUIRE(claims.back());
    }
    for (unsigned i = 3; i-- > 0;) {
      if ((mix >> i & 1) != 0) publish(claims[i], static_cast<int>(i));
    }
    claims.clear();
    for (unsigned i = 0; i < 3; ++i) {
      if ((mix >> i & 1) != 0) CHECK(next(reader) == static_cast<int>(i));
    }
    CHECK(next(reader) == -1);
    CHECK(writer.write(50, no_wait) == Status::ok);
    CHECK(next(reader) == 50);
  }
  std::size_t count = 0;
  while (writer.write(0, no_wait) == Status::ok) ++count;
  CHECK(count == 3);
}

TEST_CASE("a writer whose claims fill the ring is told that it is full, not hung") {
  const Watchdog watchdog;
  const bool exclusive = GENERATE(false, true);
  CAPTURE(exclusive);
  NameGuard name("ring");
  strait::RingOptions options;
  if (exclusive) options.writers = strait::Sharing::one;
  CircularBuffer ring(name, 2, 8, options);
  auto first = ring.claim();
  auto second = ring.claim();
  REQUIRE(first);
  REQUIRE(second);
  const auto third = ring.claim(std::chrono::milliseconds(20));
  CHECK_FALSE(third);
  CHECK(third.status() == Status::timed_out);
  publish(second, 2);
  publish(first, 1);
  CHECK(next(ring) == 1);
  CHECK(next(ring) == 2);
}

TEST_CASE("messages released in any order free their nodes in order, three deep") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 8);
  CircularBuffer reader(name);
  std::array<int, 3> order{0, 1, 2};
  do {
    CAPTURE(order);
    for (int i = 0; i < 3; ++i) CHECK(writer.write(i, no_wait) == Status::ok);
    std::vector<std::optional<ReadClaim>> taken;
    for (int i = 0; i < 3; ++i) {
      taken.emplace_back(reader.take(no_wait));
      REQUIRE(*taken.back());
      CHECK(value_of(*taken.back()) == i);
    }
    CHECK_FALSE(reader.take(no_wait));
    std::array<bool, 3> released{};
    std::size_t free = 0;
    std::size_t written = 0;
    for (const int index : order) {
      taken[static_cast<std::size_t>(index)].reset();
      released[static_cast<std::size_t>(index)] = true;
      while (free < 3 && released[free]) ++free;
      while (writer.write(9, no_wait) == Status::ok) ++written;
      CHECK(written == free);
    }
    for (int i = 0; i < 3; ++i) CHECK(next(reader) == 9);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a message that is put back comes first for the handle that did so") {
  const Watchdog watchdog;
  const auto offset = GENERATE(0, 1, 2, 3, 4, 5);
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 8);
  CircularBuffer reader(name);
  for (int i = 0; i < offset; ++i) {
    CHECK(writer.write(i, no_wait) == Status::ok);
    CHECK(next(reader) == i);
  }
  for (int i = 10; i < 13; ++i) CHECK(writer.write(i, no_wait) == Status::ok);
  for (int again = 0; again < 3; ++again) {
    auto message = reader.take(no_wait);
    REQUIRE(message);
    CHECK(value_of(message) == 10);
    message.put_back();
  }
  CHECK(next(reader) == 10);
  CHECK(next(reader) == 11);
  CHECK(next(reader) == 12);
  CHECK(next(reader) == -1);
  CHECK(room(writer) == 3);
}

TEST_CASE("a message that is put back is found by every other reader that sees the ring empty") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer first(name, 4, 8);
  CircularBuffer second(name);
  CircularBuffer third(name);
  for (int i = 0; i < 3; ++i) CHECK(first.write(i) == Status::ok);
  auto message = first.take(no_wait);
  CHECK(next(second) == 1);
  CHECK(next(second) == 2);
  CHECK(next(second) == -1);
  message.put_back();
  CHECK(next(second) == 0);
  CHECK(next(second) == -1);
  CHECK(next(first) == -1);
  CHECK(next(third) == -1);

  CHECK(first.write(5) == Status::ok);
  auto again = second.take(no_wait);
  again.put_back();
  CHECK(next(third) == 5);
  CHECK(next(second) == -1);
}

TEST_CASE("messages put back in any order come again in their first order") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer writer(name, 3, 8);
  CircularBuffer reader(name);
  std::array<std::size_t, 3> order{0, 1, 2};
  do {
    CAPTURE(order);
    for (int i = 0; i < 3; ++i) CHECK(writer.write(i, no_wait) == Status::ok);
    std::vector<ReadClaim> taken;
    for (int i = 0; i < 3; ++i) taken.push_back(reader.take(no_wait));
    for (const auto index : order) taken[index].put_back();
    for (int i = 0; i < 3; ++i) CHECK(next(reader) == i);
    CHECK(next(reader) == -1);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a sleeping reader is woken by a message that is put back") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer first(name, 2, 8);
  CircularBuffer second(name);
  CHECK(first.write(7) == Status::ok);
  auto message = first.take(no_wait);
  int value = 0;
  Status status = Status::timed_out;
  std::thread sleeper([&] { status = second.read(value, strait::forever); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  message.put_back();
  sleeper.join();
  CHECK(status == Status::ok);
  CHECK(value == 7);
}

TEST_CASE("claims stay valid when their ring handle is moved") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 4, 8);
  CHECK(ring.write(1) == Status::ok);
  CHECK(ring.write(2) == Status::ok);
  auto claim = ring.claim();
  auto message = ring.take();
  auto other_message = ring.take();
  CircularBuffer moved(std::move(ring));
  publish(claim, 3);
  CHECK(value_of(message) == 1);
  { const auto released = std::move(message); }
  other_message.put_back();
  CHECK(next(moved) == 2);
  CHECK(next(moved) == 3);
  CHECK(next(moved) == -1);
  CHECK(room(moved) == 4);
}

TEST_CASE("a moved claim is the claim, and what it was moved from is none") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 3, 8);
  auto first = ring.claim();
  auto second = std::move(first);
  CHECK_FALSE(static_cast<bool>(first));  // NOLINT(bugprone-use-after-move): that is what is promised
  REQUIRE(static_cast<bool>(second));
  publish(second, 1);
  auto third = ring.claim();
  third = ring.claim();  // drops the older one
  publish(third, 2);
  auto taken = ring.take(no_wait);
  auto kept = std::move(taken);
  CHECK_FALSE(static_cast<bool>(taken));  // NOLINT(bugprone-use-after-move)
  CHECK(value_of(kept) == 1);
  kept = ring.take(no_wait);  // releases the older one
  CHECK(value_of(kept) == 2);
  { const auto released = std::move(kept); }
  CHECK(room(ring) == 3);
}

TEST_CASE("a claim may outlive the thread that made it and be finished by another") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer ring(name, 3, 8);
  std::optional<WriteClaim> claim;
  std::thread([&] { claim.emplace(ring.claim()); }).join();
  REQUIRE(claim);
  CHECK(next(ring) == -1);
  publish(*claim, 1);
  std::optional<ReadClaim> message;
  std::thread([&] { message.emplace(ring.take()); }).join();
  CHECK(value_of(*message) == 1);
  std::thread([&] { message.reset(); }).join();
  CHECK(room(ring) == 3);
}

TEST_CASE("a claim that outlives its handle keeps its memory, and the node is not lost") {
  const Watchdog watchdog;
  NameGuard name("ring");
  CircularBuffer owner(name, 2, 8);
  {
    std::optional<WriteClaim> claim;
    {
      CircularBuffer guest(name);
      claim.emplace(guest.claim());
      REQUIRE(*claim);
    }
    std::ranges::fill(claim->bytes(), std::byte{1});
  }
  CHECK(next(owner) == -1);
  CHECK(room(owner) == 2);

  CHECK(owner.write(5) == Status::ok);
  {
    std::optional<ReadClaim> message;
    {
      CircularBuffer guest(name);
      message.emplace(guest.take());
      REQUIRE(*message);
    }
    CHECK(value_of(*message) == 5);
  }
  while (next(owner) != -1) {  // given back or released: both are allowed
  }
  CHECK(room(owner) == 2);
}
