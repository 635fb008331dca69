// W2: bytes per second through large nodes, once copied in and out, once made and used in place.
//
// Copying: the writer sends one hot source buffer again and again, or 256 different ones in random order; the reader copies
// into one buffer of its own. In the warm-up every byte is compared, in the timed phases the stamps at both ends and one more
// word of each message: comparing all would measure the comparison. In place: the writer computes every word, the reader
// adds up every word, and the sum must be exactly right, always.

#pragma once

#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include "../support/crew.hpp"
#include "../support/phases.hpp"
#include "../support/shared_region.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

enum class Source { hot, random };

/// The source buffers: `bytes` each, every word known from its place, a stamp of three words in front and one at the end.
class Blocks {
 public:
  Blocks(std::size_t bytes, std::size_t count) : words_(bytes / 8), data_(words_ * count) {
    for (std::size_t block = 0; block < count; ++block)
      for (std::size_t i = 0; i < words_; ++i) data_[block * words_ + i] = word(block, i);
  }
  std::span<const std::byte> stamped(std::size_t block, std::uint64_t number) noexcept {
    std::uint64_t* const first = data_.data() + block * words_;
    first[0] = number;
    first[1] = block;
    first[words_ - 1] = ~number;
    return std::as_bytes(std::span(first, words_));
  }
  static std::uint64_t word(std::uint64_t block, std::uint64_t index) noexcept { return (block + 1) * 0x9E3779B97F4A7C15u + index; }

  static bool right(std::span<const std::uint64_t> words, std::uint64_t number, bool every_word) noexcept {
    const std::uint64_t block = words[1];
    bool good = words[0] == number && words.back() == ~number;
    const std::size_t inner = words.size() - 3;
    const std::size_t sample = 2 + static_cast<std::size_t>(number * 2654435761u % inner);
    good &= words[sample] == word(block, sample);
    if (every_word)
      for (std::size_t i = 2; i < words.size() - 1; ++i) good &= words[i] == word(block, i);
    return good;
  }

 private:
  std::size_t words_;
  std::vector<std::uint64_t> data_;
};

template <class Subject>
  requires CopiesBlocks<Subject>
std::vector<PhaseResult> run_bandwidth(Source source, const Shape& shape, const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline) {
  Subject subject(shape);
  Shared<Schedule> schedule;
  schedule->start(plan);
  Crew crew(deadline);

  crew.add(cpus[0], [&] {
    typename Subject::Writer writer(subject, 0);
    constexpr std::size_t many = 256;
    Blocks blocks(shape.node_bytes, source == Source::hot ? 1 : many);
    std::vector<std::size_t> order(4096, 0);
    if (source == Source::random) {
      std::mt19937 random(1);
      for (auto& block : order) block = random() % many;
    }
    Backoff<false> backoff;
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      for (std::uint64_t number = 0; number < count; ++number) {
        const auto from = blocks.stamped(order[number % order.size()], number);
        while (!writer.write_block(from)) backoff();
      }
      schedule->barrier.arrive(2);
    }
  });

  crew.add(cpus[1], [&] {
    typename Subject::Reader reader(subject, 0);
    std::vector<std::uint64_t> words(shape.node_bytes / 8);
    const auto to = std::as_writable_bytes(std::span(words));
    Backoff<false> backoff;
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      const bool every_word = schedule->warm_up;
      bool good = true;
      const std::uint64_t start = now_ns();
      for (std::uint64_t number = 0; number < count; ++number) {
        while (!reader.read_block(to)) backoff();
        good &= Blocks::right(words, number, every_word);
      }
      const std::uint64_t elapsed = now_ns() - start;
      if (!good) throw std::runtime_error("wrong data: a block was lost, doubled, reordered or torn");
      schedule->barrier.arrive(2);
      schedule->conclude(plan, {.elapsed_ns = elapsed});
    }
  });

  crew.run();
  return {schedule->results.begin(), schedule->results.begin() + schedule->done};
}

inline void fill_words(std::span<std::byte> bytes, std::uint64_t number) noexcept {
  auto* const words = reinterpret_cast<std::uint64_t*>(bytes.data());
  const std::size_t count = bytes.size() / 8;
  for (std::size_t i = 0; i < count; ++i) words[i] = number + i;
}
inline std::uint64_t sum_words(std::span<const std::byte> bytes) noexcept {
  const auto* const words = reinterpret_cast<const std::uint64_t*>(bytes.data());
  const std::size_t count = bytes.size() / 8;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += words[i];
  return sum;
}

template <class Subject>
  requires WorksInPlace<Subject>
std::vector<PhaseResult> run_in_place(const Shape& shape, const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline) {
  Subject subject(shape);
  Shared<Schedule> schedule;
  schedule->start(plan);
  Crew crew(deadline);

  crew.add(cpus[0], [&] {
    typename Subject::Writer writer(subject, 0);
    Backoff<false> backoff;
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      for (std::uint64_t number = 0; number < count; ++number)
        while (!writer.fill([number](std::span<std::byte> bytes) { fill_words(bytes, number); })) backoff();
      schedule->barrier.arrive(2);
    }
  });

  crew.add(cpus[1], [&] {
    typename Subject::Reader reader(subject, 0);
    const std::uint64_t words = shape.node_bytes / 8;
    Backoff<false> backoff;
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      bool good = true;
      const std::uint64_t start = now_ns();
      for (std::uint64_t number = 0; number < count; ++number)
        while (!reader.consume([&, number](std::span<const std::byte> bytes) {
          good &= sum_words(bytes) == words * number + words * (words - 1) / 2;
        }))
          backoff();
      const std::uint64_t elapsed = now_ns() - start;
      if (!good) throw std::runtime_error("wrong data: a sum was not right");
      schedule->barrier.arrive(2);
      schedule->conclude(plan, {.elapsed_ns = elapsed});
    }
  });

  crew.run();
  return {schedule->results.begin(), schedule->results.begin() + schedule->done};
}

}  // namespace strait::bench
