#pragma once
// What an opener expects of a segment, and the check of every number in a header against that and against the real object.

#include <strait/core/error.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/platform/park.hpp>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace strait::segment {

struct Expectation {
  layout::Shape shape;
  bool element_matters = true;  // an array's element type; always when an existing segment stands in for one to be created
  bool count_matters = true;
  std::string_view suffix = {};  // of the object's name: the segment is not what the user sees under the name
};

// Not a word of the header is believed before this returns. `header` is this process's own copy.
inline layout::SegmentPlan checked_plan(const std::string& name, const layout::SegmentHeader& header, const Expectation& expected,
                                        std::uint64_t object_size) {
  using layout::Kind;
  const auto refuse = [&](Errc code, const std::string& detail) -> void { throw Error(code, name, detail); };
  const auto text = [](std::uint64_t number) { return std::to_string(number); };

  if (header.version != layout::format_version) {
    refuse(Errc::wrong_version, "it has format version " + text(header.version) + ", this program speaks version " + text(layout::format_version) +
                                    "; build both sides with the same release");
  }
  if (!layout::can_tell_life(header.presence)) {
    refuse(Errc::wrong_version, "its creator tells the living by method " + text(header.presence) + ", this program does not; build both sides alike");
  }
  if (header.park != platform::Park::method()) {
    refuse(Errc::wrong_version,
           "its creator sleeps by method " + text(header.park) + ", this program by method " + text(platform::Park::method()) + "; build both sides alike");
  }
  if (header.fences != static_cast<std::uint32_t>(layout::FenceMethod::every_change) &&
      header.fences != static_cast<std::uint32_t>(layout::FenceMethod::by_sleepers)) {
    refuse(Errc::wrong_version, "its creator fences by method " + text(header.fences) + ", which this program does not know");
  }

  const auto kind = static_cast<Kind>(header.kind);
  if (kind != expected.shape.kind) {
    refuse(Errc::wrong_kind, std::string("it holds a ") + layout::name_of(kind) + " (" + text(header.kind) + "), asked for a " +
                                 layout::name_of(expected.shape.kind) + "; open it with the class that created it");
  }

  const layout::Shape shape{kind, header.element_size, header.element_count, header.element_alignment, header.fingerprint};
  const bool numbers_make_sense = header.seat_count >= 1 && header.seat_count <= layout::max_seats && shape.element_size >= 1 && shape.element_count >= 1 &&
                                  std::has_single_bit(shape.element_alignment) && shape.element_alignment <= layout::max_element_alignment &&
                                  (!layout::has_nodes(kind) || (shape.element_count >= 2 && shape.element_count <= layout::max_node_count &&
                                                                shape.element_size <= layout::max_node_buffer_size));
  const auto plan = numbers_make_sense ? layout::plan(shape, header.seat_count) : std::nullopt;
  if (!plan || plan->payload_offset != header.payload_offset || plan->payload_size != header.payload_size || plan->segment_size != header.segment_size) {
    refuse(Errc::broken, "the sizes in its header contradict each other (" + text(shape.element_count) + " elements of " + text(shape.element_size) +
                             " bytes, " + text(header.seat_count) + " seats, " + text(header.segment_size) + " bytes in all)");
  }
  if (plan->segment_size > object_size) {
    refuse(Errc::broken, "its header says " + text(plan->segment_size) + " bytes, the object has " + text(object_size) + ": it was cut short");
  }

  if (expected.element_matters && (shape.element_size != expected.shape.element_size || shape.fingerprint != expected.shape.fingerprint)) {
    refuse(Errc::type_mismatch, "it holds elements of " + text(shape.element_size) + " bytes (type " + text(shape.fingerprint) + "), asked for " +
                                    text(expected.shape.element_size) + " bytes (type " + text(expected.shape.fingerprint) + ")");
  }
  if (plan->payload_offset % expected.shape.element_alignment != 0) {
    refuse(Errc::type_mismatch, "its elements are aligned to " + text(shape.element_alignment) + " bytes, this program's type asks for " +
                                    text(expected.shape.element_alignment));
  }
  if (expected.count_matters && shape.element_count != expected.shape.element_count) {
    refuse(Errc::type_mismatch,
           "it holds " + text(shape.element_count) + " elements of " + text(shape.element_size) + " bytes, asked for " + text(expected.shape.element_count));
  }
  return *plan;
}

}  // namespace strait::segment
