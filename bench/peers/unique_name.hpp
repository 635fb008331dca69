// A name that no other run on this machine uses at the moment.

#pragma once

#include <unistd.h>

#include <string>

#include "../support/clock.hpp"

namespace strait::bench {

inline std::string unique_name() {
  static unsigned counter = 0;
  return "strait-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++counter) + "-" + std::to_string(now_ns() % 1'000'000);
}

}  // namespace strait::bench
