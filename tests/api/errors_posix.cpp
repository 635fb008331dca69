// Bad input that only POSIX systems can give: objects that are files, cut short, full, or another user's.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "ways.hpp"

#include <strait/layout/segment_header.hpp>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>

using strait::BufferReadWrite;
using strait::CircularBuffer;
using strait::Errc;
using strait::open_or_create;
using strait::SharedArray;
using strait::layout::SegmentHeader;
using strait::test::caught;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::NameGuard;
using strait::test::shm_forget;
using strait::test::Watchdog;
using strait::test::ways;

namespace {

const ChildFunction hold{"errors: hold a ring", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0], std::size_t{3}, std::size_t{8});
  strait::test::say("ready");
  strait::test::hear();
  strait::test::exit_at_once(0);
}};

}  // namespace

TEST_CASE("an empty object that nobody holds is no segment: openers do not find it, creators take it over") {
  const Watchdog watchdog;
  NameGuard name("errors");
  strait::test::shm_write(name.str(), {});
  CHECK(caught([&] { SharedArray<int> array(name); }) == Errc::not_found);
  strait::test::shm_write(name.str(), {});
  CHECK(caught([&] { SharedArray<int> array(name, 4); }).nothing());
  strait::test::shm_write(name.str(), {});
  CHECK(caught([&] { SharedArray<int> array(open_or_create, name, 4); }).nothing());
}

TEST_CASE("a segment whose object was cut short is refused as broken, with both sizes") {
  const Watchdog watchdog;
  NameGuard name("errors");
  Child holder("errors: hold a ring", {name.str()});
  REQUIRE(holder.read_line() == "ready");
  const auto whole = std::filesystem::file_size(strait::test::shm_path(name.str()));
  for (const std::uintmax_t size : {whole - 1, whole / 2, std::uintmax_t{129}, std::uintmax_t{128}}) {
    CAPTURE(size);
    strait::test::shm_resize(name.str(), size);
    auto refused = caught([&] { CircularBuffer ring(name); });
    CHECK(refused == Errc::broken);
    CHECK(refused.segment == name.str());
    REQUIRE(refused.says(name.str()));
    refused.text.erase(refused.text.find(name.str()), name.str().size());
    CAPTURE(refused.text);
    CHECK(refused.says(std::to_string(size)));
    CHECK(caught([&] { CircularBuffer ring(open_or_create, name, 3, 8); }) == Errc::broken);
    CHECK(caught([&] { CircularBuffer ring(name, 3, 8); }) == Errc::already_exists);
  }
  for (const std::uintmax_t size : {std::uintmax_t{127}, std::uintmax_t{20}, std::uintmax_t{8}}) {
    CAPTURE(size);
    strait::test::shm_resize(name.str(), size);
    const auto refused = caught([&] { CircularBuffer ring(name); });
    CAPTURE(refused);
    const bool right = refused == Errc::broken || refused == Errc::not_a_segment || refused == Errc::still_creating;
    CHECK(right);
  }
  holder.kill();
  holder.wait();
  shm_forget(name);
}

TEST_CASE("a segment of a build that tells the living by other means is refused, and left alone by creators too, because it may be alive") {
  const Watchdog watchdog;
  NameGuard name("errors");
  Child holder("errors: hold a ring", {name.str()});
  REQUIRE(holder.read_line() == "ready");
  holder.kill();
  holder.wait();
  const std::uint16_t other = strait::core::lock_files ? 1 : 3;
  strait::test::shm_patch(name.str(), offsetof(SegmentHeader, presence), &other, sizeof other);
  for (const auto& [what, way] : ways()) {
    CAPTURE(what);
    const auto refused = caught([&, &call = way] { call(name); });
    CHECK(refused == Errc::wrong_version);
    CHECK(refused.segment == name.str());
  }
  strait::remove_dead_segments();
  CHECK(strait::test::shm_exists(name.str()));
  shm_forget(name);
}

namespace {

const ChildFunction fill_shm{"errors: fill a tiny /dev/shm", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (::unshare(CLONE_NEWNS) != 0) return 77;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
  if (::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=256k") != 0) return 77;
  const auto check = [](bool right, const char* what) {
    if (!right) throw std::runtime_error(what);
  };
  for (int round = 0; round < 3; ++round) {
    const auto array = caught([&] { SharedArray<char> made(name, std::size_t{1} << 20); });
    check(array == Errc::no_space, "an array of 1 MiB was not refused with no_space");
    check(array.segment == name && array.says(name), "the message does not name the segment");
    const auto ring = caught([&] { CircularBuffer made(open_or_create, name, 300, 1000); });
    check(ring == Errc::no_space, "a ring was not refused with no_space");
    const auto buffer = caught([&] { BufferReadWrite made(name, 300'000); });
    check(buffer == Errc::no_space, "a buffer was not refused with no_space");
    check(std::filesystem::is_empty("/dev/shm"), "something was left in /dev/shm");
  }
  // What fits can be used to its last byte: its pages are there.
  BufferReadWrite fits(name, 150'000);
  fits.write_with([](std::span<std::byte> bytes) { std::fill(bytes.begin(), bytes.end(), std::byte{1}); });
  check(caught([&] { BufferReadWrite second(name + "-2", 150'000); }) == Errc::no_space, "the second buffer was not refused");
  check(fits.read<char>(149'999) == 1, "the first buffer was hurt");
  return 0;
}};

const ChildFunction open_as_nobody{"errors: open as nobody", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 77;
  for (const auto& [what, way] : ways()) {
    const auto refused = caught([&, &call = way] { call(name); });
    if (!(refused == Errc::permission_denied) || refused.segment != name || !refused.says(name)) throw std::runtime_error(what + ": " + refused.text);
  }
  return 0;
}};

}  // namespace

TEST_CASE("a full /dev/shm is told at creation, leaves nothing behind, and what fits is safe to use") {
  const Watchdog watchdog;
  const std::string name = strait::test::unique_name("full");
  Child child("errors: fill a tiny /dev/shm", {name});
  const auto exit = child.wait();
  if (exit.code == 77) {
    WARN("skipped: mounting a small /dev/shm needs root");
    return;
  }
  CHECK(exit.clean());
}

TEST_CASE("a segment of another user is refused without its permission") {
  const Watchdog watchdog;
  NameGuard name("errors");
  SharedArray<int> mine(name, 4);
  Child child("errors: open as nobody", {name.str()});
  const auto exit = child.wait();
  if (exit.code == 77) {
    WARN("skipped: becoming another user needs root");
    return;
  }
  CHECK(exit.clean());
  mine[0] = 1;
  CHECK(mine.participants().size() == 1);
}
