#pragma once
// Processes: who this one is, and whether another one lives, told by process id and start time.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS
#include <strait/platform/windows/process.hpp>
#else
#include <strait/platform/posix/process.hpp>
#endif
