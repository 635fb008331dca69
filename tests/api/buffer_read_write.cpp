#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/buffer_read_write.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using strait::BufferReadWrite;
using strait::Errc;
using strait::test::caught;
using strait::test::NameGuard;

namespace {

constexpr auto far_away = std::size_t{1} << (sizeof(std::size_t) == 8 ? 32 : 31);

struct Record {
  std::int32_t id;
  double value;
  char text[20];
};

std::vector<std::byte> all_bytes(const BufferReadWrite& buffer) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(buffer.buffer_size()));
  buffer.read(std::span(bytes));
  return bytes;
}

}  // namespace

TEST_CASE("values written at byte positions are read at the same positions") {
  NameGuard name("buffer");
  BufferReadWrite first(name, 1024);
  BufferReadWrite second(name);
  CHECK(second.buffer_size() == 1024);
  first.write(123);
  second.write(456, 1000);
  CHECK(second.read<int>() == 123);
  CHECK(first.read<int>(1000) == 456);
  int out = 0;
  first.read(out, 1000);
  CHECK(out == 456);
}

TEST_CASE("a fresh buffer is all zero") {
  NameGuard name("buffer");
  const BufferReadWrite buffer(name, 5000);
  CHECK(std::ranges::all_of(all_bytes(buffer), [](std::byte byte) { return byte == std::byte{}; }));
}

TEST_CASE("structs, spans, vectors, arrays and text are written and read whole") {
  NameGuard name("buffer");
  BufferReadWrite buffer(name, 1000);
  const BufferReadWrite reader(name);

  buffer.write(Record{7, 1.5, "seven"}, 16);
  const auto record = reader.read<Record>(16);
  CHECK(record.id == 7);
  CHECK(record.value == 1.5);
  CHECK(std::string_view(record.text) == "seven");

  const std::vector<std::int64_t> numbers{1, -2, 3};
  buffer.write(numbers, 100);
  std::vector<std::int64_t> numbers_out(3);
  reader.read(std::span(numbers_out), 100);
  CHECK(numbers_out == numbers);

  buffer.write(std::span<const std::int64_t>(numbers).subspan(1), 200);
  CHECK(reader.read<std::int64_t>(208) == 3);

  buffer.write(std::array<short, 3>{4, 5, 6}, 300);
  CHECK(reader.read<std::array<short, 3>>(300) == std::array<short, 3>{4, 5, 6});

  buffer.write(std::string_view("text"), 400);
  std::array<char, 4> text{};
  reader.read(std::span(text), 400);
  CHECK(std::string_view(text.data(), 4) == "text");
}

TEST_CASE("any position will do, aligned or not") {
  NameGuard name("buffer");
  BufferReadWrite buffer(name, 64);
  for (std::size_t position = 0; position + sizeof(double) <= 64; ++position) {
    buffer.write(0.25 + static_cast<double>(position), position);
    CHECK(buffer.read<double>(position) == 0.25 + static_cast<double>(position));
  }
}

TEST_CASE("everything that would cross the end of a buffer is refused and changes nothing") {
  NameGuard name("buffer");
  BufferReadWrite buffer(name, 64);
  buffer.write_with([](std::span<std::byte> bytes) { std::ranges::fill(bytes, std::byte{0x5a}); });
  const auto before = all_bytes(buffer);
  // The last starts make position + size wrap around.
  const auto position = GENERATE(std::size_t{57}, std::size_t{60}, std::size_t{64}, std::size_t{65}, far_away,
                                 std::numeric_limits<std::size_t>::max() - 7, std::numeric_limits<std::size_t>::max());
  const std::int64_t value = 1;
  std::int64_t out = -1;
  std::array<std::int32_t, 2> pair{1, 2};
  const auto refused = caught([&] { buffer.write(value, position); });
  CHECK(refused == Errc::out_of_range);
  CHECK(refused.segment == name.str());
  CHECK(refused.says("64"));
  CHECK(caught([&] { buffer.write(std::span<const std::int32_t>(pair), position); }) == Errc::out_of_range);
  CHECK(caught([&] { buffer.write(std::vector<char>(8), position); }) == Errc::out_of_range);
  CHECK(caught([&] { return buffer.read<std::int64_t>(position); }) == Errc::out_of_range);
  CHECK(caught([&] { buffer.read(out, position); }) == Errc::out_of_range);
  CHECK(caught([&] { buffer.read(std::span(pair), position); }) == Errc::out_of_range);
  CHECK(out == -1);
  CHECK(pair == std::array<std::int32_t, 2>{1, 2});
  CHECK(all_bytes(buffer) == before);
  CHECK(caught([&] { buffer.write(value, 56); }).nothing());
}

TEST_CASE("a position beyond the end gets no callback") {
  NameGuard name("buffer");
  BufferReadWrite buffer(name, 64);
  const auto position = GENERATE(std::size_t{65}, std::numeric_limits<std::size_t>::max());
  bool called = false;
  CHECK(caught([&] { buffer.write_with([&](std::span<std::byte>) { called = true; }, position); }) == Errc::out_of_range);
  CHECK(caught([&] { buffer.read_with([&](std::span<const std::byte>) { called = true; }, position); }) == Errc::out_of_range);
  CHECK_FALSE(called);
}

TEST_CASE("callbacks work in place on exactly the bytes from their position to the end") {
  NameGuard name("buffer");
  BufferReadWrite buffer(name, 100);
  const BufferReadWrite reader(name);
  std::size_t writable = 0;
  buffer.write_with(
      [&](std::span<std::byte> bytes) {
        writable = bytes.size();
        bytes[0] = std::byte{1};
        bytes.back() = std::byte{2};
      },
      40);
  CHECK(writable == 60);
  std::size_t readable = 0;
  std::byte first{};
  std::byte last{};
  reader.read_with(
      [&](std::span<const std::byte> bytes) {
        readable = bytes.size();
        first = bytes[0];
        last = bytes.back();
      },
      40);
  CHECK(readable == 60);
  CHECK(first == std::byte{1});
  CHECK(last == std::byte{2});
  CHECK(reader.read<char>(39) == 0);
}

TEST_CASE("a buffer callback that throws passes its exception on and leaves nothing locked") {
  NameGuard name("buffer");
  BufferReadWrite buffer(name, 100);
  BufferReadWrite other(name);
  CHECK_THROWS_AS(buffer.write_with([](std::span<std::byte>) { throw std::runtime_error("no"); }), std::runtime_error);
  CHECK_THROWS_AS(buffer.read_with([](std::span<const std::byte>) { throw std::runtime_error("no"); }), std::runtime_error);
  CHECK(other.acquire_write_lock(strait::no_wait));
  other.release_write_lock();
}
