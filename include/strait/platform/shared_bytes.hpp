#pragma once
// Copying bytes that others may be changing. What is torn is told by whoever calls (cell/cell.hpp): here every access is one that the
// language defines, loads acquire and stores release, so that whoever sees a byte of a change sees what was stored before it.
//
// Eight bytes at a time by atomics, or, where the processor keeps such loads and stores in order by itself (x86-64), sixteen at a
// time by instructions that the compiler does not look into. A 64-byte load costs half of what it does by atomics.

#include <strait/core/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRAIT_ATOMIC_BYTES 1
#endif
#endif
#if !defined(__x86_64__) || !defined(__GNUC__) || defined(__SANITIZE_THREAD__)
#define STRAIT_ATOMIC_BYTES 1
#endif

namespace strait::platform {

namespace bytes {

using Word = std::uint64_t;
inline constexpr std::size_t word_size = sizeof(Word);
inline constexpr std::size_t line_size = 8 * word_size;

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

#if !defined(STRAIT_ATOMIC_BYTES)
inline constexpr bool has_lines = true;

// 64 bytes, whichever side is the shared one.
inline void copy_line(void* to, const void* from) noexcept {
  asm volatile(
      "movdqu (%1), %%xmm0\n\t"
      "movdqu 16(%1), %%xmm1\n\t"
      "movdqu 32(%1), %%xmm2\n\t"
      "movdqu 48(%1), %%xmm3\n\t"
      "movdqu %%xmm0, (%0)\n\t"
      "movdqu %%xmm1, 16(%0)\n\t"
      "movdqu %%xmm2, 32(%0)\n\t"
      "movdqu %%xmm3, 48(%0)"
      :
      : "r"(to), "r"(from)
      : "xmm0", "xmm1", "xmm2", "xmm3", "memory");
}
#else
inline constexpr bool has_lines = false;
inline void copy_line(void*, const void*) noexcept {}
#endif

// Calls one(offset) for single bytes, word(offset) for eight at an aligned address and line(offset) for 64, over `size` bytes.
template <class One, class WordAt, class Line>
void walk(const std::byte* shared, std::size_t size, One one, WordAt word, Line line) {
  std::size_t at = 0;
  if constexpr (has_lines) {
    for (; size - at >= line_size; at += line_size) line(at);
  }
  while (at < size && reinterpret_cast<std::uintptr_t>(shared + at) % word_size != 0) one(at++);
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
      },
      [&](std::size_t at) { bytes::copy_line(out + at, shared + at); });
}

// shared -> private, a size that is known to the compiler, from an address aligned to eight bytes: what a small struct is loaded with.
template <std::size_t Size>
inline void load_value(void* to, const std::byte* shared) noexcept {
  if constexpr (Size > 1024) {
    load_bytes(to, shared, Size);
  } else {
    auto* const out = static_cast<unsigned char*>(to);
    constexpr std::size_t lines = bytes::has_lines ? Size / bytes::line_size * bytes::line_size : 0;
    constexpr std::size_t words = Size / bytes::word_size * bytes::word_size;
    for (std::size_t at = 0; at < lines; at += bytes::line_size) bytes::copy_line(out + at, shared + at);
    for (std::size_t at = lines; at < words; at += bytes::word_size) {
      const auto word = bytes::load<bytes::Word>(shared + at);
      std::memcpy(out + at, &word, sizeof word);
    }
    for (std::size_t at = words; at < Size; ++at) out[at] = bytes::load<unsigned char>(shared + at);
  }
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
      },
      [&](std::size_t at) { bytes::copy_line(shared + at, in + at); });
}

// shared -> shared, both aligned to eight bytes
inline void copy_bytes(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  bytes::walk(
      to, size, [&](std::size_t at) { bytes::store<unsigned char>(to + at, bytes::load<unsigned char>(from + at)); },
      [&](std::size_t at) { bytes::store<bytes::Word>(to + at, bytes::load<bytes::Word>(from + at)); },
      [&](std::size_t at) { bytes::copy_line(to + at, from + at); });
}

// The bytes from the first to the last in which both differ; count 0 where they are the same.
struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
};

// `shared` is aligned to eight bytes.
inline Range difference(const std::byte* shared, const void* with, std::size_t size) noexcept {
  const auto* const other = static_cast<const unsigned char*>(with);
  const auto same_word = [&](std::size_t at) {
    bytes::Word word = 0;
    std::memcpy(&word, other + at, sizeof word);
    return bytes::load<bytes::Word>(shared + at) == word;
  };
  const auto same_byte = [&](std::size_t at) { return bytes::load<unsigned char>(shared + at) == other[at]; };
  std::size_t first = 0;
  while (size - first >= bytes::word_size && same_word(first)) first += bytes::word_size;
  while (first < size && same_byte(first)) ++first;
  if (first == size) return {};
  std::size_t end = size;
  while (end % bytes::word_size != 0 && end > first + 1 && same_byte(end - 1)) --end;
  while (end % bytes::word_size == 0 && end >= first + 1 + bytes::word_size && same_word(end - bytes::word_size))
    end -= bytes::word_size;
  while (end > first + 1 && same_byte(end - 1)) --end;
  return {first, end - first};
}

}  // namespace strait::platform

#undef STRAIT_ATOMIC_BYTES
