#pragma once
// BufferReadWrite: shared bytes that are read and written by position, under a lock.

#include <strait/buffer_with_locks.hpp>
#include <strait/core/checked.hpp>
#include <strait/error.hpp>
#include <strait/options.hpp>
#include <strait/shareable.hpp>

#include <cstddef>
#include <cstring>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strait {

/// `buffer_size()` bytes, zero when created. Positions and sizes are in bytes; whatever does not lie within the buffer throws
/// Errc::out_of_range and nothing is written. Values may lie at any position: they are copied, alignment does not matter. Each
/// call is one read or write under the lock rules of BufferWithLocks. Any thread, any process.
class BufferReadWrite : public BufferWithLocks {
 public:
  /// Creates. Throws already_exists while a living process holds the name.
  BufferReadWrite(std::string_view name, std::size_t buffer_size, const OpenOptions& options = {})
      : BufferReadWrite(open_session(name, segment::Intent::create, buffer_size, options)) {}

  /// Opens. Throws not_found where no living process holds the name.
  explicit BufferReadWrite(std::string_view name, const OpenOptions& options = {}) : BufferReadWrite(open_session(name, segment::Intent::open, 0, options)) {}

  /// Opens, or creates what is not there. Another size than the existing one: type_mismatch.
  BufferReadWrite(open_or_create_t, std::string_view name, std::size_t buffer_size, const OpenOptions& options = {})
      : BufferReadWrite(open_session(name, segment::Intent::open_or_create, buffer_size, options)) {}

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
    writing([&] { std::forward<F>(f)(std::span<std::byte>(writable_payload() + position, size() - position)); });
  }

  /// `f(std::span<const std::byte>)` reads in place, from `position` to the end of the buffer.
  template <class F>
  void read_with(F&& f, std::size_t position = 0) const {
    check_range(position, 0);
    reading([&] { std::forward<F>(f)(std::span<const std::byte>(payload() + position, size() - position)); });
  }

 private:
  explicit BufferReadWrite(const std::shared_ptr<segment::Session>& session) : BufferWithLocks(session, session->segment().plan().payload_size) {}

  static std::shared_ptr<segment::Session> open_session(std::string_view name, segment::Intent intent, std::size_t size, const OpenOptions& options) {
    const segment::Expectation expected{{layout::Kind::buffer, 1, size, 1, 0}, true, intent != segment::Intent::open};
    return std::make_shared<segment::Session>(name, intent, expected, RingOptions{options}, segment::Contents{});
  }

  std::size_t size() const { return static_cast<std::size_t>(buffer_size()); }

  void write_bytes(const void* from, std::size_t count, std::size_t position) {
    check_range(position, count);
    writing([&] {
      if (count != 0) std::memcpy(writable_payload() + position, from, count);
    });
  }

  void read_bytes(void* to, std::size_t count, std::size_t position) const {
    check_range(position, count);
    reading([&] {
      if (count != 0) std::memcpy(to, payload() + position, count);
    });
  }

  void check_range(std::size_t position, std::size_t count) const {
    if (!core::fits(position, count, size())) {
      throw Error(Errc::out_of_range, name(),
                  std::to_string(count) + " bytes at position " + std::to_string(position) + " do not lie within its " + std::to_string(size()) + " bytes");
    }
  }
};

}  // namespace strait
