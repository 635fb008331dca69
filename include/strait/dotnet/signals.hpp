#pragma once
// The named events and mutexes beside a mapping: the system's own where it has them, so that C# processes share them; segments of
// Strait's own elsewhere.

#include <strait/core/options.hpp>
#include <strait/dotnet/names.hpp>
#include <strait/handle/segment_event.hpp>
#include <strait/handle/segment_mutex.hpp>
#include <strait/platform/kernel_objects.hpp>

#include <string>
#include <string_view>
#include <type_traits>

namespace strait::dotnet {

using Event = std::conditional_t<platform::has_kernel_objects, platform::KernelEvent, handle::SegmentEvent>;
using Mutex = std::conditional_t<platform::has_kernel_objects, platform::KernelMutex, handle::SegmentMutex>;

}  // namespace strait::dotnet
