// Which types may cross a process border, and their fingerprints.

#include "support/catch.hpp"

#include <strait/core/fingerprint.hpp>
#include <strait/core/shareable.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace {

struct Plain {
  std::int32_t a;
  double b;
};
struct SamePlain {
  std::int32_t a;
  double b;
};
struct Named {
  std::int32_t a;
};
struct OtherNamed {
  std::int32_t a;
};
struct Fields {
  std::int32_t a;
  std::int32_t b;
};
struct Swapped {
  std::int32_t b;
  std::int32_t a;
};
struct NoDefault {
  explicit NoDefault(int value) : a(value) {}
  std::int32_t a;
};
struct Virtual {
  virtual ~Virtual() = default;
};
struct Destructor {
  ~Destructor() {}
};
enum class Small : std::uint8_t { one };
enum class Signed : std::int32_t { one };

}  // namespace

template <>
struct strait::share_name<Named> {
  static constexpr std::string_view value = "Named";
};
template <>
struct strait::share_name<OtherNamed> {
  static constexpr std::string_view value = "OtherNamed";
};
template <>
struct strait::share_name<Fields> {
  static constexpr std::string_view value = "Fields";
  static constexpr auto fields = std::tuple{&Fields::a, &Fields::b};
};
template <>
struct strait::share_name<Swapped> {
  static constexpr std::string_view value = "Fields";
  static constexpr auto fields = std::tuple{&Swapped::a, &Swapped::b};
};
template <>
struct strait::share_name<NoDefault> {
  static constexpr auto fields = std::tuple{&NoDefault::a};
};

using namespace strait;

TEST_CASE("plain data may be shared") {
  STATIC_REQUIRE(Shareable<int>);
  STATIC_REQUIRE(Shareable<const double>);
  STATIC_REQUIRE(Shareable<bool>);
  STATIC_REQUIRE(Shareable<std::byte>);
  STATIC_REQUIRE(Shareable<Small>);
  STATIC_REQUIRE(Shareable<Plain>);
  STATIC_REQUIRE(Shareable<NoDefault>);
  STATIC_REQUIRE(Shareable<std::array<int, 4>>);
  STATIC_REQUIRE(Shareable<int[3][4]>);
  STATIC_REQUIRE(Shareable<std::array<Plain, 2>[2]>);
}

TEST_CASE("addresses, views and things with a life of their own may not") {
  STATIC_REQUIRE(!Shareable<int*>);
  STATIC_REQUIRE(!Shareable<const char*>);
  STATIC_REQUIRE(!Shareable<int&>);
  STATIC_REQUIRE(!Shareable<int Plain::*>);
  STATIC_REQUIRE(!Shareable<void (*)()>);
  STATIC_REQUIRE(!Shareable<void()>);
  STATIC_REQUIRE(!Shareable<void>);
  STATIC_REQUIRE(!Shareable<std::nullptr_t>);
  STATIC_REQUIRE(!Shareable<std::span<int>>);
  STATIC_REQUIRE(!Shareable<std::span<int, 4>>);
  STATIC_REQUIRE(!Shareable<std::string_view>);
  STATIC_REQUIRE(!Shareable<std::wstring_view>);
  STATIC_REQUIRE(!Shareable<std::string>);
  STATIC_REQUIRE(!Shareable<std::vector<int>>);
  STATIC_REQUIRE(!Shareable<std::unique_ptr<int>>);
  STATIC_REQUIRE(!Shareable<Virtual>);
  STATIC_REQUIRE(!Shareable<Destructor>);
}

TEST_CASE("arrays of what may not be shared may not either") {
  STATIC_REQUIRE(!Shareable<int* [3]>);
  STATIC_REQUIRE(!Shareable<int* [3][4]>);
  STATIC_REQUIRE(!Shareable<std::array<const char*, 2>>);
  STATIC_REQUIRE(!Shareable<std::array<std::array<int*, 2>, 2>>);
  STATIC_REQUIRE(!Shareable<std::array<std::string_view, 2>>);
  STATIC_REQUIRE(!Shareable<std::span<int>[2]>);
}

TEST_CASE("ranges of shareable elements, side by side, may be copied as a whole") {
  STATIC_REQUIRE(core::ShareableRange<std::vector<int>>);
  STATIC_REQUIRE(core::ShareableRange<std::string>);
  STATIC_REQUIRE(core::ShareableRange<std::string_view>);
  STATIC_REQUIRE(core::ShareableRange<std::span<const Plain>>);
  STATIC_REQUIRE(core::ShareableRange<int[4]>);
  STATIC_REQUIRE(!core::ShareableRange<std::vector<int*>>);
  STATIC_REQUIRE(!core::ShareableRange<std::vector<bool>>);
  STATIC_REQUIRE(!core::ShareableRange<int>);
}

TEST_CASE("numbers are recognised by width and kind") {
  using core::fingerprint;
  CHECK(fingerprint<std::int32_t>() == fingerprint<const std::int32_t>());
  CHECK(fingerprint<std::int32_t>() != fingerprint<std::uint32_t>());
  CHECK(fingerprint<std::int32_t>() != fingerprint<std::int64_t>());
  CHECK(fingerprint<std::int32_t>() != fingerprint<float>());
  CHECK(fingerprint<bool>() != fingerprint<std::uint8_t>());
  CHECK(fingerprint<Small>() == fingerprint<std::uint8_t>());
  CHECK(fingerprint<Signed>() == fingerprint<std::int32_t>());
  // The same width and kind under another name is the same to everybody: `long` is 32 bits here and 64 there.
  CHECK(fingerprint<long long>() == fingerprint<std::int64_t>());
}

TEST_CASE("classes are recognised by size, and by name and fields where they say so") {
  using core::fingerprint;
  CHECK(fingerprint<Plain>() == fingerprint<SamePlain>());
  CHECK(fingerprint<Plain>() != fingerprint<Named>());
  CHECK(fingerprint<Named>() != fingerprint<OtherNamed>());
  CHECK(fingerprint<Named>() != fingerprint<std::int32_t>());
  CHECK(fingerprint<Fields>() != fingerprint<Swapped>());
  CHECK(fingerprint<NoDefault>() != fingerprint<Named>());
}

TEST_CASE("fingerprints are the same in every build: they lie in segments") {
  core::Fnv1a empty;
  CHECK(empty.value() == 0xcbf29ce484222325ull);
  core::Fnv1a text;
  text.add(std::string_view("Named"));
  core::Fnv1a other;
  other.add(std::string_view("Name"));
  CHECK(text.value() != other.value());
  CHECK(core::offset_of(&Fields::b) == 4);
  CHECK(core::offset_of(&Plain::b) == alignof(decltype(Plain::b)));
  core::Fnv1a by_hand;
  by_hand.add(std::uint64_t{2});  // ValueKind::signed_integer
  by_hand.add(std::uint64_t{4});
  CHECK(core::fingerprint<std::int32_t>() == by_hand.value());
}
