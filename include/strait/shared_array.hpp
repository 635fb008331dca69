#pragma once
// SharedArray<T>: a fixed-size array that several processes see as their own.

#include <strait/buffer_with_locks.hpp>
#include <strait/core/checked.hpp>
#include <strait/core/fingerprint.hpp>
#include <strait/error.hpp>
#include <strait/options.hpp>
#include <strait/shareable.hpp>

#include <cstddef>
#include <cstring>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace strait {

/// A random-access range of `size()` elements, zero when created. `[]`, `data`, iterators and `span` reach the shared bytes
/// directly, without lock or copy: processes that use them at the same time synchronise by the lock or by atomics of their own.
/// `write` and `read` copy under the lock. Pointers and iterators are valid until the handle is closed.
template <Shareable T>
class SharedArray : public BufferWithLocks {
  static_assert(alignof(T) <= layout::max_element_alignment, "mappings are aligned to pages: no element may ask for more");

 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;

  /// Creates. Throws already_exists while a living process holds the name.
  SharedArray(std::string_view name, std::size_t length, const OpenOptions& options = {})
      : SharedArray(open_session(name, segment::Intent::create, length, options)) {}

  /// Opens. Throws not_found where no living process holds the name, type_mismatch where its elements are of another type.
  explicit SharedArray(std::string_view name, const OpenOptions& options = {}) : SharedArray(open_session(name, segment::Intent::open, 0, options)) {}

  /// Opens, or creates what is not there. Another length than the existing one: type_mismatch.
  SharedArray(open_or_create_t, std::string_view name, std::size_t length, const OpenOptions& options = {})
      : SharedArray(open_session(name, segment::Intent::open_or_create, length, options)) {}

  std::size_t size() const { return static_cast<std::size_t>(buffer_size() / sizeof(T)); }
  bool empty() const { return size() == 0; }

  // ---- direct: no lock, no copy. Throws closed after close(), permission_denied for the non-const forms of a read-only handle. ---

  T* data() { return reinterpret_cast<T*>(writable_payload()); }
  const T* data() const { return reinterpret_cast<const T*>(payload()); }
  T& operator[](std::size_t index) { return data()[index]; }
  const T& operator[](std::size_t index) const { return data()[index]; }
  T* begin() { return data(); }
  const T* begin() const { return data(); }
  const T* cbegin() const { return data(); }
  T* end() { return data() + size(); }
  const T* end() const { return data() + size(); }
  const T* cend() const { return data() + size(); }
  std::span<T> span() { return {data(), size()}; }
  std::span<const T> span() const { return {data(), size()}; }

  /// Throws std::out_of_range.
  T& at(std::size_t index) { return data()[checked(index)]; }
  const T& at(std::size_t index) const { return data()[checked(index)]; }

  // ---- copying, under the lock rules of BufferWithLocks. Beyond the end throws Errc::out_of_range. -------------------------

  void write(std::span<const T> from, std::size_t start = 0) {
    check_range(start, from.size());
    writing([&] {
      if (!from.empty()) std::memcpy(static_cast<void*>(data() + start), from.data(), from.size_bytes());
    });
  }

  void read(std::span<T> to, std::size_t start = 0) const {
    check_range(start, to.size());
    reading([&] {
      if (!to.empty()) std::memcpy(static_cast<void*>(to.data()), std::as_const(*this).data() + start, to.size_bytes());
    });
  }

 private:
  explicit SharedArray(const std::shared_ptr<segment::Session>& session) : BufferWithLocks(session, session->segment().plan().payload_size) {}

  static std::shared_ptr<segment::Session> open_session(std::string_view name, segment::Intent intent, std::size_t length, const OpenOptions& options) {
    const layout::Shape shape{layout::Kind::array, sizeof(T), length, static_cast<std::uint32_t>(alignof(T)), core::fingerprint<std::remove_cv_t<T>>()};
    const segment::Expectation expected{shape, true, intent != segment::Intent::open};
    return std::make_shared<segment::Session>(name, intent, expected, RingOptions{options}, segment::Contents{});
  }

  std::size_t checked(std::size_t index) const {
    if (index >= size()) {
      throw std::out_of_range("strait: segment \"" + name() + "\": index " + std::to_string(index) + " of an array of " + std::to_string(size()));
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

}  // namespace strait
