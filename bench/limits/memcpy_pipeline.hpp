// Limit: how fast two processors can hand bytes to each other when nothing else is done. One process copies (or writes) into
// a shared ring of buffers, the other copies (or reads) out of it; a sequence word per buffer, on a line of its own, tells whose
// turn it is.
//
// `Batch` messages go into one buffer before its sequence word is moved: with small messages the hand-over itself would
// otherwise be measured. Batch 1 with 1 KiB messages is a bare ring of such nodes.

#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>

#include "../support/shared_region.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

template <std::size_t Batch>
class MemcpyPipeline {
 public:
  static constexpr const char* name = Batch == 1 ? "memcpy pipelined" : "memcpy pipelined, 16 messages per hand-over";
  static constexpr Kind kind = Kind::limit;

  explicit MemcpyPipeline(const Shape& shape)
      : count_(shape.nodes),
        bytes_(shape.node_bytes),
        sequences_(shape.nodes * sizeof(Sequence)),
        data_(shape.nodes * shape.node_bytes) {
    if (shape.writers != 1 || shape.readers != 1) throw Unavailable("one writer and one reader only");
    if (count_ % Batch != 0) throw Unavailable("the nodes do not divide into batches");
    for (std::size_t i = 0; i < count_; ++i) new (sequences_.data() + i * sizeof(Sequence)) Sequence{i};
  }

 private:
  struct alignas(128) Sequence {
    std::atomic<std::uint64_t> value;
  };

  // The sequence word of a batch's first node speaks for the batch: p free for writing, p + 1 full, p + N the next lap.
  template <std::uint64_t Wanted>
  struct End {
    explicit End(MemcpyPipeline& pipeline)
        : sequences(reinterpret_cast<Sequence*>(pipeline.sequences_.data())),
          data(pipeline.data_.data()),
          count(pipeline.count_),
          bytes(pipeline.bytes_) {}
    Sequence* sequences;
    std::byte* data;
    std::size_t count, bytes;
    std::size_t index = 0;
    std::uint64_t position = 0;

    template <class F>
    bool step(F&& work) {
      std::atomic<std::uint64_t>& sequence = sequences[index - index % Batch].value;
      const std::uint64_t first = position - index % Batch;
      if (index % Batch == 0 && sequence.load(std::memory_order_acquire) != first + Wanted) return false;
      work(data + index * bytes);
      if (index % Batch == Batch - 1) sequence.store(Wanted == 0 ? first + 1 : first + count, std::memory_order_release);
      ++position;
      if (++index == count) index = 0;
      return true;
    }
  };

 public:
  class Writer : End<0> {
   public:
    Writer(MemcpyPipeline& pipeline, unsigned) : End<0>(pipeline) {}
    bool write_block(std::span<const std::byte> from) {
      return this->step([&](std::byte* to) { std::memcpy(to, from.data(), from.size()); });
    }
    template <class F>
    bool fill(F&& f) {
      return this->step([&](std::byte* to) { f(std::span<std::byte>(to, this->bytes)); });
    }
  };

  class Reader : End<1> {
   public:
    Reader(MemcpyPipeline& pipeline, unsigned) : End<1>(pipeline) {}
    bool read_block(std::span<std::byte> to) {
      return this->step([&](std::byte* from) { std::memcpy(to.data(), from, to.size()); });
    }
    template <class F>
    bool consume(F&& f) {
      return this->step([&](std::byte* from) { f(std::span<const std::byte>(from, this->bytes)); });
    }
  };

 private:
  std::size_t count_, bytes_;
  SharedRegion sequences_, data_;
};

}  // namespace strait::bench
