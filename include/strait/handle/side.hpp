#pragma once
// What the handle that owns an exclusive side of a ring has in its hands. Of several nodes all but the first are marked in their
// words; the first is only once a second one is asked for.

#include <cstdint>

namespace strait::handle {

// A node that a call has in its hands: its position in one word, as the cursors keep it.
using Ticket = std::uint64_t;

class Side {
 public:
  bool is_empty() const noexcept { return outstanding_ == 0; }
  bool is_unmarked(Ticket ticket) const noexcept { return unmarked_ == ticket; }
  bool has_unmarked() const noexcept { return unmarked_ != none; }
  Ticket unmarked() const noexcept { return unmarked_; }
  void marked() noexcept { unmarked_ = none; }

  void began_unmarked(Ticket ticket) noexcept {
    outstanding_ = 1;
    unmarked_ = ticket;
  }
  void began_marked() noexcept { ++outstanding_; }
  void finished(Ticket ticket) noexcept {
    if (unmarked_ == ticket) unmarked_ = none;
    --outstanding_;
  }

  bool is_mine = false;

 private:
  static constexpr Ticket none = ~Ticket{0};  // no position packs to this

  std::uint32_t outstanding_ = 0;
  Ticket unmarked_ = none;
};

}  // namespace strait::handle
