#pragma once
// The publisher's side of a ring that every subscriber reads: written once, by one party, and never taken away by anybody.
//
//     claim positions  ->  fill their nodes  ->  show them: word = published(position), in the order of positions
//
// There is room for a position when every lossless subscriber has read the one a lap before it. Where each of them is stands in a
// line of its own, and the writer looks at the lines only when it has come to the limit that the last look gave it: so a message
// costs the same whatever the number of subscribers. The last `history` messages count as something that somebody still reads,
// until there is no other room.
//
// Who joins and who looks meet like this:   writer: limit = new limit (S), look at the lines (S), keep to the smaller of both
//                                           reader: line = position (S), look at the limit (S), move up to limit - N
// One of the two sees the other, so what lies from a line's position on is never written over (B2).
//
// A claim may stay open while later ones are filled (a loan). What is filled behind it is kept(position) and is shown, with its
// number, when the older claim is settled; if the writer dies before, the readers find out and take what is kept.
//
//   B1  a node's word says published(p) only while the node holds the whole of position p, and words are shown in order of positions.
//   B2  a position is not written over while a line of a lossless reader stands at it or before.
//   B3  messages are numbered without a gap, in the order in which they are shown.
//   B4  `claimed` is beyond every position whose node may have been touched, before it is touched.
//
// Memory (a policy) owns the words, so that a test can own every interleaving: word(i), message(i), total(i), size(i), flags(i) of node
// i; claimed(), messages(), limit(), used(); position(l), state(l) of line l; node_count(); line_count(); hand_on(i, bits), which shows a node to
// readers that may be about to sleep; begin_writing(), after which stores to nodes are made; about_to_write(i) to fetch lines.

#include <strait/layout/broadcast.hpp>
#include <strait/ring/position.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

namespace strait::broadcast {

using layout::BroadcastPhase;
using layout::BroadcastWord;
using layout::LineState;

// One node's part of a message.
struct Part {
  std::uint64_t total = 0;
  std::uint32_t size = 0;
  std::uint32_t flags = 0;
};

// By one thread at a time.
template <class Memory>
class Writer {
 public:
  Writer(Memory memory, std::uint64_t history) : memory_(memory), geometry_(memory.node_count()), starts_(static_cast<std::size_t>(history)) {}

  Memory& memory() noexcept { return memory_; }
  const ring::Geometry& geometry() const noexcept { return geometry_; }
  // Where the next claim begins.
  std::uint64_t next_index() const noexcept { return index_; }

  bool has_room(std::uint64_t count) noexcept { return next_ + count <= limit_ || make_room(count); }

  // `count` positions in a row, from the one that is returned on. There is room.
  std::uint64_t claim(std::uint64_t count) noexcept {
    const std::uint64_t at = next_;
    next_ += count;
    index_ = count == 1 ? geometry_.next_index(index_) : geometry_.index_of(next_);
    // relaxed: before the stores into the nodes, by the fence
    memory_.claimed().store(next_, std::memory_order_relaxed);
    memory_.begin_writing();
    return at;
  }

  // Nothing older is open: what is filled now may be seen at once.
  bool is_direct() const noexcept { return open_.empty(); }

  // ---- a message whose claim is the only one ------------------------------------------------------------------------------

  void show(std::uint64_t at, std::uint64_t index, const Part& part) noexcept {
    describe(index, part);
    memory_.message(index).store(number_, std::memory_order_relaxed);  // relaxed: ordered by the word, as all of a node
    memory_.hand_on(index, BroadcastWord::of(at, BroadcastPhase::published).bits);
  }

  void finish(std::uint64_t at, std::uint64_t count) noexcept {
    if (!starts_.empty()) starts_[static_cast<std::size_t>(number_ % starts_.size())] = at;
    shown_ = at + count;
    // SYNC joining: whoever reads it finds the nodes of that many messages shown.
    memory_.messages().store(++number_, std::memory_order_release);
  }

  // ---- claims that stay open ----------------------------------------------------------------------------------------------

  void open(std::uint64_t at, std::uint64_t count) { open_.push_back({at, count, State::open}); }

  // The one node of the oldest open claim is filled.
  void fill(std::uint64_t index, const Part& part) noexcept { describe(index, part); }
  bool is_oldest(std::uint64_t at) const noexcept { return !open_.empty() && open_.front().at == at; }

  // Kept until the older claims are settled.
  void keep(std::uint64_t at, std::uint64_t index, const Part& part) noexcept {
    describe(index, part);
    memory_.hand_on(index, BroadcastWord::of(at, BroadcastPhase::kept).bits);
  }

  // What was opened is filled (every node is kept) or given up. Shows all that nothing older stands in the way of; how many messages.
  std::uint64_t settle(std::uint64_t at, bool is_filled) noexcept {
    for (Claim& claim : open_) {
      if (claim.at == at) claim.state = is_filled ? State::filled : State::given_up;
    }
    const std::uint64_t before = number_;
    while (!open_.empty() && open_.front().state != State::open) {
      const Claim claim = open_.front();
      open_.pop_front();
      const bool filled = claim.state == State::filled;
      for (std::uint64_t at_node = claim.at; at_node != claim.at + claim.count; ++at_node) {
        const auto index = geometry_.index_of(at_node);
        memory_.message(index).store(number_, std::memory_order_relaxed);  // relaxed: as in show
        memory_.hand_on(index, BroadcastWord::of(at_node, filled ? BroadcastPhase::published : BroadcastPhase::skipped).bits);
      }
      if (filled) {
        finish(claim.at, claim.count);
      } else {
        shown_ = claim.at + claim.count;
      }
    }
    return number_ - before;
  }

 private:
  enum class State : std::uint8_t { open, filled, given_up };
  struct Claim {
    std::uint64_t at;
    std::uint64_t count;
    State state;
  };

  void describe(std::uint64_t index, const Part& part) noexcept {
    // relaxed, all of it: ordered by the word
    memory_.total(index).store(part.total, std::memory_order_relaxed);
    memory_.size(index).store(part.size, std::memory_order_relaxed);
    memory_.flags(index).store(part.flags, std::memory_order_relaxed);
  }

  bool make_room(std::uint64_t count) noexcept {
    const std::uint64_t nodes = geometry_.node_count();
    const std::uint64_t end = next_ + count;
    std::uint64_t oldest = (std::max)(oldest_, number_ - (std::min)(number_, std::uint64_t{starts_.size()}));
    while (oldest != number_ && start_of(oldest) + nodes < end) ++oldest;
    const std::uint64_t limit = (std::min)(start_of(oldest), first_unread()) + nodes;
    if (limit < end) return false;
    oldest_ = oldest;
    // SYNC limit: before the lines are looked at again.
    memory_.limit().exchange(limit, std::memory_order_seq_cst);
    limit_ = (std::min)(limit, first_unread() + nodes);
    return end <= limit_;
  }

  // Of a message that the history keeps, or of the next one.
  std::uint64_t start_of(std::uint64_t number) const noexcept {
    return number == number_ ? shown_ : starts_[static_cast<std::size_t>(number % starts_.size())];
  }

  std::uint64_t first_unread() noexcept {
    std::uint64_t first = beyond_all;
    // SYNC limit: after the limit was stored.
    const std::uint32_t used = (std::min)(memory_.used().load(std::memory_order_seq_cst), memory_.line_count());
    for (std::uint32_t line = 0; line < used; ++line) {
      // SYNC limit: as above.
      if (memory_.state(line).load(std::memory_order_seq_cst) != static_cast<std::uint32_t>(LineState::lossless)) continue;
      // SYNC read: the bytes of every position before it may be written over.
      first = (std::min)(first, memory_.position(line).load(std::memory_order_acquire));
    }
    return first;
  }

  static constexpr std::uint64_t beyond_all = std::uint64_t{1} << 62;

  Memory memory_;
  ring::Geometry geometry_;
  std::uint64_t next_ = 0;    // the first position that was not claimed
  std::uint64_t index_ = 0;   // its node
  std::uint64_t limit_ = 0;   // and the first that may not be claimed without a look at the lines
  std::uint64_t shown_ = 0;   // before it everything is published or skipped
  std::uint64_t number_ = 0;  // of the next message that is shown
  std::uint64_t oldest_ = 0;  // the first message that the history keeps
  std::vector<std::uint64_t> starts_;  // where the last messages begin
  std::deque<Claim> open_;
};

}  // namespace strait::broadcast
