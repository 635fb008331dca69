#pragma once
// SharedArray<T> of the C# library.

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
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace strait::dotnet {

/// A fixed-size array whose elements lie behind a header of 16 bytes, `sizeof(T)` apart: a C# program sees the same as
/// `SharedArray<T>` of a struct with the same fields, sizes and packing. C#'s `bool` takes 4 bytes there: say `std::int32_t`. The
/// format bears no type: only that the size is a multiple of `sizeof(T)` is checked. `[]`, `data`, iterators and `span` reach
/// the shared bytes directly; `write` and `read` copy, under the rules of BufferWithLocks.
template <Shareable T>
class SharedArray : public BufferWithLocks {
  static_assert(!std::is_same_v<std::remove_cv_t<T>, bool>, "C#'s bool takes 4 bytes in a SharedArray: use std::int32_t");
  static_assert(alignof(T) <= sizeof(SharedHeader), "elements lie 16 bytes behind a page: none may ask for a greater alignment");

 public:
  using value_type = T;
  using size_type = std::size_t;
  using iterator = T*;
  using const_iterator = const T*;

  /// Creates, zeroed. Throws already_exists while somebody has the name open.
  SharedArray(std::string_view name, std::size_t length, const OpenOptions& options = {})
      : BufferWithLocks(create(name, length, options), options) {}

  /// Opens. Throws not_found, and type_mismatch where the size is no multiple of sizeof(T).
  explicit SharedArray(std::string_view name, const OpenOptions& options = {}) : BufferWithLocks(open(name, options), options) {}

  std::size_t size() const { return static_cast<std::size_t>(buffer_size() / sizeof(T)); }
  bool empty() const { return size() == 0; }

  // ---- direct: no lock, no copy. Throws closed after close(). -----------------------------------------------------------

  T* data() { return reinterpret_cast<T*>(data_bytes()); }
  const T* data() const { return reinterpret_cast<const T*>(data_bytes()); }
  T& operator[](std::size_t index) { return data()[index]; }
  const T& operator[](std::size_t index) const { return data()[index]; }
  T* begin() { return data(); }
  const T* begin() const { return data(); }
  T* end() { return data() + size(); }
  const T* end() const { return data() + size(); }
  std::span<T> span() { return {data(), size()}; }
  std::span<const T> span() const { return {data(), size()}; }

  /// Throws std::out_of_range.
  T& at(std::size_t index) { return data()[checked(index)]; }
  const T& at(std::size_t index) const { return data()[checked(index)]; }

  // ---- copying. Beyond the end throws Errc::out_of_range. ---------------------------------------------------------------

  void write(std::span<const T> from, std::size_t start = 0) {
    check_range(start, from.size());
    writing([&] {
      if (!from.empty()) std::memcpy(static_cast<void*>(data() + start), from.data(), from.size_bytes());
    });
  }

  void read(std::span<T> to, std::size_t start = 0) const {
    check_range(start, to.size());
    reading([&] {
      if (!to.empty()) std::memcpy(static_cast<void*>(to.data()), data() + start, to.size_bytes());
    });
  }

 private:
  static std::unique_ptr<Object> create(std::string_view name, std::size_t length, const OpenOptions& options) {
    if (length == 0) throw Error(Errc::invalid_argument, name, "the length is 0; an array has at least 1 element");
    const auto bytes = core::checked_multiply(length, sizeof(T));
    if (!bytes || *bytes > greatest_size - sizeof(SharedHeader)) {
      throw Error(Errc::too_large, name, std::to_string(length) + " elements of " + std::to_string(sizeof(T)) + " bytes; C# counts up to 2 GiB");
    }
    return std::make_unique<Object>(name, sizeof(SharedHeader) + *bytes, options, [](std::byte*) {});
  }

  static std::unique_ptr<Object> open(std::string_view name, const OpenOptions& options) {
    return std::make_unique<Object>(name, options, [name](const std::byte*, std::uint64_t size) {
      if ((size - sizeof(SharedHeader)) % sizeof(T) != 0) {
        throw Error(Errc::type_mismatch, name,
                    "its " + std::to_string(size - sizeof(SharedHeader)) + " bytes are no whole number of elements of " + std::to_string(sizeof(T)));
      }
      return true;
    });
  }

  std::size_t checked(std::size_t index) const {
    if (index >= size()) {
      throw std::out_of_range("strait: shared memory \"" + name() + "\": index " + std::to_string(index) + " of an array of " + std::to_string(size()));
    }
    return index;
  }

  void check_range(std::size_t start, std::size_t count) const {
    if (!core::fits(start, count, size())) {
      throw Error(Errc::out_of_range, name(),
                  std::to_string(count) + " elements from " + std::to_string(start) + " do not lie within its " + std::to_string(size()) + " elements");
    }
  }
};

}  // namespace strait::dotnet
