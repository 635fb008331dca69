#pragma once
// Parking: sleep while a shared word has a value, be woken by whoever changes it. std::atomic::wait cannot do it: it sleeps on
// process-private queues.
//
//     Park: method(); sleep(word, value, at most) -> woken, or false when the time is over; wake_all(word)

#include <strait/core/config.hpp>

#if STRAIT_LINUX
#include <strait/platform/linux/futex_park.hpp>
#else
#include <strait/platform/posix/poll_park.hpp>
#endif

namespace strait::platform {

#if STRAIT_LINUX
using Park = FutexPark;
#else
using Park = PollPark;
#endif

}  // namespace strait::platform
