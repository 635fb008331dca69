#pragma once
// The control block: the words that all participants of a segment share, each hot one on a cache line of its own.
//
//     0     closed, sharing of the two sides, creation time, owner's id        (cold)
//     64    signal `readers`: readers of a ring sleep here
//     128   signal `writers`: writers of a ring sleep here
//     192   signal `lock_freed`: the lock's word became nobody's
//     256   signal `reader_left`: a seat's reader count fell
//     320   given_back: messages put back or given back by a mend
//     328   last_look: when somebody last asked after the dead, 0 = nobody has
//     384   lock word: | abandoned : 1 | writer's seat + 1 : 31 |
//     448   who owns the two sides of a ring that are exclusive, seat + 1, 0 = nobody
//
// signal:     | sequence : 31 | somebody may sleep : 1 |
// last_look:  | monotonic clock, milliseconds : 40 | how many were asked after : 8 | the seat to go on with : 16 |

#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace strait::layout {

enum class SignalName : std::uint32_t { readers = 0, writers = 1, lock_freed = 2, reader_left = 3 };
inline constexpr std::uint32_t signal_count = 4;

struct SignalLine {
  alignas(64) std::atomic<std::uint32_t> word;
};

// Says only when to ask again: whatever it says, nobody is taken for dead who is not.
struct LookWord {
  std::uint64_t bits;

  static constexpr LookWord of(std::int64_t when, std::uint32_t asked, Seat next) noexcept {
    return {static_cast<std::uint64_t>(when) << 24 | std::uint64_t{asked & 0xff} << 16 | (next & 0xffff)};
  }

  constexpr std::int64_t when() const noexcept { return static_cast<std::int64_t>(bits >> 24); }
  constexpr std::uint32_t asked() const noexcept { return static_cast<std::uint32_t>(bits >> 16 & 0xff); }
  constexpr Seat next() const noexcept { return static_cast<Seat>(bits & 0xffff); }
};

struct ControlBlock {
  alignas(64) std::atomic<std::uint32_t> closed;  // the owner has closed
  std::uint32_t one_writer;                       // the ring's writers' side is exclusive
  std::uint32_t one_reader;
  std::uint32_t reserved;
  alignas(8) std::uint64_t created_at;            // nanoseconds since 1970, wall clock: for people only
  alignas(8) std::atomic<std::uint64_t> owner;    // the id of the owner's handle
  SignalLine signals[signal_count];
  alignas(64) std::atomic<std::uint64_t> given_back;
  alignas(8) std::atomic<std::uint64_t> last_look;
  alignas(64) std::atomic<std::uint32_t> lock;
  alignas(64) std::atomic<std::uint32_t> writer_side;
  std::atomic<std::uint32_t> reader_side;
};

inline constexpr std::uint32_t lock_abandoned = 1u << 31;

static_assert(sizeof(SignalLine) == 64 && sizeof(ControlBlock) == 512);
static_assert(std::is_standard_layout_v<ControlBlock>);
static_assert(offsetof(ControlBlock, signals) == 64 && offsetof(ControlBlock, given_back) == 320 && offsetof(ControlBlock, last_look) == 328 &&
              offsetof(ControlBlock, lock) == 384 && offsetof(ControlBlock, writer_side) == 448 && offsetof(ControlBlock, owner) == 24);

}  // namespace strait::layout
