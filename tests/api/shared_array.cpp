#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"

#include <strait/shared_array.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using strait::Errc;
using strait::SharedArray;
using strait::test::caught;
using strait::test::NameGuard;

namespace {

struct Quote {
  std::int64_t price;
  std::int32_t amount;
  char symbol[12];
  friend bool operator==(const Quote&, const Quote&) = default;
};

struct alignas(256) Aligned {
  std::uint64_t value;
};

enum class Colour : std::uint16_t { red, green };

struct Named {
  std::uint32_t a;
  float b;
};
struct OtherNamed {
  std::uint32_t a;
  float b;
};
struct Swapped {
  float b;
  std::uint32_t a;
};

static_assert(std::ranges::contiguous_range<SharedArray<int>>);
static_assert(std::ranges::sized_range<SharedArray<int>>);
static_assert(std::ranges::contiguous_range<const SharedArray<int>>);
static_assert(std::is_same_v<decltype(std::declval<SharedArray<int>&>()[0]), int&>);
static_assert(std::is_same_v<decltype(std::declval<const SharedArray<int>&>()[0]), const int&>);
static_assert(std::is_nothrow_move_constructible_v<SharedArray<int>>);
static_assert(!std::is_copy_constructible_v<SharedArray<int>>);

}  // namespace

template <>
struct strait::share_name<Named> {
  static constexpr std::string_view value = "test.named";
  static constexpr auto fields = std::tuple{&Named::a, &Named::b};
};
template <>
struct strait::share_name<OtherNamed> {
  static constexpr std::string_view value = "test.other";
  static constexpr auto fields = std::tuple{&OtherNamed::a, &OtherNamed::b};
};
template <>
struct strait::share_name<Swapped> {
  static constexpr std::string_view value = "test.named";
  static constexpr auto fields = std::tuple{&Swapped::a, &Swapped::b};
};

TEST_CASE("a fresh array is all zero") {
  NameGuard name("array");
  const SharedArray<std::uint64_t> array(name, 1000);
  CHECK(array.size() == 1000);
  CHECK(std::ranges::all_of(array, [](std::uint64_t value) { return value == 0; }));
}

TEST_CASE("what one handle of an array writes another one reads") {
  NameGuard name("array");
  SharedArray<int> first(name, 3);
  SharedArray<int> second(name);
  REQUIRE(second.size() == 3);
  first[0] = 123;
  second[1] = 456;
  first.at(2) = 789;
  CHECK(second[0] == 123);
  CHECK(first[1] == 456);
  CHECK(second.at(2) == 789);
  CHECK(std::as_const(second).at(2) == 789);
  CHECK(first.data() != second.data());
}

TEST_CASE("an array is a random access range that algorithms work on") {
  NameGuard name("array");
  SharedArray<int> array(name, 100);
  std::iota(array.begin(), array.end(), -50);
  std::ranges::reverse(array);
  CHECK(array[0] == 49);
  std::sort(array.begin(), array.end());
  CHECK(array[0] == -50);
  const SharedArray<int> reader(name);
  CHECK(std::ranges::is_sorted(reader));
  CHECK(std::ranges::find(reader, 7) - reader.begin() == 57);
  CHECK(std::ranges::find(reader, 1000) == reader.end());
  CHECK(std::accumulate(reader.begin(), reader.end(), 0) == -50);
  int count = 0;
  for (const int value : reader) count += value > 0 ? 1 : 0;
  CHECK(count == 49);
}

TEST_CASE("a subspan of an array writes through to the other side") {
  NameGuard name("array");
  SharedArray<int> array(name, 10);
  const SharedArray<int> reader(name);
  auto slice = array.span().subspan(3, 4);
  REQUIRE(slice.size() == 4);
  std::ranges::fill(slice, 9);
  CHECK(std::vector<int>(reader.begin(), reader.end()) == std::vector<int>{0, 0, 0, 9, 9, 9, 9, 0, 0, 0});
  CHECK(reader.span().subspan(2, 2)[1] == 9);
  static_assert(std::is_same_v<decltype(reader.span()), std::span<const int>>);
}

TEST_CASE("write and read move a run of elements to and from any start") {
  NameGuard name("array");
  SharedArray<int> array(name, 10);
  const SharedArray<int> reader(name);
  const std::vector<int> data{1, 2, 3, 4};
  array.write(data, 6);
  array.write(std::array{8, 9});
  std::vector<int> out(10);
  reader.read(out);
  CHECK(out == std::vector<int>{8, 9, 0, 0, 0, 0, 1, 2, 3, 4});
  std::array<int, 3> part{};
  reader.read(part, 5);
  CHECK(part == std::array{0, 1, 2});
}

TEST_CASE("an empty run is accepted anywhere inside an array, its end included") {
  NameGuard name("array");
  SharedArray<int> array(name, 4);
  CHECK(caught([&] { array.write(std::span<const int>{}, 4); }).nothing());
  CHECK(caught([&] { array.read(std::span<int>{}, 4); }).nothing());
  CHECK(caught([&] { array.write(std::span<const int>{}, 5); }) == Errc::out_of_range);
  CHECK(caught([&] { array.read(std::span<int>{}, 5); }) == Errc::out_of_range);
}

TEST_CASE("a run that goes beyond the end of an array is refused and changes nothing") {
  NameGuard name("array");
  SharedArray<int> array(name, 4);
  array.write(std::array{1, 2, 3, 4});
  const std::array<int, 3> three{7, 7, 7};
  std::array<int, 3> out{-1, -1, -1};
  const auto start = GENERATE(std::size_t{2}, std::size_t{4}, std::size_t{5}, std::numeric_limits<std::size_t>::max(),
                              std::numeric_limits<std::size_t>::max() / sizeof(int) + 1, std::numeric_limits<std::size_t>::max() - 2);
  const auto write = caught([&] { array.write(three, start); });
  CHECK(write == Errc::out_of_range);
  CHECK(write.segment == name.str());
  CHECK(caught([&] { array.read(out, start); }) == Errc::out_of_range);
  CHECK(out == std::array{-1, -1, -1});
  CHECK(std::vector<int>(array.begin(), array.end()) == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("at() beyond the end of an array throws std::out_of_range") {
  NameGuard name("array");
  SharedArray<int> array(name, 4);
  const SharedArray<int>& view = array;
  CHECK_THROWS_AS(array.at(4), std::out_of_range);
  CHECK_THROWS_AS(view.at(4), std::out_of_range);
  CHECK_THROWS_AS(array.at(std::numeric_limits<std::size_t>::max()), std::out_of_range);
  CHECK_NOTHROW(array.at(3));
}

TEST_CASE("bool and char elements take one byte each and do not touch their neighbours") {
  NameGuard chars_name("chars");
  SharedArray<char> chars(chars_name, 3);
  CHECK(chars.buffer_size() == 3);
  chars[0] = 'A';
  chars[1] = 'B';
  chars[2] = 'C';
  CHECK(std::string_view(chars.data(), chars.size()) == "ABC");
  NameGuard bools_name("bools");
  SharedArray<bool> bools(bools_name, 3);
  CHECK(bools.buffer_size() == 3);
  bools[1] = true;
  const SharedArray<bool> reader(bools_name);
  bool out[3] = {true, false, true};
  reader.read(out);
  CHECK_FALSE(out[0]);
  CHECK(out[1]);
  CHECK_FALSE(out[2]);
}

TEST_CASE("structs are shared whole") {
  NameGuard name("array");
  SharedArray<Quote> array(name, 5);
  const SharedArray<Quote> reader(name);
  CHECK(array.buffer_size() == 5 * sizeof(Quote));
  const Quote quote{12345, -6, "STRAIT"};
  array[4] = quote;
  CHECK(reader[4] == quote);
  CHECK(reader[3] == Quote{});
}

TEST_CASE("an element gets the alignment its type asks for") {
  NameGuard name("array");
  SharedArray<Aligned> array(name, 3);
  const SharedArray<Aligned> reader(name);
  CHECK(reinterpret_cast<std::uintptr_t>(array.data()) % alignof(Aligned) == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(reader.data()) % alignof(Aligned) == 0);
  array[2].value = 5;
  CHECK(reader[2].value == 5);
}

TEST_CASE("sizes are those that were asked for") {
  NameGuard name("array");
  const SharedArray<std::uint16_t> array(name, 7);
  CHECK(array.size() == 7);
  CHECK(array.buffer_size() == 14);
  CHECK(array.shared_memory_size() >= 14);
  const SharedArray<std::uint16_t> other(name);
  CHECK(other.size() == 7);
  CHECK(other.buffer_size() == 14);
  CHECK(other.shared_memory_size() == array.shared_memory_size());
}

TEST_CASE("an array opened with another element type is refused") {
  NameGuard name("array");
  const SharedArray<int> array(name, 8);
  const auto as_float = caught([&] { SharedArray<float> wrong(name); });
  CHECK(as_float == Errc::type_mismatch);
  CHECK(as_float.segment == name.str());
  CHECK(caught([&] { SharedArray<unsigned> wrong(name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedArray<std::int64_t> wrong(name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedArray<std::int16_t> wrong(name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedArray<Quote> wrong(name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedArray<std::int32_t> right(name); }).nothing());
  CHECK(caught([&] { SharedArray<int> wrong(strait::open_or_create, name, 9); }) == Errc::type_mismatch);
}

TEST_CASE("a refused element type is told with the widths of both sides") {
  NameGuard name("array");
  const SharedArray<Quote> array(name, 8);
  auto refused = caught([&] { SharedArray<std::array<char, 777>> wrong(name); });
  REQUIRE(refused == Errc::type_mismatch);
  refused.text.erase(refused.text.find(name.str()), name.str().size());
  CAPTURE(refused.text);
  CHECK(refused.says(std::to_string(sizeof(Quote))));
  CHECK(refused.says("777"));
}

TEST_CASE("enums share with their underlying type, plain char is a kind of its own") {
  NameGuard colours_name("colours");
  SharedArray<Colour> colours(colours_name, 2);
  colours[1] = Colour::green;
  CHECK(SharedArray<std::uint16_t>(colours_name)[1] == 1);
  CHECK(caught([&] { SharedArray<std::int16_t> wrong(colours_name); }) == Errc::type_mismatch);
  NameGuard chars_name("chars");
  const SharedArray<char> chars(chars_name, 2);
  CHECK(caught([&] { SharedArray<signed char> wrong(chars_name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedArray<unsigned char> wrong(chars_name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedArray<bool> wrong(chars_name); }) == Errc::type_mismatch);
}

TEST_CASE("classes of one size are told apart by their share_name and by the offsets of their fields") {
  NameGuard name("array");
  const SharedArray<Named> array(name, 2);
  static_assert(sizeof(Named) == sizeof(OtherNamed) && sizeof(Named) == sizeof(Swapped));
  CHECK(caught([&] { SharedArray<Named> right(name); }).nothing());
  CHECK(caught([&] { SharedArray<OtherNamed> wrong(name); }) == Errc::type_mismatch);
  CHECK(caught([&] { SharedArray<Swapped> wrong(name); }) == Errc::type_mismatch);
}

TEST_CASE("a moved array handle keeps its memory and its place among the participants") {
  NameGuard name("array");
  SharedArray<int> first(name, 4);
  first[1] = 5;
  SharedArray<int> second(std::move(first));
  CHECK(second[1] == 5);
  CHECK(second.is_owner());
  CHECK(second.participants().size() == 1);
  NameGuard other_name("array");
  SharedArray<int> third(other_name, 2);
  third = std::move(second);
  CHECK(third[1] == 5);
  CHECK(third.name() == name.str());
  CHECK(caught([&] { SharedArray<int> gone(other_name); }) == Errc::not_found);
}
