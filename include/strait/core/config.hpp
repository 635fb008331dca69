#pragma once
// What this build is for. The only header outside platform/ that may hold preprocessor conditions: everything else asks the
// constants below.

#if defined(_WIN32)
#define STRAIT_WINDOWS 1
#define STRAIT_POSIX 0
#define STRAIT_LINUX 0
#elif defined(__linux__)
#define STRAIT_WINDOWS 0
#define STRAIT_POSIX 1
#define STRAIT_LINUX 1
#else
#define STRAIT_WINDOWS 0
#define STRAIT_POSIX 1
#define STRAIT_LINUX 0
#endif

// STRAIT_PORTABLE: on Linux too, only what every POSIX system has: no locks on bytes that die with their holder, no futex. That is
// what other systems than Linux and Windows get anyway.
#if STRAIT_POSIX && (!STRAIT_LINUX || defined(STRAIT_PORTABLE))
#define STRAIT_FALLBACK 1
#else
#define STRAIT_FALLBACK 0
#endif

#include <version>  // the standard library tells what it is

// Keeps the rare part of a hot function out of its callers.
#if defined(__GNUC__)
#define STRAIT_COLD [[gnu::noinline]]
#elif defined(_MSC_VER)
#define STRAIT_COLD __declspec(noinline)
#else
#define STRAIT_COLD
#endif

// Keeps the few instructions of a hot function in its callers, however many layers lie between.
#if defined(__GNUC__)
#define STRAIT_HOT [[gnu::always_inline]]
#elif defined(_MSC_VER)
#define STRAIT_HOT __forceinline
#else
#define STRAIT_HOT
#endif

namespace strait::core {

// STRAIT_PID_PRESENCE: tell the dead from the living by process id and start time even where kernel locks would do it, so
// that the fallback is tested on systems that do not need it.
#if defined(STRAIT_PID_PRESENCE) || STRAIT_FALLBACK || STRAIT_WINDOWS
inline constexpr bool kernel_lock_presence = false;
#else
inline constexpr bool kernel_lock_presence = true;
#endif

// STRAIT_FENCE_EVERY_CHANGE: let creators choose the fences that need nothing of the system, for machines on which some
// process may not use membarrier(2), and so that this way is tested where it is not needed.
#if defined(STRAIT_FENCE_EVERY_CHANGE)
inline constexpr bool fences_by_sleepers = false;
#else
inline constexpr bool fences_by_sleepers = true;
#endif

// Is the life of a segment a lock on a file beside it, instead of one on the object itself?
inline constexpr bool lock_files = STRAIT_FALLBACK != 0;

// Names of kernel objects on Windows may begin with the name of a namespace: Local\ or Global\.
inline constexpr bool name_prefixes = STRAIT_WINDOWS != 0;

// Does a call hang a stop_callback on its stop token, or look at the token now and then? The library of g++ sleeps through wake-ups
// where it has no futex, as on Windows: the destructor of a stop_callback that runs on another thread may wait there for ever. So does the
// fallback on Linux, where that way can be tested.
#if defined(STRAIT_PORTABLE) || (defined(__GLIBCXX__) && !defined(_GLIBCXX_HAVE_LINUX_FUTEX))
inline constexpr bool sound_stop_callbacks = false;
#else
inline constexpr bool sound_stop_callbacks = true;
#endif

// STRAIT_DEATH_POINTS: compile the named death points in (core/death_point.hpp). For crash tests only.
#if defined(STRAIT_DEATH_POINTS)
inline constexpr bool death_points = true;
#else
inline constexpr bool death_points = false;
#endif

}  // namespace strait::core
