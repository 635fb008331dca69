#pragma once
// A ring of the C# library in a mapping: its words, its nodes' data, how it is filled in, and the check of one that somebody made.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/dotnet/layout.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace strait::dotnet {

class SharedRing {
 public:
  // `name`: of the mapping, and lives as long.
  SharedRing(std::byte* base, Index count, std::int32_t node_buffer_size, std::string_view name) noexcept
      : header_(reinterpret_cast<RingHeader*>(base + sizeof(SharedHeader))),
        nodes_(reinterpret_cast<Node*>(header_ + 1)),
        data_(reinterpret_cast<std::byte*>(nodes_ + count)),
        count_(count),
        node_buffer_size_(static_cast<std::size_t>(node_buffer_size)),
        name_(name) {}

  // Everything but the shared header, which comes last.
  void fill() const noexcept {
    RingHeader* const header = std::construct_at(header_);
    header->node_count = count_;
    header->node_buffer_size = static_cast<std::int32_t>(node_buffer_size_);
    const auto count = static_cast<std::uint64_t>(count_);
    for (Index i = 0; i < count_; ++i) {
      Node* const node = std::construct_at(&nodes_[i]);
      node->next = i + 1 == count_ ? 0 : i + 1;
      node->previous = i == 0 ? count_ - 1 : i - 1;
      node->offset = node_offset(count, node_buffer_size_, static_cast<std::uint64_t>(i));
      node->index = i;
    }
  }

  enum class State : std::uint8_t { ready, unfinished };

  // What another process made: every number that never changes afterwards is compared with what it must be. `unfinished`: a C# creator,
  // whose header comes first, is at work. Throws wrong_kind, broken. `size`: of the whole.
  static State check(std::string_view name, const std::byte* base, std::uint64_t size) {
    const auto refuse = [&](const std::string& why) { throw Error(Errc::broken, name, "it is no ring of the C# library: " + why); };
    if (size < sizeof(SharedHeader) + sizeof(RingHeader) + 2 * sizeof(Node)) {
      throw Error(Errc::wrong_kind, name, "its " + std::to_string(size) + " bytes are too few for a ring: it is an array or buffer");
    }
    const auto* const header = reinterpret_cast<const RingHeader*>(base + sizeof(SharedHeader));
    const Index count = volatile_copy(header->node_count);
    const std::int32_t node_size = volatile_copy(header->node_buffer_size);
    if (count == 0) return State::unfinished;
    if (count < 2 || node_size < 0) refuse("it claims " + std::to_string(count) + " nodes of " + std::to_string(node_size) + " bytes");
    if (ring_size(static_cast<std::uint64_t>(count), static_cast<std::uint64_t>(node_size)) != size) {
      refuse(std::to_string(count) + " nodes of " + std::to_string(node_size) + " bytes do not make its " + std::to_string(size) + " bytes");
    }
    const auto* const nodes = reinterpret_cast<const Node*>(header + 1);
    // The last one is written last.
    if (volatile_copy(nodes[count - 1].offset) == 0) return State::unfinished;
    for (Index i = 0; i < count; ++i) {
      const auto offset = node_offset(static_cast<std::uint64_t>(count), static_cast<std::uint64_t>(node_size), static_cast<std::uint64_t>(i));
      if (nodes[i].next != (i + 1) % count || nodes[i].previous != (i + count - 1) % count || nodes[i].offset != offset || nodes[i].index != i) {
        refuse("node " + std::to_string(i) + " does not say what a node of its place must say");
      }
    }
    return State::ready;
  }

  // The ring that was checked, or that this process has made. Its two numbers may have changed since: they are read once, here, and
  // compared with the size of the whole. Throws broken.
  static SharedRing of(std::byte* base, std::uint64_t size, std::string_view name) {
    const auto* const header = reinterpret_cast<const RingHeader*>(base + sizeof(SharedHeader));
    const Index count = volatile_copy(header->node_count);
    const std::int32_t node_size = volatile_copy(header->node_buffer_size);
    if (count < 2 || node_size < 0 || ring_size(static_cast<std::uint64_t>(count), static_cast<std::uint64_t>(node_size)) != size) {
      throw Error(Errc::broken, name, "its numbers changed while it was opened");
    }
    return {base, count, node_size, name};
  }

  // ---- for the algorithm ---------------------------------------------------------------------------------------------

  Index count() const noexcept { return count_; }
  std::atomic<Index>& read_end() const noexcept { return header_->read_end; }
  std::atomic<Index>& read_start() const noexcept { return header_->read_start; }
  std::atomic<Index>& write_end() const noexcept { return header_->write_end; }
  std::atomic<Index>& write_start() const noexcept { return header_->write_start; }
  std::atomic<std::int32_t>& done_read(Index i) const noexcept { return nodes_[i].done_read; }
  std::atomic<std::int32_t>& done_write(Index i) const noexcept { return nodes_[i].done_write; }
  std::atomic<std::int32_t>& amount(Index i) const noexcept { return nodes_[i].amount_written; }

  Index checked(Index index) const {
    if (index < 0 || index >= count_) [[unlikely]] throw_outside(index);
    return index;
  }

  std::byte* data(Index i) const noexcept { return data_ + static_cast<std::size_t>(i) * node_buffer_size_; }
  std::size_t node_buffer_size() const noexcept { return node_buffer_size_; }
  const void* cursors() const noexcept { return header_; }
  const void* node(Index i) const noexcept { return &nodes_[i]; }

 private:
  // Another process may be writing it: read once.
  template <class T>
  static T volatile_copy(const T& value) noexcept {
    return *static_cast<const volatile T*>(&value);
  }

  [[noreturn]] STRAIT_COLD void throw_outside(Index index) const {
    throw Error(Errc::broken, name_, "a cursor of the ring stands at " + std::to_string(index) + " of " + std::to_string(count_) + " nodes: somebody wrote where it should not");
  }

  RingHeader* header_;
  Node* nodes_;
  std::byte* data_;
  Index count_;
  std::size_t node_buffer_size_;
  std::string_view name_;
};

}  // namespace strait::dotnet
