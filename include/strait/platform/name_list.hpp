#pragma once
// Listing shared objects.

#include <strait/core/config.hpp>

#if STRAIT_POSIX
#include <strait/platform/posix/name_list.hpp>
#else

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace strait::platform {

// On Windows no object outlives its holders: there is nothing to look for.
inline std::vector<std::string> shared_object_names() { return {}; }
inline std::vector<std::string> some_shared_object_names(std::size_t, std::uint64_t) { return {}; }

}  // namespace strait::platform

#endif
