#pragma once
// SharedArray<T>: a fixed-size array that several processes see as their own.

#include <strait/buffer_with_locks.hpp>
#include <strait/core/fingerprint.hpp>
#include <strait/error.hpp>
#include <strait/handle/elements.hpp>
#include <strait/options.hpp>
#include <strait/shareable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

namespace strait {

/// A random-access range of `size()` elements, zero when created. `[]`, `data`, iterators and `span` reach the shared bytes
/// directly, without lock or copy: processes that use them at the same time synchronise by the lock or by atomics of their own.
/// `write` and `read` copy under the lock. Pointers and iterators are valid until the handle is closed.
///
/// All of these are described in Elements (handle/elements.hpp):
///
///     size, empty, [], at, data, begin, end, cbegin, cend, span      direct
///     write(span, start = 0), read(span, start = 0)                  copying
template <Shareable T>
class SharedArray : public Elements<BufferWithLocks, T> {
  static_assert(alignof(T) <= layout::max_element_alignment, "mappings are aligned to pages: no element may ask for more");

 public:
  /// Creates. Throws already_exists while a living process holds the name.
  SharedArray(std::string_view name, std::size_t length, const OpenOptions& options = {})
      : SharedArray(open_session(name, segment::Intent::create, length, options)) {}

  /// Opens. Throws not_found where no living process holds the name, type_mismatch where its elements are of another type.
  explicit SharedArray(std::string_view name, const OpenOptions& options = {}) : SharedArray(open_session(name, segment::Intent::open, 0, options)) {}

  /// Opens, or creates what is not there. Another length than the existing one: type_mismatch.
  SharedArray(open_or_create_t, std::string_view name, std::size_t length, const OpenOptions& options = {})
      : SharedArray(open_session(name, segment::Intent::open_or_create, length, options)) {}

 private:
  using Base = Elements<BufferWithLocks, T>;

  explicit SharedArray(const std::shared_ptr<segment::Session>& session) : Base(session, session->segment().plan().payload_size) {}

  static std::shared_ptr<segment::Session> open_session(std::string_view name, segment::Intent intent, std::size_t length, const OpenOptions& options) {
    const layout::Shape shape{layout::Kind::array, sizeof(T), length, static_cast<std::uint32_t>(alignof(T)), core::fingerprint<std::remove_cv_t<T>>()};
    const segment::Expectation expected{shape, true, intent != segment::Intent::open};
    return std::make_shared<segment::Session>(name, intent, expected, RingOptions{options}, segment::Contents{});
  }
};

}  // namespace strait
