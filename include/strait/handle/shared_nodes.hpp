#pragma once
// The ring's memory policy over a real segment: nodes at a stride in the payload, and the control block's counter.

#include <strait/layout/node.hpp>
#include <strait/layout/node_word.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/platform/processor.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace strait::handle {

class SharedNodes {
 public:
  template <class T>
  using Atomic = std::atomic<T>;

  SharedNodes(std::byte* first, std::uint64_t node_count, std::uint64_t stride, std::atomic<std::uint64_t>& given_back, layout::FenceMethod fences) noexcept
      : first_(first), node_count_(node_count), stride_(stride), given_back_(&given_back), stores_suffice_(fences == layout::FenceMethod::by_sleepers) {}

  std::uint64_t node_count() const noexcept { return node_count_; }
  std::atomic<std::uint64_t>& given_back() noexcept { return *given_back_; }
  std::atomic<std::uint64_t>& word(std::uint64_t index) noexcept { return node(index).word; }

  layout::Node& node(std::uint64_t index) noexcept { return *reinterpret_cast<layout::Node*>(first_ + index * stride_); }

  // A node's word changes by the one party that may change it. An exchange would wait for the line while the other side has it; a
  // store does not, and on a machine with distant processors that is three messages instead of one.
  void hand_on(std::uint64_t index, std::uint64_t bits) noexcept {
    if (stores_suffice_) [[likely]] {
      // SYNC payload, reuse: whoever acquires this word sees what was done to the node before.
      word(index).store(bits, std::memory_order_release);
      // SYNC sleep, close: for the compiler; the rest is fence_everybody(), called by whoever is about to sleep or to say `closed`.
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      // SYNC payload, reuse: as above. SYNC sleep, close: seq_cst, because looks at other words follow.
      word(index).exchange(bits, std::memory_order_seq_cst);
    }
  }

  // A small message fills the line of its word and the next one: both are fetched side by side, not one after the other. A writer
  // will store into both. A reader will store into the first: in a row of messages it takes that line for itself at once;
  // otherwise it may look many times before the message is there, and leaves it to the writer.
  void about_to_write(std::uint64_t index) noexcept {
    platform::prefetch_for_store(line(index, 0));
    platform::prefetch_for_store(line(index, 1));
  }
  void about_to_read(std::uint64_t index, bool in_row) noexcept {
    if (in_row) platform::prefetch_for_store(line(index, 0));
    platform::prefetch(line(index, 1));
  }

  // By the creator, before anybody else looks.
  void make_free() noexcept {
    for (std::uint64_t index = 0; index < node_count_; ++index) {
      // relaxed: published with the segment's state
      word(index).store(layout::NodeWord::of(0, layout::Phase::free).bits, std::memory_order_relaxed);
    }
  }

  std::byte* payload(std::uint64_t index) noexcept { return first_ + index * stride_ + layout::node_header_size; }

 private:
  const std::byte* line(std::uint64_t index, std::uint64_t number) const noexcept { return first_ + index * stride_ + number * layout::cache_line; }

  std::byte* first_;
  std::uint64_t node_count_;
  std::uint64_t stride_;
  std::atomic<std::uint64_t>* given_back_;
  bool stores_suffice_;
};

}  // namespace strait::handle
