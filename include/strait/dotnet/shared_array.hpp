#pragma once
// SharedArray<T> of the C# library.

#include <strait/core/checked.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/shareable.hpp>
#include <strait/dotnet/buffer_with_locks.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/object.hpp>
#include <strait/handle/elements.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace strait::dotnet {

/// A fixed-size array whose elements lie behind a header of 16 bytes, `sizeof(T)` apart: a C# program sees the same as
/// `SharedArray<T>` of a struct with the same fields, sizes and packing. C#'s `bool` takes 4 bytes there: say `std::int32_t`. The
/// format bears no type: only that the size is a multiple of `sizeof(T)` is checked. `[]`, `data`, iterators and `span` reach
/// the shared bytes directly; `write` and `read` copy, under the rules of BufferWithLocks. See Elements (handle/elements.hpp).
template <Shareable T>
class SharedArray : public Elements<dotnet::BufferWithLocks, T> {
  static_assert(!std::is_same_v<std::remove_cv_t<T>, bool>, "C#'s bool takes 4 bytes in a SharedArray: use std::int32_t");
  static_assert(alignof(T) <= sizeof(SharedHeader), "elements lie 16 bytes behind a page: none may ask for a greater alignment");

 public:
  /// Creates, zeroed. Throws already_exists while somebody has the name open.
  SharedArray(std::string_view name, std::size_t length, const OpenOptions& options = {})
      : Base(create(name, length, options), options) {}

  /// Opens. Throws not_found, and type_mismatch where the size is no multiple of sizeof(T).
  explicit SharedArray(std::string_view name, const OpenOptions& options = {}) : Base(open(name, options), options) {}

 private:
  using Base = Elements<dotnet::BufferWithLocks, T>;

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
};

}  // namespace strait::dotnet
