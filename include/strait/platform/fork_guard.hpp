#pragma once
// What a forked child must not touch.

#include <strait/core/config.hpp>

#if STRAIT_POSIX
#include <strait/platform/posix/fork_guard.hpp>
#else

namespace strait::platform {

// Windows has no fork: nothing is ever a child's copy.
class ForkMark {
 public:
  bool is_inherited() const noexcept { return false; }
};

}  // namespace strait::platform

#endif
