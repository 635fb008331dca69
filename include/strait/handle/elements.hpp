#pragma once
// The elements of an array, for arrays of every layout. `Base` has name(), buffer_size(), payload(), writable_payload(), and
// writing(f) and reading(f), which call f under its rules.

#include <strait/core/checked.hpp>
#include <strait/core/error.hpp>
#include <strait/core/shareable.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>

namespace strait {

/// What SharedArray is to its user: a random-access range of `size()` elements. `[]`, `data`, iterators and `span` reach the
/// shared bytes directly, without lock or copy: processes that use them at the same time synchronise by the lock or by atomics of
/// their own. `write` and `read` copy, under the rules of `Base`. Pointers and iterators are valid until the handle is closed.
template <class Base, Shareable T>
class Elements : public Base {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;

  std::size_t size() const { return static_cast<std::size_t>(this->buffer_size() / sizeof(T)); }
  bool empty() const { return size() == 0; }

  // ---- direct: no lock, no copy. Throws closed after close(), permission_denied for the non-const forms of a read-only handle. ---

  T* data() { return reinterpret_cast<T*>(this->writable_payload()); }
  const T* data() const { return reinterpret_cast<const T*>(this->payload()); }
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

  // ---- copying. Beyond the end throws Errc::out_of_range. ------------------------------------------------------------------------

  void write(std::span<const T> from, std::size_t start = 0) {
    check_range(start, from.size());
    this->writing([&] {
      if (!from.empty()) std::memcpy(static_cast<void*>(data() + start), from.data(), from.size_bytes());
    });
  }

  void read(std::span<T> to, std::size_t start = 0) const {
    check_range(start, to.size());
    this->reading([&] {
      if (!to.empty()) std::memcpy(static_cast<void*>(to.data()), data() + start, to.size_bytes());
    });
  }

 protected:
  using Base::Base;

 private:
  std::size_t checked(std::size_t index) const {
    if (index >= size()) {
      throw std::out_of_range("strait: segment \"" + this->name() + "\": index " + std::to_string(index) + " of an array of " +
                              std::to_string(size()));
    }
    return index;
  }

  void check_range(std::size_t start, std::size_t count) const {
    if (!core::fits(start, count, size())) {
      throw Error(Errc::out_of_range, this->name(),
                  std::to_string(count) + " elements from " + std::to_string(start) + " do not lie within its " +
                      std::to_string(size()) + " elements");
    }
  }
};

}  // namespace strait
