#pragma once
// A segment that holds one ring, as one handle uses it: the session, and the handle's end of the ring.

#include <strait/core/options.hpp>
#include <strait/handle/ring_end.hpp>
#include <strait/handle/shared_nodes.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/node_word.hpp>
#include <strait/ring/ring.hpp>
#include <strait/segment/expectation.hpp>
#include <strait/segment/segment.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace strait::handle {

// The session begins before the ring and ends after it.
class RingSession {
 protected:
  RingSession(std::string_view name, segment::Intent intent, const segment::Expectation& expected, const RingOptions& options,
              segment::Contents contents)
      : own_session_(name, intent, expected, options, std::move(contents)) {}

  segment::Session own_session_;
};

class RingHandle : private RingSession, public RingEnd {
 public:
  RingHandle(std::string_view name, segment::Intent intent, const segment::Expectation& expected, const RingOptions& options)
      : RingSession(name, intent, expected, options, contents()),
        RingEnd(own_session_, own_session_.control(), nodes_of(own_session_.segment()),
                static_cast<std::size_t>(own_session_.segment().shape().element_size), Sides::first_user) {}

 private:
  static segment::Contents contents() noexcept {
    return {[](const segment::Segment& segment) { SharedNodes(nodes_of(segment)).make_free(); },
            [](const segment::Segment& segment, layout::Seat dead) { return ring::Ring<SharedNodes>(nodes_of(segment)).mend(dead); }};
  }

  static SharedNodes nodes_of(const segment::Segment& segment) noexcept {
    return {segment.payload(), segment.shape().element_count, *layout::node_stride(segment.shape().element_size), segment.control().given_back,
            segment.fence_method()};
  }
};

}  // namespace strait::handle
