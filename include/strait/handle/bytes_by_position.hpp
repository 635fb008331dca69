#pragma once
// Reading and writing by position, for buffers of every layout. `Base` has name(), buffer_size(), payload(), writable_payload(), and
// writing(f) and reading(f), which call f under its rules.

#include <strait/core/checked.hpp>
#include <strait/core/error.hpp>
#include <strait/core/shareable.hpp>

#include <cstddef>
#include <cstring>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace strait {

/// How BufferReadWrite is read and written. Positions and sizes are in bytes; whatever does not lie within the buffer throws
/// Errc::out_of_range and nothing is written. Values may lie at any position: they are copied, alignment does not matter. Each
/// call is one read or write under the rules of `Base`. Any thread, any process.
template <class Base>
class BytesByPosition : public Base {
 public:
  /// Writes one value.
  template <Shareable T>
    requires(!core::ShareableRange<const T>)
  void write(const T& value, std::size_t position = 0) {
    write_bytes(&value, sizeof(T), position);
  }

  /// Writes the elements of a span.
  template <Shareable T>
  void write(std::span<const T> elements, std::size_t position = 0) {
    write_bytes(elements.data(), elements.size_bytes(), position);
  }

  /// Writes the elements of any contiguous sized range.
  template <core::ShareableRange Range>
  void write(const Range& elements, std::size_t position = 0) {
    write_bytes(std::ranges::data(elements), std::ranges::size(elements) * sizeof(core::range_element_t<Range>), position);
  }

  /// Reads one value.
  template <Shareable T>
    requires std::is_default_constructible_v<T>
  T read(std::size_t position = 0) const {
    T value{};
    read_bytes(&value, sizeof(T), position);
    return value;
  }

  /// Reads one value into `out`.
  template <Shareable T>
    requires(!std::is_const_v<T>)
  void read(T& out, std::size_t position = 0) const {
    read_bytes(std::addressof(out), sizeof(T), position);
  }

  /// Fills a span.
  template <Shareable T>
    requires(!std::is_const_v<T>)
  void read(std::span<T> out, std::size_t position = 0) const {
    read_bytes(out.data(), out.size_bytes(), position);
  }

  /// Fills a contiguous sized range, such as a vector, whose size it does not change.
  template <core::ShareableRange Range>
    requires(!Shareable<std::remove_cvref_t<Range>>)
  void read(Range&& out, std::size_t position = 0) const {
    read(std::span<core::range_element_t<Range>>(std::ranges::data(out), std::ranges::size(out)), position);
  }

  /// `f(std::span<std::byte>)` writes in place, from `position` to the end of the buffer.
  template <class F>
  void write_with(F&& f, std::size_t position = 0) {
    check_range(position, 0);
    this->writing([&] { std::forward<F>(f)(std::span<std::byte>(this->writable_payload() + position, size() - position)); });
  }

  /// `f(std::span<const std::byte>)` reads in place, from `position` to the end of the buffer.
  template <class F>
  void read_with(F&& f, std::size_t position = 0) const {
    check_range(position, 0);
    this->reading([&] { std::forward<F>(f)(std::span<const std::byte>(this->payload() + position, size() - position)); });
  }

 protected:
  using Base::Base;

 private:
  std::size_t size() const { return static_cast<std::size_t>(this->buffer_size()); }

  void write_bytes(const void* from, std::size_t count, std::size_t position) {
    check_range(position, count);
    this->writing([&] {
      if (count != 0) std::memcpy(this->writable_payload() + position, from, count);
    });
  }

  void read_bytes(void* to, std::size_t count, std::size_t position) const {
    check_range(position, count);
    this->reading([&] {
      if (count != 0) std::memcpy(to, this->payload() + position, count);
    });
  }

  void check_range(std::size_t position, std::size_t count) const {
    if (!core::fits(position, count, size())) {
      throw Error(Errc::out_of_range, this->name(),
                  std::to_string(count) + " bytes at position " + std::to_string(position) + " do not lie within its " +
                      std::to_string(size()) + " bytes");
    }
  }
};

}  // namespace strait
