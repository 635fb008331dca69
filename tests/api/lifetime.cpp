// A name lives exactly as long as somebody uses it.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <utility>

using strait::Errc;
using strait::SharedArray;
using strait::test::caught;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::NameGuard;
using strait::test::Watchdog;

namespace {

const ChildFunction hold{"lifetime: hold an array", [](std::span<const std::string> arguments) -> int {
  SharedArray<int> array(strait::open_or_create, arguments[0], 4);
  array[0] = 77;
  strait::test::say("ready");
  strait::test::hear();
  return 0;
}};

}  // namespace

TEST_CASE("the name is gone when the last handle closes, whoever that is") {
  NameGuard name("life");
  const bool owner_first = GENERATE(true, false);
  std::optional<SharedArray<int>> owner(std::in_place, name, 4);
  std::optional<SharedArray<int>> guest(std::in_place, name);
  CHECK(strait::test::shm_exists(name.str()));
  (owner_first ? owner : guest).reset();
  CHECK(strait::test::shm_exists(name.str()));
  (owner_first ? guest : owner).reset();
  CHECK_FALSE(strait::test::shm_exists(name.str()));
  CHECK(caught([&] { SharedArray<int> late(name); }) == Errc::not_found);
}

TEST_CASE("close() gives the name up like the destructor does") {
  NameGuard name("life");
  SharedArray<int> array(name, 4);
  array.close();
  CHECK_FALSE(strait::test::shm_exists(name.str()));
  SharedArray<int> again(name, 8);
  CHECK(again.size() == 8);
  array.close();
  CHECK(caught([&] { SharedArray<int> other(name); }).nothing());
}

TEST_CASE("a name can be used again at once, with another kind and size") {
  NameGuard name("life");
  for (int round = 0; round < 20; ++round) {
    { SharedArray<int> array(name, 4); array[0] = 1; }
    { strait::BufferReadWrite buffer(name, 64); CHECK(buffer.read<int>() == 0); }
    { strait::CircularBuffer ring(name, 2, 8); CHECK(ring.approximate_size() == 0); }
  }
}

TEST_CASE("a name whose holders were all killed is not found by an opener and taken over by a creator") {
  const Watchdog watchdog;
  NameGuard name("life");
  const auto killed = [&] {
    Child first("lifetime: hold an array", {name.str()});
    Child second("lifetime: hold an array", {name.str()});
    CHECK(first.read_line() == "ready");
    CHECK(second.read_line() == "ready");
    first.kill();
    second.kill();
    CHECK(first.wait().killed_by(SIGKILL));
    CHECK(second.wait().killed_by(SIGKILL));
  };
  killed();
  REQUIRE(strait::test::shm_exists(name.str()) == strait::test::names_stay());
  CHECK(caught([&] { SharedArray<int> opener(name); }) == Errc::not_found);
  killed();
  {
    // Another kind and size: nothing of the old bytes counts.
    strait::CircularBuffer ring(name, 3, 16);
    CHECK(ring.write(1) == strait::Status::ok);
    CHECK(ring.is_owner());
  }
  killed();
  {
    SharedArray<int> array(strait::open_or_create, name, 9);
    CHECK(array.size() == 9);
    CHECK(array[0] == 0);
    CHECK(array.is_owner());
  }
}

TEST_CASE("a segment outlives its killed creator while somebody else holds it") {
  const Watchdog watchdog;
  NameGuard name("life");
  Child owner("lifetime: hold an array", {name.str()});
  REQUIRE(owner.read_line() == "ready");
  SharedArray<int> guest(name);
  owner.kill();
  owner.wait();
  CHECK(guest[0] == 77);
  CHECK_FALSE(guest.shutting_down());
  const SharedArray<int> late(name);
  CHECK(late[0] == 77);
  CHECK(caught([&] { SharedArray<int> again(name, 4); }) == Errc::already_exists);
}

TEST_CASE("whoever opens with open_or_create a segment whose owner is dead becomes its owner") {
  const Watchdog watchdog;
  NameGuard name("life");
  Child owner("lifetime: hold an array", {name.str()});
  REQUIRE(owner.read_line() == "ready");
  SharedArray<int> guest(name);
  owner.kill();
  owner.wait();
  SharedArray<int> plain(name);
  CHECK_FALSE(plain.is_owner());
  SharedArray<int> heir(strait::open_or_create, name, 4);
  CHECK(heir.is_owner());
  CHECK(heir[0] == 77);
  const SharedArray<int> next(strait::open_or_create, name, 4);
  CHECK_FALSE(next.is_owner());
  heir.close();
  CHECK(guest.shutting_down());
}

TEST_CASE("a child process that ends without closing anything leaves no name in the way") {
  const Watchdog watchdog;
  NameGuard name("life");
  {
    Child child("lifetime: hold an array", {name.str()});
    REQUIRE(child.read_line() == "ready");
    child.close_input();
    CHECK(child.wait().clean());
  }
  CHECK_FALSE(strait::test::shm_exists(name.str()));
}
