#pragma once
// Parking: sleep while a shared word has a value, be woken by whoever changes it. std::atomic::wait cannot do it: it sleeps on
// process-private queues.
//
//     Park: method(); sleep(word, value, at most) -> woken, or false when the time is over;
//     wake_all(word, value) wakes those who sleep on `value`, which the word has no longer
//     sleep_any(spots, at most): on several words at once, each a Spot{park, word, value}
//     Park(name, life, base) for the words of a segment: its name, a number that is this life's alone, where it is mapped;
//     Park::of_this_process() for words that no other process sees

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS
#include <strait/platform/windows/event_park.hpp>
#elif STRAIT_FALLBACK
#include <strait/platform/posix/poll_park.hpp>
#else
#include <strait/platform/linux/futex_park.hpp>
#endif

namespace strait::platform {

#if STRAIT_WINDOWS
using Park = EventPark;
#elif STRAIT_FALLBACK
using Park = PollPark;
#else
using Park = FutexPark;
#endif

}  // namespace strait::platform
