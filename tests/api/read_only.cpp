#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <array>
#include <span>
#include <utility>

using strait::Errc;
using strait::test::caught;
using strait::test::NameGuard;

namespace {

strait::OpenOptions read_only() {
  strait::OpenOptions options;
  options.read_only = true;
  return options;
}

}  // namespace

TEST_CASE("a read-only handle of an array reads and is refused everything else") {
  const strait::test::Watchdog watchdog;
  NameGuard name("view");
  strait::SharedArray<int> array(name, 4);
  array[2] = 5;
  strait::SharedArray<int> view(name, read_only());
  const auto& constant = std::as_const(view);
  CHECK(constant.size() == 4);
  CHECK(constant[2] == 5);
  CHECK(constant.at(2) == 5);
  CHECK(constant.span()[2] == 5);
  array[3] = 6;
  CHECK(*(constant.end() - 1) == 6);
  std::array<int, 2> out{};
  view.read(out, 2);
  CHECK(out == std::array{5, 6});
  const auto refused = caught([&] { view.write(out); });
  CHECK(refused == Errc::permission_denied);
  CHECK(refused.segment == name.str());
  CHECK(caught([&] { view[0] = 1; }) == Errc::permission_denied);
  CHECK(caught([&] { view.at(0) = 1; }) == Errc::permission_denied);
  CHECK(caught([&] { return view.data(); }) == Errc::permission_denied);
  CHECK(caught([&] { return view.begin(); }) == Errc::permission_denied);
  CHECK(caught([&] { return view.span(); }) == Errc::permission_denied);
  CHECK(caught([&] { return view.acquire_read_lock(); }) == Errc::permission_denied);
  CHECK(caught([&] { return view.acquire_write_lock(); }) == Errc::permission_denied);
  CHECK(array[0] == 0);
}

TEST_CASE("a read-only handle is no participant") {
  const strait::test::Watchdog watchdog;
  NameGuard name("view");
  strait::OpenOptions options;
  options.max_participants = 1;
  const strait::SharedArray<int> array(name, 4, options);
  const strait::SharedArray<int> view(name, read_only());
  CHECK(array.participants().size() == 1);
  CHECK(view.participants().size() == 1);
  CHECK_FALSE(view.is_owner());
}

TEST_CASE("a read-only handle of a buffer reads and is refused writes") {
  const strait::test::Watchdog watchdog;
  NameGuard name("view");
  strait::BufferReadWrite buffer(name, 64);
  buffer.write(5, 8);
  strait::BufferReadWrite view(name, read_only());
  CHECK(view.read<int>(8) == 5);
  int seen = 0;
  view.read_with([&](std::span<const std::byte> bytes) { seen = static_cast<int>(bytes.size()); }, 8);
  CHECK(seen == 56);
  CHECK(caught([&] { view.write(1); }) == Errc::permission_denied);
  CHECK(caught([&] { view.write_with([](std::span<std::byte>) {}); }) == Errc::permission_denied);
  CHECK(buffer.read<int>() == 0);
}

TEST_CASE("a read-only handle of a ring looks but neither writes nor takes") {
  const strait::test::Watchdog watchdog;
  NameGuard name("view");
  strait::CircularBuffer ring(name, 4, 8);
  strait::CircularBuffer view(name, read_only());
  CHECK(ring.write(1) == strait::Status::ok);
  CHECK(view.node_count() == 4);
  CHECK(view.approximate_size() == 1);
  CHECK_FALSE(view.shutting_down());
  int value = 0;
  CHECK(caught([&] { return view.write(1); }) == Errc::permission_denied);
  CHECK(caught([&] { return view.read(value); }) == Errc::permission_denied);
  CHECK(caught([&] { return view.claim().status(); }) == Errc::permission_denied);
  CHECK(caught([&] { return view.take().status(); }) == Errc::permission_denied);
  CHECK(ring.read(value) == strait::Status::ok);
  CHECK(value == 1);
  ring.close();
  CHECK(view.shutting_down());
}
