#pragma once
// A flag that an event loop can watch: a file descriptor that is readable while the flag is up.
//
//     ReadableFlag(name): name is for the error; descriptor(); raise(); lower()

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS
#include <string_view>

namespace strait::platform {

// Its event loops watch no such descriptors; wait_any() waits for several things.
struct ReadableFlag {
  static constexpr bool exists = false;
  explicit ReadableFlag(std::string_view) noexcept {}
  int descriptor() const noexcept { return -1; }
  void raise() noexcept {}
  void lower() noexcept {}
};

}  // namespace strait::platform

#else
#include <strait/platform/posix/readable_flag.hpp>
#endif
