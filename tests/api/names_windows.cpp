// What is Windows' own: names with a namespace in front, access rights made of file modes, names that nobody can remove, and the
// headers beside <windows.h>.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <windows.h>

#include <span>
#include <string>

using strait::CircularBuffer;
using strait::Errc;
using strait::SharedArray;
using strait::Status;
using strait::platform::windows::AccessRights;
using strait::platform::windows::Purpose;
using strait::test::caught;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::NameGuard;
using strait::test::Watchdog;

// In include_*_windows.cpp.
int use_before_plain(const char* name);
int use_before_lean(const char* name);
int use_after_plain(const char* name);
int use_after_lean(const char* name);

namespace {

const ChildFunction answer{"names: answer", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  int number = 0;
  if (ring.read(number, strait::forever) != Status::ok) return 1;
  return ring.write(number + 1, strait::forever) == Status::ok ? 0 : 2;
}};

}  // namespace

TEST_CASE("a name without a namespace is one of the session: with Local\\ in front it is the same") {
  NameGuard name("names");
  SharedArray<int> array(name, 4);
  array[1] = 7;
  CHECK(SharedArray<int>("Local\\" + name.str())[1] == 7);
  CHECK(caught([&] { SharedArray<int> again("Local\\" + name.str(), 4); }) == Errc::already_exists);
}

TEST_CASE("a name of the machine is another one, and processes meet and sleep and wake under it") {
  const Watchdog watchdog;
  NameGuard name("names");
  const std::string global = "Global\\" + name.str();
  CircularBuffer ring(global, 2, 8);
  CHECK(ring.name() == global);
  Child child("names: answer", {global});
  until_asleep(child);
  CHECK(ring.write(1, strait::forever) == Status::ok);
  CHECK(child.wait().clean());
  int number = 0;
  CHECK(ring.read(number, strait::forever) == Status::ok);
  CHECK(number == 2);
}

TEST_CASE("permissions become rights: of the owner and the system, of all users, of everybody") {
  CHECK(AccessRights::descriptor(0660, Purpose::memory) == "D:(A;;GA;;;OW)(A;;GA;;;SY)(A;;GRGW;;;BU)");
  CHECK(AccessRights::descriptor(0644, Purpose::memory) == "D:(A;;GA;;;OW)(A;;GA;;;SY)(A;;GR;;;BU)(A;;GR;;;WD)");
  CHECK(AccessRights::descriptor(0644, Purpose::waiting) == "D:(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BU)(A;;GA;;;WD)");
  CHECK(AccessRights::descriptor(0606, Purpose::memory) == "D:(A;;GA;;;OW)(A;;GA;;;SY)(A;;GRGW;;;WD)");
  CHECK(AccessRights("name", 0600, Purpose::memory).get() == nullptr);
  CHECK(AccessRights("name", 0640, Purpose::memory).get() != nullptr);
}

TEST_CASE("segments with rights for others open and end like any") {
  const auto permissions = GENERATE(0600u, 0660u, 0666u);  // (Wine does not know the owner that the other modes count on)
  NameGuard name("names");
  strait::OpenOptions options;
  options.permissions = permissions;
  SharedArray<int> array(name, 4, options);
  array[0] = 1;
  CHECK(SharedArray<int>(name)[0] == 1);
}

TEST_CASE("remove_segment and remove_dead_segments have nothing to do: they take no name from anybody") {
  NameGuard name("names");
  CHECK_FALSE(strait::remove_segment(name));
  SharedArray<int> array(name, 4);
  CHECK_FALSE(strait::remove_segment(name));
  CHECK(strait::remove_dead_segments() == 0);
  CHECK(caught([&] { SharedArray<int> opened(name); }).nothing());
  CHECK(caught([] { strait::remove_segment(""); }) == Errc::invalid_argument);
}

TEST_CASE("a name that another kind of object has is refused, and that object is left alone") {
  NameGuard name("names");
  void* const event = ::CreateEventA(nullptr, TRUE, FALSE, name.str().c_str());
  REQUIRE(event != nullptr);
  CHECK(caught([&] { SharedArray<int> array(name, 4); }) == Errc::not_a_segment);
  CHECK(caught([&] { SharedArray<int> array(name); }) == Errc::not_a_segment);
  CHECK(::WaitForSingleObject(event, 0) == WAIT_TIMEOUT);
  ::CloseHandle(event);
  CHECK(caught([&] { SharedArray<int> array(name, 4); }).nothing());
}

TEST_CASE("Strait can be included before <windows.h> and after it, with its macros and without, all of it") {
  const Watchdog watchdog;
  for (const auto use : {&use_before_plain, &use_before_lean, &use_after_plain, &use_after_lean}) {
    NameGuard name("names");
    CHECK(use(name.str().c_str()) == 15);
  }
}
