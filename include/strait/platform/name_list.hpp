#pragma once
// Listing shared objects.

#include <strait/core/config.hpp>

#if STRAIT_POSIX
#include <strait/platform/posix/name_list.hpp>
#endif
