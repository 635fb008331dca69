#pragma once
// The memory policy of a publisher's ring (broadcast/writer.hpp) over a real segment.

#include <strait/layout/broadcast.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/platform/processor.hpp>
#include <strait/segment/segment.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace strait::handle {

class BroadcastNodes {
 public:
  // Who changes a node wakes those who sleep in the topic, who moves on wakes the publisher, which sleeps in its ring: each pair
  // goes by the method of the segment in which it sleeps.
  BroadcastNodes(const segment::Segment& ring, layout::FenceMethod fences_of_topic) noexcept
      : block_(&block(ring)),
        lines_(reinterpret_cast<layout::SubscriberLine*>(block_ + 1)),
        first_(ring.payload() + layout::broadcast_nodes_offset(ring.seat_count())),
        node_count_(ring.shape().element_count),
        line_count_(ring.seat_count()),
        stride_(*layout::broadcast_stride(ring.shape().element_size)),
        showing_suffices_(fences_of_topic == layout::FenceMethod::by_sleepers),
        moving_suffices_(ring.fence_method() == layout::FenceMethod::by_sleepers) {}

  static layout::BroadcastBlock& block(const segment::Segment& ring) noexcept {
    return *reinterpret_cast<layout::BroadcastBlock*>(ring.payload());
  }

  std::uint64_t node_count() const noexcept { return node_count_; }
  std::uint32_t line_count() const noexcept { return line_count_; }

  std::atomic<std::uint64_t>& claimed() noexcept { return block_->claimed; }
  std::atomic<std::uint64_t>& messages() noexcept { return block_->messages; }
  std::atomic<std::uint64_t>& limit() noexcept { return block_->limit; }
  std::atomic<std::uint32_t>& used() noexcept { return block_->used; }

  layout::SubscriberLine& line(std::uint32_t line) noexcept { return lines_[line]; }
  std::atomic<std::uint64_t>& position(std::uint32_t line) noexcept { return lines_[line].position; }
  std::atomic<std::uint32_t>& state(std::uint32_t line) noexcept { return lines_[line].state; }

  std::atomic<std::uint64_t>& word(std::uint64_t index) noexcept { return node(index).word; }
  std::atomic<std::uint64_t>& message(std::uint64_t index) noexcept { return node(index).message; }
  std::atomic<std::uint64_t>& total(std::uint64_t index) noexcept { return node(index).total; }
  std::atomic<std::uint32_t>& size(std::uint64_t index) noexcept { return node(index).size; }
  std::atomic<std::uint32_t>& flags(std::uint64_t index) noexcept { return node(index).flags; }
  std::byte* payload(std::uint64_t index) noexcept { return first_ + index * stride_ + layout::broadcast_header_size; }

  void hand_on(std::uint64_t index, std::uint64_t bits) noexcept { change(word(index), bits, showing_suffices_); }
  void move_on(std::uint32_t line, std::uint64_t position) noexcept { change(lines_[line].position, position, moving_suffices_); }

  // SYNC overrun: the claim before the stores into the nodes; whoever loads one of them sees the claim.
  void begin_writing() const noexcept { std::atomic_thread_fence(std::memory_order_release); }
  // The same where the copy may use stores that processors keep in no order (large copies do).
  // SYNC overrun: as above.
  void begin_writing_much() const noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }
  // SYNC overrun: loads from the nodes before the look at the claims.
  void finished_reading() const noexcept { std::atomic_thread_fence(std::memory_order_acquire); }

  void about_to_write(std::uint64_t index) noexcept {
    platform::prefetch_for_store(at(index, 0));
    platform::prefetch_for_store(at(index, 1));
  }
  // A small message lies in two lines: the second is fetched with the first, not after it.
  void about_to_read(std::uint64_t index) noexcept { platform::prefetch(at(index, 1)); }

 private:
  layout::BroadcastNode& node(std::uint64_t index) noexcept { return *reinterpret_cast<layout::BroadcastNode*>(first_ + index * stride_); }
  const std::byte* at(std::uint64_t index, std::uint64_t line) const noexcept { return first_ + index * stride_ + line * layout::cache_line; }

  // By the one party that may change it; a look at the sleepers follows.
  static void change(std::atomic<std::uint64_t>& word, std::uint64_t value, bool store_suffices) noexcept {
    if (store_suffices) [[likely]] {
      // SYNC shown, read: what was done to the node before is seen with it.
      word.store(value, std::memory_order_release);
      // SYNC sleep: for the compiler; the rest is the fence of whoever is about to sleep.
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      // SYNC shown, read, sleep: seq_cst, because a look at the sleepers follows.
      word.exchange(value, std::memory_order_seq_cst);
    }
  }

  layout::BroadcastBlock* block_;
  layout::SubscriberLine* lines_;
  std::byte* first_;
  std::uint64_t node_count_;
  std::uint32_t line_count_;
  std::uint64_t stride_;
  bool showing_suffices_;
  bool moving_suffices_;
};

}  // namespace strait::handle
