#pragma once
// The ring's memory policy over a real segment: nodes at a stride in the payload, and the control block's counter.

#include <strait/layout/node.hpp>
#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace strait::ring {

class SharedNodes {
 public:
  template <class T>
  using Atomic = std::atomic<T>;

  SharedNodes(std::byte* first, std::uint64_t node_count, std::uint64_t stride, std::atomic<std::uint64_t>& given_back) noexcept
      : first_(first), node_count_(node_count), stride_(stride), given_back_(&given_back) {}

  std::uint64_t node_count() const noexcept { return node_count_; }
  std::atomic<std::uint64_t>& given_back() noexcept { return *given_back_; }
  std::atomic<std::uint64_t>& word(std::uint64_t index) noexcept { return node(index).word; }

  layout::Node& node(std::uint64_t index) noexcept { return *reinterpret_cast<layout::Node*>(first_ + index * stride_); }
  // By the creator, before anybody else looks.
  void make_free() noexcept {
    for (std::uint64_t index = 0; index < node_count_; ++index) {
      // relaxed: published with the segment's state
      word(index).store(layout::NodeWord::of(0, layout::Phase::free).bits, std::memory_order_relaxed);
    }
  }

  std::byte* payload(std::uint64_t index) noexcept { return first_ + index * stride_ + layout::node_header_size; }

 private:
  std::byte* first_;
  std::uint64_t node_count_;
  std::uint64_t stride_;
  std::atomic<std::uint64_t>* given_back_;
};

}  // namespace strait::ring
