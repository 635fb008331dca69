#pragma once
// BufferReadWrite of the C# library.

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/dotnet/buffer_with_locks.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/object.hpp>
#include <strait/handle/bytes_by_position.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace strait::dotnet {

/// `buffer_size()` bytes behind a header of 16, zero when created. Positions and sizes are in bytes; whatever does not lie within the
/// buffer throws Errc::out_of_range (C# checks only single values). Under the rules of BufferWithLocks. Any thread, any process.
///
/// How it is read and written is described in BytesByPosition (handle/bytes_by_position.hpp):
///
///     write(value or range, position = 0)      read<T>(position = 0), read(into value or range, position = 0)
///     write_with(f, position = 0)              read_with(f, position = 0)
class BufferReadWrite : public BytesByPosition<dotnet::BufferWithLocks> {
 public:
  /// Creates. Throws already_exists while somebody has the name open.
  BufferReadWrite(std::string_view name, std::size_t buffer_size, const OpenOptions& options = {})
      : BytesByPosition(create(name, buffer_size, options), options) {}

  /// Opens. Throws not_found.
  explicit BufferReadWrite(std::string_view name, const OpenOptions& options = {})
      : BytesByPosition(std::make_unique<Object>(name, options, [](const std::byte*, std::uint64_t) { return true; }), options) {}

 private:
  static std::unique_ptr<Object> create(std::string_view name, std::size_t size, const OpenOptions& options) {
    if (size == 0) throw Error(Errc::invalid_argument, name, "the size is 0; a buffer has at least 1 byte");
    if (size > greatest_size - sizeof(SharedHeader)) throw Error(Errc::too_large, name, std::to_string(size) + " bytes; C# counts up to 2 GiB");
    return std::make_unique<Object>(name, sizeof(SharedHeader) + size, options, [](std::byte*) {});
  }
};

}  // namespace strait::dotnet
