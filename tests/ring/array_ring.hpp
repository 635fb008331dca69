#pragma once
// A ring in plain memory, one thread: the algorithm without a segment, a seat or a system call.

#include <strait/ring/ring.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <ostream>
#include <string>
#include <vector>

namespace strait::test {

using layout::NodeWord;
using layout::Phase;
using ring::Attempt;
using ring::Found;
using ring::Position;

// Counts looks outside the ring, which the algorithm must never make, whatever the words say.
class ArrayMemory {
 public:
  template <class T>
  using Atomic = std::atomic<T>;

  struct Words {
    explicit Words(std::uint64_t nodes) : node(static_cast<std::size_t>(nodes)) {}
    std::deque<std::atomic<std::uint64_t>> node;
    std::atomic<std::uint64_t> given_back{0};
    std::uint64_t outside = 0;
    std::uint64_t looks = 0;
    void (*disturb)(Words&) = nullptr;  // somebody else, before every look
  };

  explicit ArrayMemory(Words& words) noexcept : words_(&words) {}
  std::uint64_t node_count() const noexcept { return words_->node.size(); }
  std::atomic<std::uint64_t>& given_back() noexcept { return words_->given_back; }
  std::atomic<std::uint64_t>& word(std::uint64_t index) noexcept {
    ++words_->looks;
    if (words_->disturb != nullptr) words_->disturb(*words_);
    if (index < words_->node.size()) return words_->node[static_cast<std::size_t>(index)];
    ++words_->outside;
    return words_->node[0];
  }
  void hand_on(std::uint64_t index, std::uint64_t bits) noexcept { word(index).store(bits, std::memory_order_release); }
  void about_to_write(std::uint64_t) const noexcept {}
  void about_to_read(std::uint64_t, bool) const noexcept {}

 private:
  Words* words_;
};

using Ring = ring::Ring<ArrayMemory>;
using WriterCursor = ring::WriterCursor<ArrayMemory>;
using ReaderCursor = ring::ReaderCursor<ArrayMemory>;

// A ring whose first free position is `start`, and one writer and one reader that stand there. The payload is a number.
class ArrayRing {
 public:
  explicit ArrayRing(std::uint64_t nodes, Position start = {0, 0}) : words(nodes), ring(ArrayMemory(words)), payload(static_cast<std::size_t>(nodes)) {
    Position at = start;
    for (std::uint64_t i = 0; i < nodes; ++i, at = ring.geometry().next(at)) words.node[static_cast<std::size_t>(at.index)].store(NodeWord::of(at.lap, Phase::free).bits);
    writer.hint.store(ring.geometry().pack(start));
    reader.hint.store(ring.geometry().pack(start));
    reader.seen.store(0);
  }

  bool write(std::uint64_t value) {
    const Attempt attempt = ring.try_claim(writer, 0);
    if (attempt.found != Found::node) return false;
    payload[static_cast<std::size_t>(attempt.at.index)] = value;
    ring.publish(attempt.at);
    return true;
  }
  // The message, or `nothing`.
  static constexpr std::uint64_t nothing = ~std::uint64_t{0};
  std::uint64_t read() {
    const Attempt attempt = ring.try_take(reader, 1);
    if (attempt.found != Found::node) return nothing;
    const std::uint64_t value = payload[static_cast<std::size_t>(attempt.at.index)];
    ring.release(attempt.at);
    return value;
  }
  NodeWord word(Position at) const { return {words.node[static_cast<std::size_t>(at.index)].load()}; }

  ArrayMemory::Words words;
  Ring ring;
  WriterCursor writer{};
  ReaderCursor reader{};
  std::vector<std::uint64_t> payload;
};

// Where rings begin in these tests: at the first lap, at the last index, and so that the laps wrap soon.
inline std::vector<Position> some_starts(std::uint64_t nodes) {
  return {{0, 0}, {0, nodes - 1}, {7, nodes / 2}, {layout::lap_mask - 1, 0}, {layout::lap_mask - 1, nodes - 1}, {layout::lap_mask, 0}, {layout::lap_mask, nodes - 1}};
}

}  // namespace strait::test

namespace strait::ring {
inline std::ostream& operator<<(std::ostream& out, Found found) {
  static const char* const names[] = {"node", "none", "unfinished", "contended"};
  return out << names[static_cast<int>(found)];
}
inline std::ostream& operator<<(std::ostream& out, Position at) { return out << "lap " << at.lap << " index " << at.index; }
}  // namespace strait::ring

namespace strait::layout {
inline std::ostream& operator<<(std::ostream& out, NodeWord word) {
  static const char* const names[] = {"free", "claimed", "published", "skipped", "reading", "?", "?", "?"};
  return out << names[static_cast<int>(word.phase())] << " lap " << word.lap() << " seat " << word.seat();
}
}  // namespace strait::layout
