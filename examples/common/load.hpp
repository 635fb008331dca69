#pragma once
// What the ring programs share: how many bytes went over the ring, how often they had to wait, and the line that says so.

#include "status_line.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace examples {

struct Load {
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> waits = 0;  // calls that timed out
};

/// "Write: 512.0 MB, Wait: 0, 5120.00MB/s" ten times a second while it lives.
class LoadLine : public StatusLine {
 public:
  LoadLine(std::string verb, const Load& load)
      : StatusLine(stdout, std::chrono::milliseconds(100), [verb = std::move(verb), &load, rate = Rate()]() mutable {
          return verb + ": " + megabytes(load.bytes) + " MB, Wait: " + std::to_string(load.waits) + ", " +
                 fixed(rate(load.bytes), 2) + "MB/s";
        }) {}
};

}  // namespace examples
