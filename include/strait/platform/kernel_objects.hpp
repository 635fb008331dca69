#pragma once
// Named mutexes and events of the system's own, where it has such as outlive their holder's death (Windows): other programs
// may share them by name. Elsewhere NamedMutex and NamedEvent are segments (handle/segment_mutex.hpp, handle/segment_event.hpp).
//
//     KernelMutex:  KernelMutex(name, options); ~: closes; name(); lock(Timeout) -> false: timed out; unlock(); was_abandoned(); close()
//     KernelEvent:  KernelEvent(name, manual, initially_set, options); ~: closes; name(); set(); reset(); wait(Timeout) -> Status; close()
//
// Both open what is there and create what is not, under any name that the system takes. close() makes blocked calls of other
// threads return and waits for them.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/platform/windows/kernel_event.hpp>
#include <strait/platform/windows/kernel_mutex.hpp>

namespace strait::platform {
inline constexpr bool has_kernel_objects = true;
}

#else

namespace strait::platform {
class KernelMutex;
class KernelEvent;
inline constexpr bool has_kernel_objects = false;
}  // namespace strait::platform

#endif
