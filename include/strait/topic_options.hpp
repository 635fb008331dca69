#pragma once
// How a topic is joined (TopicOptions, Delivery).

#include <strait/options.hpp>

#include <cstddef>
#include <cstdint>

namespace strait {

/// How a publisher or a subscriber joins a topic. Nodes and history are a publisher's own; a subscriber's do not count.
struct TopicOptions : OpenOptions {
  std::size_t node_count = 256;
  std::size_t node_buffer_size = 1024;  ///< a message up to this size is one node; a longer one is several, at most half of them
  std::size_t history = 0;              ///< how many of its last messages a late subscriber gets; long ones count as far as there is room
};

/// `lossless`: the publisher waits until there is room for a message. `lossy`: it does not, and what was missed is counted.
enum class Delivery : std::uint8_t { lossless, lossy };

}  // namespace strait
