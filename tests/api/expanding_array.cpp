#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/expanding_array.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using strait::Errc;
using strait::ExpandingArray;
using strait::open_or_create;
using strait::test::caught;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::NameGuard;
using strait::test::Watchdog;

namespace {

const ChildFunction add{"expanding: add", [](std::span<const std::string> arguments) -> int {
  ExpandingArray<std::uint64_t> array(open_or_create, arguments[0]);
  const auto writer = std::stoull(arguments[1]);
  for (std::uint64_t i = 0; i < 500; ++i) array.push_back(writer * 1000 + i);
  strait::test::say("added");
  strait::test::hear();
  return 0;
}};

}  // namespace

TEST_CASE("an expanding array lays its indices out in buckets that double") {
  const std::vector<std::pair<std::size_t, std::size_t>> table{{0, 0}, {1, 0}, {2, 0}, {3, 1}, {6, 1}, {7, 2}, {14, 2}, {15, 3}, {30, 3}, {31, 4}, {62, 4}, {63, 5}};
  for (const auto& [index, bucket] : table) CHECK(ExpandingArray<int>::bucket_index(index) == bucket);
}

TEST_CASE("an expanding array grows by one element at a time and keeps every one of them") {
  NameGuard name("growing");
  ExpandingArray<std::uint32_t> array(open_or_create, name);
  CHECK(array.size() == 0);
  for (std::uint32_t i = 0; i < 1000; ++i) CHECK(array.push_back(i * 3) == i);
  CHECK(array.size() == 1000);
  bool right = true;
  for (std::uint32_t i = 0; i < 1000; ++i) right = right && array[i] == i * 3 && array.at(i) == i * 3;
  CHECK(right);
}

TEST_CASE("what one handle of an expanding array adds another one sees, and elements never move") {
  NameGuard name("growing");
  ExpandingArray<int> first(open_or_create, name);
  ExpandingArray<int> second(open_or_create, name);
  CHECK(first.push_back(1) == 0);
  const int* place = &first[0];
  for (int i = 2; i <= 100; ++i) CHECK((i % 2 == 0 ? second : first).push_back(i) == static_cast<std::size_t>(i - 1));
  CHECK(first.size() == 100);
  CHECK(second.size() == 100);
  CHECK(&first[0] == place);
  bool right = true;
  for (std::size_t i = 0; i < 100; ++i) right = right && first[i] == static_cast<int>(i + 1) && second[i] == first[i];
  CHECK(right);
  second[50] = -5;
  CHECK(first.at(50) == -5);
}

TEST_CASE("at() beyond the size of an expanding array throws, an index may skip whole buckets") {
  NameGuard name("growing");
  ExpandingArray<int> array(open_or_create, name);
  CHECK_THROWS_AS(array.at(0), std::out_of_range);
  array.push_back(5);
  CHECK(array.at(0) == 5);
  CHECK_THROWS_AS(array.at(1), std::out_of_range);
  CHECK(array[1000] == 0);
  array[1000] = 7;
  CHECK(array[1000] == 7);
  CHECK(array.size() == 1);
}

TEST_CASE("a cleared expanding array is empty for everybody and grows again") {
  NameGuard name("growing");
  ExpandingArray<int> first(open_or_create, name);
  ExpandingArray<int> second(open_or_create, name);
  for (int i = 0; i < 20; ++i) first.push_back(i);
  second.clear();
  CHECK(first.size() == 0);
  CHECK(first.push_back(9) == 0);
  CHECK(second.at(0) == 9);
}

TEST_CASE("an expanding array of another element type is refused") {
  NameGuard name("growing");
  ExpandingArray<int> array(open_or_create, name);
  array.push_back(1);
  CHECK(caught([&] { ExpandingArray<float> wrong(open_or_create, name); }) == Errc::type_mismatch);
  CHECK(caught([&] { ExpandingArray<std::uint64_t> wrong(open_or_create, name); }) == Errc::type_mismatch);
  CHECK(array.at(0) == 1);
}

TEST_CASE("threads that add to one expanding array lose no element") {
  const Watchdog watchdog;
  NameGuard name("growing");
  ExpandingArray<std::uint64_t> array(open_or_create, name);
  strait::test::Workers workers;
  for (std::uint64_t writer = 0; writer < 4; ++writer) {
    workers.run([&, writer] {
      for (std::uint64_t i = 0; i < 500; ++i) array.push_back(writer * 1000 + i);
    });
  }
  CHECK(workers.join() == "");
  REQUIRE(array.size() == 2000);
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < 2000; ++i) all.push_back(array[i]);
  std::ranges::sort(all);
  CHECK(std::ranges::adjacent_find(all) == all.end());
  CHECK(all.front() == 0);
  CHECK(all.back() == 3499);
}

TEST_CASE("processes that add to one expanding array lose no element, and a late reader finds all") {
  const Watchdog watchdog;
  NameGuard name("growing");
  {
    std::vector<Child> children;
    for (int i = 0; i < 3; ++i) children.emplace_back("expanding: add", std::vector<std::string>{name.str(), std::to_string(i)});
    for (auto& child : children) REQUIRE(child.read_line() == "added");
    {
      ExpandingArray<std::uint64_t> array(open_or_create, name);
      REQUIRE(array.size() == 1500);
      std::vector<std::uint64_t> all;
      for (std::size_t i = 0; i < 1500; ++i) all.push_back(array.at(i));
      std::ranges::sort(all);
      CHECK(std::ranges::adjacent_find(all) == all.end());
      CHECK(all.back() == 2499);
    }
    for (auto& child : children) {
      child.close_input();
      CHECK(child.wait().clean());
    }
  }
}
