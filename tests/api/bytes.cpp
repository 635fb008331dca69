#include "../support/catch.hpp"
#include "../support/caught.hpp"

#include <strait/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using strait::copy_to_bytes;
using strait::Errc;
using strait::from_bytes;
using strait::test::caught;
using strait::to_bytes;

namespace {

struct Pair {
  std::uint32_t first;
  std::uint16_t second;
  std::uint16_t third;
  friend bool operator==(const Pair&, const Pair&) = default;
};

}  // namespace

TEST_CASE("a value becomes its bytes and comes back from them") {
  const auto bytes = to_bytes(std::uint32_t{0x01020304});
  static_assert(bytes.size() == 4);
  CHECK(from_bytes<std::uint32_t>(bytes) == 0x01020304);
  const Pair pair{1, 2, 3};
  CHECK(from_bytes<Pair>(to_bytes(pair)) == pair);
  CHECK(to_bytes('x')[0] == std::byte{'x'});
}

TEST_CASE("values are copied to and from any place, aligned or not, and nothing beside them is touched") {
  const Pair pair{0xaabbccdd, 0x1122, 0x3344};
  for (std::size_t start = 0; start < 9; ++start) {
    std::vector<std::byte> buffer(20, std::byte{0x5a});
    copy_to_bytes(pair, std::span(buffer).subspan(start));
    CHECK(from_bytes<Pair>(std::span(buffer).subspan(start)) == pair);
    for (std::size_t i = 0; i < buffer.size(); ++i) {
      if (i < start || i >= start + sizeof(Pair)) CHECK(buffer[i] == std::byte{0x5a});
    }
  }
}

TEST_CASE("too few bytes are refused and not touched") {
  std::array<std::byte, 7> small{};
  const auto refused = caught([&] { copy_to_bytes(Pair{1, 2, 3}, small); });
  CHECK(refused == Errc::buffer_too_small);
  CHECK(refused.says("8"));
  CHECK(refused.says("7"));
  CHECK(small == std::array<std::byte, 7>{});
  CHECK(caught([&] { return from_bytes<Pair>(small).first; }) == Errc::buffer_too_small);
  CHECK(caught([] { return from_bytes<char>(std::span<const std::byte>()); }) == Errc::buffer_too_small);
}
