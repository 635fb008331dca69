#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <strait/platform/process.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

using strait::Errc;
using strait::SharedArray;
using strait::test::caught;
using strait::test::NameGuard;

TEST_CASE("every open handle is a participant with this process's pid, alive, and one of them the owner") {
  NameGuard name("seats");
  const SharedArray<int> owner(name, 4);
  const SharedArray<int> second(name);
  const SharedArray<int> third(name);
  const auto all = second.participants();
  REQUIRE(all.size() == 3);
  std::set<std::uint32_t> seats;
  std::set<std::uint64_t> ids;
  for (const auto& participant : all) {
    CHECK(participant.pid == strait::platform::process_id());
    CHECK(participant.alive);
    seats.insert(participant.seat);
    ids.insert(participant.id);
  }
  CHECK(seats.size() == 3);
  CHECK(ids.size() == 3);
  CHECK(std::ranges::count_if(all, [](const auto& participant) { return participant.owner; }) == 1);
  CHECK(owner.participants().size() == 3);
}

TEST_CASE("a handle that closes is no participant any more, and its successor is another one") {
  NameGuard name("seats");
  const SharedArray<int> owner(name, 4);
  std::set<std::uint64_t> ids;
  for (int round = 0; round < 5; ++round) {
    {
      const SharedArray<int> guest(name);
      REQUIRE(owner.participants().size() == 2);
      for (const auto& participant : owner.participants()) ids.insert(participant.id);
    }
    CHECK(owner.participants().size() == 1);
  }
  CHECK(ids.size() == 6);
}

TEST_CASE("when all seats are taken the next handle is refused, and admitted when one leaves") {
  NameGuard name("seats");
  strait::RingOptions options;
  options.max_participants = 3;
  strait::CircularBuffer owner(name, 2, 8, options);
  std::optional<strait::CircularBuffer> second(std::in_place, name);
  const strait::CircularBuffer third(name);
  const auto refused = caught([&] { strait::CircularBuffer fourth(name); });
  CHECK(refused == Errc::too_many_participants);
  CHECK(refused.segment == name.str());
  CHECK(caught([&] { strait::CircularBuffer fourth(strait::open_or_create, name, 2, 8); }) == Errc::too_many_participants);
  CHECK(owner.participants().size() == 3);
  second.reset();
  CHECK(caught([&] { strait::CircularBuffer fourth(name); }).nothing());
  CHECK(owner.write(1) == strait::Status::ok);
}

TEST_CASE("a number of seats that cannot be had is refused") {
  NameGuard name("seats");
  for (const std::uint32_t seats : {0u, 8192u, 0xffffffffu}) {
    strait::OpenOptions options;
    options.max_participants = seats;
    CHECK(caught([&] { SharedArray<int> array(name, 4, options); }) == Errc::invalid_argument);
  }
  strait::OpenOptions one;
  one.max_participants = 1;
  const SharedArray<int> alone(name, 4, one);
  CHECK(caught([&] { SharedArray<int> second(name); }) == Errc::too_many_participants);
}
