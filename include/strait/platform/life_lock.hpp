#pragma once
// The life of a segment: shared by everybody who holds it open, exclusive for whoever creates or removes it. The system drops
// it with its holder.
//
//     LifeLock(object, name, offset)    nothing is held yet
//     try_exclusive()                   nobody living holds it, and nobody can come to hold it until we share it or let go
//     try_shared()                      also from exclusive, and then without a moment in which it is not held
//     became_last()                     from shared, to leave: exclusive if nobody else holds it; let go otherwise
//     is_held_by_another()              for those who may only read; not by a holder
//     unlock()
//     pass_on()                         from exclusive: unlock, and go on using the object, whose life is another one's from here
//     Removal removal(name)             the object is about to be removed by hand; then removal.done(): its next life is another one
//
// A refusal by try_exclusive and then by try_shared means that somebody is creating or removing.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS
#include <strait/platform/windows/life_lock.hpp>
#elif STRAIT_FALLBACK
#include <strait/platform/posix/file_life_lock.hpp>
#else
#include <strait/platform/posix/byte_life_lock.hpp>
#endif
