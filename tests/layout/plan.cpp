// Where the parts of a segment lie, for the shapes that occur and for numbers that do not fit.

#include "support/catch.hpp"

#include <strait/layout/segment_plan.hpp>

#include <cstdint>
#include <limits>

using namespace strait::layout;

namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

Shape shape_of(Kind kind, std::uint64_t element_size, std::uint64_t element_count, std::uint32_t alignment = 1) {
  Shape shape;
  shape.kind = kind;
  shape.element_size = element_size;
  shape.element_count = element_count;
  shape.element_alignment = alignment;
  return shape;
}

}  // namespace

TEST_CASE("header, seats, control block and payload follow each other") {
  const auto array = plan(shape_of(Kind::array, 4, 100, 4), 64);
  REQUIRE(array);
  CHECK(array->control_offset == 128 + 64 * 64);
  CHECK(array->payload_offset == 128 + 64 * 64 + 512);
  CHECK(array->payload_size == 400);
  CHECK(array->segment_size == array->payload_offset + 400);

  const auto one_seat = plan(shape_of(Kind::buffer, 1, 1), 1);
  REQUIRE(one_seat);
  CHECK(one_seat->control_offset == 192);
  CHECK(one_seat->payload_offset == 704);
  CHECK(one_seat->segment_size == 705);
}

TEST_CASE("the payload begins where its elements ask for it") {
  for (const std::uint32_t alignment : {1u, 8u, 64u, 128u, 1024u, 4096u}) {
    for (const std::uint32_t seats : {1u, 2u, 3u, 64u, max_seats}) {
      const auto found = plan(shape_of(Kind::array, alignment, 3, alignment), seats);
      REQUIRE(found);
      CHECK(found->payload_offset % alignment == 0);
      CHECK(found->payload_offset % cache_line == 0);
      CHECK(found->payload_offset >= found->control_offset + sizeof(ControlBlock));
      CHECK(found->control_offset % 64 == 0);
    }
  }
}

TEST_CASE("a ring's nodes lie at a stride of whole cache lines") {
  CHECK(node_stride(0) == 64);
  CHECK(node_stride(48) == 64);
  CHECK(node_stride(49) == 128);
  CHECK(node_stride(1 << 20) == (1 << 20) + 64);
  CHECK(!node_stride(most));
  CHECK(!node_stride(most - 15));
  CHECK(!node_stride(most - 78));
  const auto ring = plan(shape_of(Kind::ring, 48, 20), 8);
  REQUIRE(ring);
  CHECK(ring->payload_size == 20 * 64);
}

TEST_CASE("sizes beyond 4 GiB are counted in 64 bits") {
  const auto large = plan(shape_of(Kind::array, 8, std::uint64_t{1} << 40, 8), 64);
  REQUIRE(large);
  CHECK(large->payload_size == std::uint64_t{1} << 43);
}

TEST_CASE("sizes that do not fit are told, not wrapped") {
  CHECK(!plan(shape_of(Kind::array, 8, most), 64));
  CHECK(!plan(shape_of(Kind::array, most, 2), 64));
  CHECK(!plan(shape_of(Kind::array, most, most), 64));
  CHECK(!plan(shape_of(Kind::buffer, 1, most), 64));
  CHECK(!plan(shape_of(Kind::buffer, 1, most - 4096), 64));
  CHECK(!plan(shape_of(Kind::ring, most, 2), 64));
  CHECK(!plan(shape_of(Kind::ring, 48, most), 64));
  CHECK(!plan(shape_of(Kind::ring, 48, std::uint64_t{1} << 58), 64));
  // More than a file offset can say, with room for the locks beyond its end.
  CHECK(!plan(shape_of(Kind::buffer, 1, std::uint64_t{1} << 62), 64));
  CHECK(plan(shape_of(Kind::buffer, 1, (std::uint64_t{1} << 62) - (1 << 20)), 64));
}

TEST_CASE("empty payloads have a place too") {
  const auto empty = plan(shape_of(Kind::array, 4, 0, 4), 2);
  REQUIRE(empty);
  CHECK(empty->payload_size == 0);
  CHECK(empty->segment_size == empty->payload_offset);
}
