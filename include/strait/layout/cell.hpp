#pragma once
// A cell: one value that changes as a whole, and what it takes to put the old one back. The payload of a struct's control
// segment and of a notifying buffer.
//
//     0       64      128                      192              192 + 16 x 64 = 1216
//     | state | first | device inode is_ours   | changes[16]    | journal 0 | journal 1 | value (notifying buffers only)
//
// state:  | version : 50 | put back : 13 | writing : 1 |
//
// While `writing` is set the value is being changed, and the journal `(version + put back) mod 2` holds it as it was. A change
// that is finished raises the version, one whose writer died is put back and raises the other count, so that a reader that was
// there before sees that something happened.
//
// device, inode: the object of a struct's bytes, which has no header; `is_ours`: it goes when this segment goes.
// The value of a notifying buffer:  | length u64 | bytes ... |

#include <strait/core/checked.hpp>
#include <strait/layout/mutex.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace strait::layout {

struct CellState {
  std::uint64_t bits;

  static constexpr unsigned version_shift = 14;
  static constexpr std::uint64_t put_back_mask = (std::uint64_t{1} << 13) - 1;

  static constexpr CellState of(std::uint64_t version, std::uint64_t put_back, bool writing) noexcept {
    return {version << version_shift | (put_back & put_back_mask) << 1 | static_cast<std::uint64_t>(writing)};
  }

  constexpr std::uint64_t version() const noexcept { return bits >> version_shift; }
  constexpr std::uint64_t put_back() const noexcept { return bits >> 1 & put_back_mask; }
  constexpr bool is_writing() const noexcept { return (bits & 1) != 0; }
  // Of the change under way, or of the next one.
  constexpr unsigned journal() const noexcept { return static_cast<unsigned>((version() + put_back()) & 1); }

  constexpr CellState begun() const noexcept { return {bits | 1}; }
  constexpr CellState finished() const noexcept { return of(version() + 1, put_back(), false); }
  constexpr CellState undone() const noexcept { return of(version(), put_back() + 1, false); }

  friend constexpr bool operator==(CellState, CellState) = default;
};

// One change: which bytes, and by whom. Complete where `version` is the same before and after it is read.
struct ChangeLine {
  alignas(64) std::atomic<std::uint64_t> version;
  std::atomic<std::uint64_t> first;  // the first changed byte
  std::atomic<std::uint64_t> last;   // the last
  std::atomic<std::uint64_t> id;     // of the writer's handle
  std::atomic<std::uint32_t> seat;
  std::atomic<std::uint32_t> pid;
};

inline constexpr std::uint64_t change_lines = 16;

struct CellBlock {
  alignas(64) std::atomic<std::uint64_t> state;
  alignas(64) std::atomic<std::uint64_t> first;  // in line for the writer's lock (layout/mutex.hpp)
  alignas(64) std::uint64_t device;
  std::uint64_t inode;
  std::uint32_t is_ours;
  std::uint32_t reserved;
  ChangeLine changes[change_lines];
};

inline constexpr std::uint32_t length_size = 8;

constexpr std::optional<std::uint64_t> cell_payload_size(std::uint64_t value_size, std::uint64_t copies) noexcept {
  const auto one = core::checked_round_up(value_size, 64);
  const auto all = one ? core::checked_multiply(*one, copies) : std::nullopt;
  return all ? core::checked_add(*all, sizeof(CellBlock)) : std::nullopt;
}

// The names of the control segment of a struct: the struct's own and this.
inline constexpr const char* control_suffix = ".ctl";

static_assert(sizeof(ChangeLine) == 64 && sizeof(CellBlock) == 1216);
static_assert(std::is_standard_layout_v<CellBlock>);
static_assert(offsetof(CellBlock, first) == 64 && offsetof(CellBlock, device) == 128 && offsetof(CellBlock, is_ours) == 144 &&
              offsetof(CellBlock, changes) == 192);
static_assert(CellState::of(7, 8191, true).undone() == CellState::of(7, 0, false) &&
              CellState::of(7, 3, true).finished() == CellState::of(8, 3, false));

}  // namespace strait::layout
