#pragma once
// BufferReadWrite: shared bytes that are read and written by position, under a lock.

#include <strait/buffer_with_locks.hpp>
#include <strait/error.hpp>
#include <strait/handle/bytes_by_position.hpp>
#include <strait/options.hpp>
#include <strait/shareable.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace strait {

/// `buffer_size()` bytes, zero when created. Positions and sizes are in bytes; whatever does not lie within the buffer throws
/// Errc::out_of_range and nothing is written. Values may lie at any position: they are copied, alignment does not matter. Each
/// call is one read or write under the lock rules of BufferWithLocks. Any thread, any process.
///
/// How it is read and written is described in BytesByPosition (handle/bytes_by_position.hpp):
///
///     write(value or range, position = 0)      read<T>(position = 0), read(into value or range, position = 0)
///     write_with(f, position = 0)              read_with(f, position = 0)
class BufferReadWrite : public BytesByPosition<BufferWithLocks> {
 public:
  /// Creates. Throws already_exists while a living process holds the name.
  BufferReadWrite(std::string_view name, std::size_t buffer_size, const OpenOptions& options = {})
      : BufferReadWrite(open_session(name, segment::Intent::create, buffer_size, options)) {}

  /// Opens. Throws not_found where no living process holds the name.
  explicit BufferReadWrite(std::string_view name, const OpenOptions& options = {}) : BufferReadWrite(open_session(name, segment::Intent::open, 0, options)) {}

  /// Opens, or creates what is not there. Another size than the existing one: type_mismatch.
  BufferReadWrite(open_or_create_t, std::string_view name, std::size_t buffer_size, const OpenOptions& options = {})
      : BufferReadWrite(open_session(name, segment::Intent::open_or_create, buffer_size, options)) {}

 private:
  explicit BufferReadWrite(const std::shared_ptr<segment::Session>& session) : BytesByPosition(session, session->segment().plan().payload_size) {}

  static std::shared_ptr<segment::Session> open_session(std::string_view name, segment::Intent intent, std::size_t size, const OpenOptions& options) {
    const segment::Expectation expected{{layout::Kind::buffer, 1, size, 1, 0}, true, intent != segment::Intent::open};
    return std::make_shared<segment::Session>(name, intent, expected, RingOptions{options}, segment::Contents{});
  }
};

}  // namespace strait
