#pragma once
// A subscriber's side of a publisher's ring. It walks from position to position and takes nothing away.
//
// A lossless reader tells in its line how far it has read, and the writer stays behind that (broadcast/writer.hpp). A lossy one tells
// nothing, and looks at `claimed` after it has read a node: if the writer has claimed the position a lap on, what was read may be
// torn. Then, or when a node holds a later position, it was overrun, and goes on a quarter of the ring after the oldest position
// that may still be whole.
//
// The number of a message is that of the messages before it, so whoever meets one knows how many it missed: all from the one
// expected to the one met (B5). A message is missed that could have been had since the reader joined, and was not.
//
// Once the writer is gone, closed or dead, the walk goes on to `claimed`: what is kept counts, what is unfinished does not, and a
// message whose last part is not there never was.
//
// What is read here another process wrote: every loop has an end, whatever stands there.
//
// Memory (a policy): as for the writer, and move_on(l, position), which tells a writer that may be about to sleep; finished_reading(),
// before which loads from nodes are made; about_to_read(i).

#include <strait/broadcast/writer.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/ring/position.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace strait::broadcast {

enum class Look : std::uint8_t {
  none,     // not there yet
  node,     // the next part
  overrun,  // the writer is a lap ahead, or was: see jump()
  end       // the writer is gone, and all that it left is read
};

// What is to be done with a part.
enum class Use : std::uint8_t { ignore, begin, add };

// By one thread at a time.
template <class Memory>
class Reader {
 public:
  explicit Reader(Memory memory) noexcept : memory_(memory), geometry_(memory.node_count()) {}

  Memory& memory() noexcept { return memory_; }
  std::uint64_t index() const noexcept { return index_; }
  std::uint64_t missed() const noexcept { return missed_; }

  // From here on nothing is missed but by being overrun. The last `history` messages are read too, as far as they are there.
  void join(std::uint32_t line, LineState state, std::uint64_t history) noexcept {
    line_ = line;
    is_lossless_ = state == LineState::lossless;
    std::uint64_t at = safe_start();
    memory_.position(line).store(at, std::memory_order_relaxed);  // relaxed: before the state
    raise_used(line + 1);
    // SYNC limit: before the limit is looked at again; publishes the position.
    memory_.state(line).exchange(static_cast<std::uint32_t>(state), std::memory_order_seq_cst);
    at = (std::max)(at, safe_start());
    memory_.move_on(line, at);
    start(at, history);
    // What is older than the history holds the writer back from here on, so it is stepped over at once.
    for (std::uint64_t steps = 0; is_lossless_ && steps < geometry_.node_count() && look(false) == Look::node; ++steps) {
      static_cast<void>(part());
      if (number_ >= expected_) break;
      advance();
    }
  }

  // The same without a line, for who may not write.
  void join_unseen(std::uint64_t history) noexcept { start(safe_start(), history); }

  // For the line's owner, or for the one mender of its seat. Wake the writer afterwards.
  static void leave(Memory& memory, std::uint32_t line) noexcept {
    // SYNC read: everything was read that will be.
    memory.state(line).store(static_cast<std::uint32_t>(LineState::none), std::memory_order_release);
  }

  // Is the next part a message that is whole in one node, and the one expected? What look(), part() and use() find out, for the common case.
  bool is_simple(std::uint32_t& size) noexcept {
    memory_.about_to_read(index_);
    // SYNC shown: as in look().
    if (memory_.word(index_).load(std::memory_order_seq_cst) != BroadcastWord::of(next_, BroadcastPhase::published).bits) return false;
    // relaxed, all of it: ordered by the word
    if (memory_.flags(index_).load(std::memory_order_relaxed) != (layout::first_part | layout::last_part)) return false;
    if (memory_.message(index_).load(std::memory_order_relaxed) != expected_) return false;
    size = memory_.size(index_).load(std::memory_order_relaxed);
    return true;
  }

  // `ended`: the writer was gone before this call.
  Look look(bool ended) noexcept {
    // A writer is a lap ahead at most, so what was not met on a lap is not there, or was shown meanwhile, which wakes us.
    for (std::uint64_t steps = 0; steps <= geometry_.node_count(); ++steps) {
      memory_.about_to_read(index_);
      // SYNC shown: acquires what the writer stored into the node. seq_cst, because the last look before sleeping follows the announcement.
      const BroadcastWord word{memory_.word(index_).load(std::memory_order_seq_cst)};
      if (word.position() > next_) return Look::overrun;
      if (word.position() == next_) {
        if (word.phase() == BroadcastPhase::published) return found(false);
        if (word.phase() == BroadcastPhase::kept && ended) return found(true);
        if (word.phase() == BroadcastPhase::skipped) {
          advance();
          continue;
        }
      }
      if (!ended) return Look::none;
      // SYNC overrun: the writer is gone; what it claimed and did not finish is not there.
      if (next_ >= memory_.claimed().load(std::memory_order_acquire)) break;
      advance();
    }
    if (!ended) return Look::none;
    count_up_to(memory_.messages().load(std::memory_order_relaxed));  // relaxed: the writer is gone
    return Look::end;
  }

  // The part that was found. Another process's numbers: check them, and whether it is_whole(), before using them.
  Part part() noexcept {
    // relaxed, all of it: ordered by the word
    number_ = memory_.message(index_).load(std::memory_order_relaxed);
    return {memory_.total(index_).load(std::memory_order_relaxed), memory_.size(index_).load(std::memory_order_relaxed),
            memory_.flags(index_).load(std::memory_order_relaxed)};
  }

  // Is everything that was loaded from the node until now of the position that was found there?
  bool is_whole() noexcept {
    if (is_lossless_) return true;
    memory_.finished_reading();
    // relaxed: after the loads, by the fence
    return memory_.claimed().load(std::memory_order_relaxed) <= next_ + geometry_.node_count();
  }

  // Once for each part that is whole.
  Use use(const Part& part) noexcept {
    if (is_kept_) number_ = (std::max)(expected_, memory_.messages().load(std::memory_order_relaxed));  // relaxed: the writer is gone
    if (number_ < expected_) return Use::ignore;
    if (number_ > expected_) {
      count_up_to(number_);
      is_inside_ = false;
    }
    if ((part.flags & layout::first_part) != 0) {
      is_inside_ = true;
      return Use::begin;
    }
    if (is_inside_) return Use::add;
    if ((part.flags & layout::last_part) != 0) count_up_to(expected_ + 1);
    return Use::ignore;
  }

  // The last part of a message was used.
  void got_message() noexcept {
    ++expected_;
    is_inside_ = false;
  }

  // A part makes no sense: nor does the rest of its message.
  void give_up_message() noexcept { is_inside_ = false; }

  void advance() noexcept {
    ++next_;
    index_ = geometry_.next_index(index_);
    if (is_lossless_) memory_.move_on(line_, next_);
  }

  // The message that was begun can no longer be had whole.
  void jump(bool ended) noexcept {
    is_inside_ = false;
    const std::uint64_t nodes = geometry_.node_count();
    // SYNC overrun: whoever met a later position finds it claimed.
    const std::uint64_t claimed = memory_.claimed().load(std::memory_order_acquire);
    const std::uint64_t oldest = claimed - (std::min)(claimed, nodes);
    // That is onwards, unless somebody shows what he has not claimed.
    next_ = (std::max)(next_ + 1, ended ? oldest : oldest + nodes / 4);
    index_ = geometry_.index_of(next_);
    if (is_lossless_) memory_.move_on(line_, next_);
  }

 private:
  // What lies from there on is not written over as long as the writer does not look at the lines.
  std::uint64_t safe_start() noexcept {
    // SYNC limit: in join(), after the line was stored.
    const std::uint64_t limit = memory_.limit().load(std::memory_order_seq_cst);
    return limit - (std::min)(limit, geometry_.node_count());
  }

  void raise_used(std::uint32_t lines) noexcept {
    std::uint32_t used = memory_.used().load(std::memory_order_relaxed);  // relaxed: the CAS decides
    // Where the exchange fails it has grown, by one at least.
    for (std::uint32_t tries = 0; used < lines && tries < lines; ++tries) {
      // SYNC limit: before the limit is looked at again.
      if (memory_.used().compare_exchange_strong(used, lines, std::memory_order_seq_cst, std::memory_order_relaxed)) return;
    }
  }

  void start(std::uint64_t at, std::uint64_t history) noexcept {
    next_ = at;
    index_ = geometry_.index_of(at);
    // SYNC joining: everything that is shown from here on is read.
    joined_ = memory_.messages().load(std::memory_order_acquire);
    expected_ = joined_ - (std::min)(joined_, history);
  }

  Look found(bool is_kept) noexcept {
    is_kept_ = is_kept;
    return Look::node;
  }

  void count_up_to(std::uint64_t number) noexcept {
    const std::uint64_t from = (std::max)(expected_, joined_);
    if (number > from) missed_ += number - from;
    expected_ = (std::max)(expected_, number);
  }

  Memory memory_;
  ring::Geometry geometry_;
  std::uint64_t next_ = 0;  // the position that is read next
  std::uint64_t index_ = 0;
  std::uint64_t expected_ = 0;  // the number of the next message that is wanted
  std::uint64_t joined_ = 0;    // that of the first which would be missed
  std::uint64_t missed_ = 0;
  std::uint64_t number_ = 0;  // of the part that was found
  std::uint32_t line_ = 0;
  bool is_lossless_ = false;
  bool is_kept_ = false;
  bool is_inside_ = false;  // of the message that is expected
};

}  // namespace strait::broadcast
