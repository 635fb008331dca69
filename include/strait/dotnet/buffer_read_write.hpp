#pragma once
// BufferReadWrite of the C# library.

#include <strait/core/checked.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/shareable.hpp>
#include <strait/dotnet/buffer_with_locks.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/object.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strait::dotnet {

/// `buffer_size()` bytes behind a header of 16, zero when created. Positions and sizes are in bytes; whatever does not lie within the
/// buffer throws Errc::out_of_range (C# checks only single values). Under the rules of BufferWithLocks. Any thread, any process.
class BufferReadWrite : public BufferWithLocks {
 public:
  /// Creates. Throws already_exists while somebody has the name open.
  BufferReadWrite(std::string_view name, std::size_t buffer_size, const OpenOptions& options = {})
      : BufferWithLocks(create(name, buffer_size, options), options) {}

  /// Opens. Throws not_found.
  explicit BufferReadWrite(std::string_view name, const OpenOptions& options = {})
      : BufferWithLocks(std::make_unique<Object>(name, options, [](const std::byte*, std::uint64_t) { return true; }), options) {}

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
    write_bytes(std::ranges::data(elements), std::ranges::size(elements) * sizeof(std::ranges::range_value_t<Range>), position);
  }

  /// Reads one value.
  template <Shareable T>
    requires std::is_default_constructible_v<T>
  T read(std::size_t position = 0) const {
    T value{};
    read_bytes(&value, sizeof(T), position);
    return value;
  }

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
    read(std::span<std::ranges::range_value_t<Range>>(std::ranges::data(out), std::ranges::size(out)), position);
  }

  /// `f(std::span<std::byte>)` writes in place, from `position` to the end of the buffer.
  template <class F>
  void write_with(F&& f, std::size_t position = 0) {
    check_range(position, 0);
    writing([&] { std::forward<F>(f)(std::span<std::byte>(data_bytes() + position, size() - position)); });
  }

  /// `f(std::span<const std::byte>)` reads in place, from `position` to the end of the buffer.
  template <class F>
  void read_with(F&& f, std::size_t position = 0) const {
    check_range(position, 0);
    reading([&] { std::forward<F>(f)(std::span<const std::byte>(data_bytes() + position, size() - position)); });
  }

 private:
  static std::unique_ptr<Object> create(std::string_view name, std::size_t size, const OpenOptions& options) {
    if (size == 0) throw Error(Errc::invalid_argument, name, "the size is 0; a buffer has at least 1 byte");
    if (size > greatest_size - sizeof(SharedHeader)) throw Error(Errc::too_large, name, std::to_string(size) + " bytes; C# counts up to 2 GiB");
    return std::make_unique<Object>(name, sizeof(SharedHeader) + size, options, [](std::byte*) {});
  }

  std::size_t size() const { return static_cast<std::size_t>(buffer_size()); }

  void write_bytes(const void* from, std::size_t count, std::size_t position) {
    check_range(position, count);
    writing([&] {
      if (count != 0) std::memcpy(data_bytes() + position, from, count);
    });
  }

  void read_bytes(void* to, std::size_t count, std::size_t position) const {
    check_range(position, count);
    reading([&] {
      if (count != 0) std::memcpy(to, data_bytes() + position, count);
    });
  }

  void check_range(std::size_t position, std::size_t count) const {
    if (!core::fits(position, count, size())) {
      throw Error(Errc::out_of_range, name(),
                  std::to_string(count) + " bytes at position " + std::to_string(position) + " do not lie within its " + std::to_string(size()) + " bytes");
    }
  }
};

}  // namespace strait::dotnet
