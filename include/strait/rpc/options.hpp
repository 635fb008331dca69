#pragma once
// What a caller may choose when opening an RPC channel.

#include <strait/core/options.hpp>

#include <cstddef>

namespace strait {

/// The sizes are those of the first endpoint; the second takes them over, whatever its own say.
struct RpcOptions : OpenOptions {
  std::size_t buffer_capacity = 50'000;  ///< bytes that a packet's node holds, its header of 32 included: 256 to 1 MiB
  std::size_t node_count = 10;           ///< nodes of each of the two rings, at least 2; long messages pass faster through some MiB
  unsigned handler_threads = 0;          ///< requests handled at a time; 0: as many as there are processors, at least 4; 1: in order
};

}  // namespace strait
