#pragma once
// Named shared objects and their mappings.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS
#include <strait/platform/windows/shared_object.hpp>
#else
#include <strait/platform/posix/shared_object.hpp>
#endif
