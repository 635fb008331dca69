// A buffer that only 64-bit processes can map.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/buffer_read_write.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

using strait::BufferReadWrite;
using strait::Errc;
using strait::test::caught;
using strait::test::NameGuard;

TEST_CASE("bytes behind 4 GiB are as good as any others") {
  constexpr std::uint64_t size = (std::uint64_t{4} << 30) + (std::uint64_t{1} << 20);
  const auto room = strait::test::shm_room();
  if (!room || *room < size + (std::uint64_t{1} << 30)) {
    WARN("skipped: /dev/shm has no room for a buffer of more than 4 GiB");
    return;
  }
  const strait::test::Watchdog watchdog(std::chrono::seconds(120), "a buffer of more than 4 GiB");
  NameGuard name("huge");
  BufferReadWrite buffer(name, size);
  const BufferReadWrite reader(name);
  CHECK(buffer.buffer_size() == size);
  CHECK(reader.buffer_size() == size);
  std::vector<std::uint64_t> positions{0};
  for (const std::uint64_t border : {std::uint64_t{1} << 31, std::uint64_t{1} << 32}) {
    for (const std::uint64_t position : {border - 16, border - 4, border + 8}) positions.push_back(position);
  }
  positions.push_back(size - sizeof(std::uint64_t));
  for (const auto position : positions) buffer.write(std::uint64_t{position ^ 0x123456789abcdef0u}, position);
  for (const auto position : positions) CHECK(reader.read<std::uint64_t>(position) == (position ^ 0x123456789abcdef0u));
  CHECK(reader.read<std::uint64_t>((std::uint64_t{1} << 32) + 100) == 0);
  CHECK(caught([&] { buffer.write(std::uint64_t{1}, size - 7); }) == Errc::out_of_range);
}
