#pragma once
// Named places where a kill leaves something half done. Each stands beside a `// DEATH here:` note that says what is left and
// who mends it. In ordinary builds a death point is nothing; with STRAIT_DEATH_POINTS a test installs a hook that kills the
// process at the point it names.

#include <strait/core/config.hpp>

#include <string_view>

namespace strait::core {

inline void (*death_hook)(std::string_view point) = nullptr;

inline void death_point([[maybe_unused]] std::string_view point) noexcept {
  if constexpr (death_points) {
    if (death_hook != nullptr) death_hook(point);
  }
}

}  // namespace strait::core
