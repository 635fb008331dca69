#pragma once
// Locks on an open object that the kernel drops when their holder dies.

#include <strait/core/config.hpp>

#if STRAIT_POSIX
#include <strait/platform/posix/file_lock.hpp>
#endif
