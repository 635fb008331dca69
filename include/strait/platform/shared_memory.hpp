#pragma once
// Named shared objects and their mappings.

#include <strait/core/config.hpp>

#if STRAIT_POSIX
#include <strait/platform/posix/shared_object.hpp>
#endif
