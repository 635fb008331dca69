// Arrays and buffers of the C# library: bounds, its locks with their own meaning, ends and names.

#include "dotnet.hpp"

#include "../support/workers.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace strait::test;
using namespace std::chrono_literals;
using strait::Errc;
using strait::forever;
using strait::no_wait;
namespace dotnet = strait::dotnet;

TEST_CASE("dotnet array: another handle sees what is written, and beyond the end is an error") {
  const NameGuard name("dotnet-array");
  dotnet::SharedArray<std::int32_t> array(name, 5);
  dotnet::SharedArray<std::int32_t> other(name.str());
  CHECK(other.size() == 5);
  CHECK(other.buffer_size() == 20);
  CHECK(other.shared_memory_size() == 36);
  array.write(std::vector<std::int32_t>{1, 2, 3}, 2);
  CHECK(std::vector<std::int32_t>(other.begin(), other.end()) == std::vector<std::int32_t>{0, 0, 1, 2, 3});
  CHECK(other.at(4) == 3);
  CHECK(caught([&] { return other.at(5); }).says("index 5"));
  CHECK(caught([&] { array.write(std::vector<std::int32_t>(2), 4); return 0; }) == Errc::out_of_range);
  std::vector<std::int32_t> to(6);
  CHECK(caught([&] { other.read(to); return 0; }) == Errc::out_of_range);
  CHECK(caught([&] { return dotnet::SharedArray<std::array<char, 3>>(name.str()); }) == Errc::type_mismatch);
  CHECK(caught([&] { return dotnet::SharedArray<std::int32_t>(name, 5); }) == Errc::already_exists);
  CHECK(caught([&] { return dotnet::SharedArray<std::int32_t>(name, 0); }) == Errc::invalid_argument);
  CHECK(caught([&] { return dotnet::SharedArray<std::int64_t>(name, std::size_t{1} << 28); }) == Errc::too_large);
  array.close();
  CHECK(caught([&] { return array[0]; }) == Errc::closed);
  CHECK(other[4] == 3);
  dotnet::SharedArray<std::int32_t> moved(std::move(other));
  CHECK(moved[4] == 3);
  CHECK(caught([&] { return other.size(); }) == Errc::closed);
}

TEST_CASE("dotnet buffer: values, ranges and callbacks at byte positions, and nothing beyond the end") {
  const NameGuard name("dotnet-buffer");
  dotnet::BufferReadWrite buffer(name, 64);
  dotnet::BufferReadWrite other(name.str());
  buffer.write(3.5, 1);
  CHECK(other.read<double>(1) == 3.5);
  buffer.write(std::vector<std::int16_t>{1, 2, 3}, 58);
  std::vector<std::int16_t> to(3);
  other.read(to, 58);
  CHECK(to == std::vector<std::int16_t>{1, 2, 3});
  buffer.write_with([](std::span<std::byte> bytes) {
    CHECK(bytes.size() == 4);
    bytes[3] = std::byte{9};
  }, 60);
  other.read_with([](std::span<const std::byte> bytes) { CHECK(bytes[63] == std::byte{9}); });
  CHECK(caught([&] { buffer.write(std::int32_t{1}, 61); return 0; }) == Errc::out_of_range);
  CHECK(caught([&] { return other.read<std::int32_t>(~std::size_t{0}); }) == Errc::out_of_range);
  CHECK(caught([&] { buffer.write_with([](std::span<std::byte>) {}, 65); return 0; }) == Errc::out_of_range);
  CHECK(caught([&] { return dotnet::BufferReadWrite(name, 0); }) == Errc::invalid_argument);
}

TEST_CASE("dotnet locks: reading holds up writers, writing holds up readers, and neither its own kind, as in C#") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-buffer");
  dotnet::BufferReadWrite buffer(name, 64);
  dotnet::BufferReadWrite other(name.str());
  CHECK(buffer.read_write_timeout() == 100ms);
  for (auto* one : {&buffer, &other}) one->read_write_timeout(10ms);

  CHECK(buffer.acquire_write_lock(no_wait));
  CHECK(other.acquire_write_lock(no_wait));  // no lock at all, but that is how it is
  other.write(1);
  CHECK(caught([&] { return other.read<int>(); }) == Errc::timed_out);
  CHECK(caught([&] { return buffer.read<int>(); }) == Errc::timed_out);  // its own reads too
  CHECK_FALSE(other.acquire_read_lock(10ms));
  other.release_write_lock();  // everybody's
  CHECK(buffer.read<int>() == 1);

  CHECK(buffer.acquire_read_lock());
  CHECK(other.acquire_read_lock());
  CHECK(other.read<int>() == 1);
  CHECK(caught([&] { other.write(2); return 0; }) == Errc::timed_out);
  CHECK_FALSE(other.acquire_write_lock(no_wait));

  Workers writer;
  writer.run([&] {
    if (!other.acquire_write_lock(forever)) throw std::runtime_error("not let through");
    other.write(3);
    other.release_write_lock();
  });
  buffer.release_read_lock();
  CHECK(writer.join() == "");
  CHECK(buffer.read<int>() == 3);
}

TEST_CASE("dotnet locks: closing a handle ends its own waits") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-buffer");
  dotnet::BufferReadWrite buffer(name, 64);
  dotnet::BufferReadWrite other(name.str());
  REQUIRE(buffer.acquire_write_lock());
  Workers reader;
  std::atomic<bool> is_in{false};
  reader.run([&] {
    is_in = true;
    if (other.acquire_read_lock(forever)) throw std::runtime_error("let through");
  });
  eventually([&] { return is_in.load(); });
  std::this_thread::yield();
  try {
    other.close();
  } catch (const strait::Error&) {
  }
  const std::string said = reader.join();
  CHECK((said.empty() || said.find("closed") != std::string::npos));  // it may not have been inside yet
}

TEST_CASE("dotnet object: foreign bytes are left as they are, what the dead left is taken over, and nothing else") {
  if (!names_stay()) {
    WARN("skipped: no name outlives its holders here");
    return;
  }
  const NameGuard name("dotnet-object");
  // Like an array of 4 int whose processes were killed.
  Bytes left(32);
  left[0] = 32;
  shm_write(name, left);
  CHECK(caught([&] { return dotnet::SharedArray<std::int32_t>(name.str()); }) == Errc::not_found);
  CHECK_FALSE(shm_exists(name));
  shm_write(name, left);
  CHECK(dotnet::SharedArray<std::int32_t>(name, 9).size() == 9);
  CHECK_FALSE(shm_exists(name));

  for (const std::size_t spoil : {0u, 4u, 8u, 12u}) {
    INFO("byte " << spoil);
    Bytes foreign = left;
    foreign[spoil] = static_cast<unsigned char>(foreign[spoil] + 2);
    shm_write(name, foreign);
    CHECK(caught([&] { return dotnet::SharedArray<std::int32_t>(name, 9); }) == Errc::not_a_segment);
    CHECK(caught([&] { return dotnet::SharedArray<std::int32_t>(name.str()); }) == Errc::not_a_segment);
    CHECK(shm_bytes(name) == foreign);
  }
  shm_forget(name);
}
