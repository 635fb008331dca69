#pragma once
// Copying bytes that others may be changing. Every access is atomic, eight bytes at a time where the address allows it: what is
// torn is told by the cell's state, and never undefined. Loads acquire and stores release (SYNC cell-bytes in cell/cell.hpp).

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace strait::cell {

namespace bytes {

using Word = std::uint64_t;
inline constexpr std::size_t word_size = sizeof(Word);

template <class Unit>
Unit load(const std::byte* shared) noexcept {
  // SYNC cell-bytes: whoever loads a byte of a change sees that it has begun.
  return std::atomic_ref<Unit>(*reinterpret_cast<Unit*>(const_cast<std::byte*>(shared))).load(std::memory_order_acquire);
}

template <class Unit>
void store(std::byte* shared, Unit value) noexcept {
  // SYNC cell-bytes: releases the state, stored before.
  std::atomic_ref<Unit>(*reinterpret_cast<Unit*>(shared)).store(value, std::memory_order_release);
}

// Calls one(offset) for single bytes and word(offset) for eight at an aligned address, over `size` bytes from `shared` on.
template <class One, class WordAt>
void walk(const std::byte* shared, std::size_t size, One one, WordAt word) {
  std::size_t at = 0;
  while (at < size && reinterpret_cast<std::uintptr_t>(shared + at) % word_size != 0) one(at++);
  // Eight words a round: one cache line, where the value begins on one.
  for (; size - at >= 8 * word_size; at += 8 * word_size) {
    word(at);
    word(at + word_size);
    word(at + 2 * word_size);
    word(at + 3 * word_size);
    word(at + 4 * word_size);
    word(at + 5 * word_size);
    word(at + 6 * word_size);
    word(at + 7 * word_size);
  }
  for (; size - at >= word_size; at += word_size) word(at);
  while (at < size) one(at++);
}

}  // namespace bytes

// shared -> private
inline void load_bytes(void* to, const std::byte* shared, std::size_t size) noexcept {
  auto* const out = static_cast<unsigned char*>(to);
  bytes::walk(
      shared, size, [&](std::size_t at) { out[at] = bytes::load<unsigned char>(shared + at); },
      [&](std::size_t at) {
        const auto word = bytes::load<bytes::Word>(shared + at);
        std::memcpy(out + at, &word, sizeof word);
      });
}

// private -> shared
inline void store_bytes(std::byte* shared, const void* from, std::size_t size) noexcept {
  const auto* const in = static_cast<const unsigned char*>(from);
  bytes::walk(
      shared, size, [&](std::size_t at) { bytes::store<unsigned char>(shared + at, in[at]); },
      [&](std::size_t at) {
        bytes::Word word = 0;
        std::memcpy(&word, in + at, sizeof word);
        bytes::store<bytes::Word>(shared + at, word);
      });
}

// shared -> shared, both aligned to eight bytes
inline void copy_bytes(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  bytes::walk(
      to, size, [&](std::size_t at) { bytes::store<unsigned char>(to + at, bytes::load<unsigned char>(from + at)); },
      [&](std::size_t at) { bytes::store<bytes::Word>(to + at, bytes::load<bytes::Word>(from + at)); });
}

// The bytes from the first to the last in which both differ; count 0 where they are the same.
struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
};

inline Range difference(const std::byte* shared, const void* with, std::size_t size) noexcept {
  const auto* const other = static_cast<const unsigned char*>(with);
  std::size_t first = size;
  std::size_t end = 0;
  const auto compare = [&](std::size_t at) {
    if (bytes::load<unsigned char>(shared + at) == other[at]) return;
    if (first == size) first = at;
    end = at + 1;
  };
  bytes::walk(shared, size, compare, [&](std::size_t at) {
    bytes::Word word = 0;
    std::memcpy(&word, other + at, sizeof word);
    if (bytes::load<bytes::Word>(shared + at) == word) return;
    for (std::size_t i = 0; i < bytes::word_size; ++i) compare(at + i);
  });
  return end == 0 ? Range{} : Range{first, end - first};
}

}  // namespace strait::cell
