#pragma once
// ExpandingArray<T>: shared storage that grows. Each bucket is a segment of its own, so nothing that was handed out ever moves.
//
//     index    0 1 2 | 3 .. 6 | 7 .. 14 | 15 .. 30 | ...
//     bucket     0   |   1    |    2    |    3     |         segments "name.0", "name.1", ...; "name" holds the size
//
// Bucket b > 0 holds 2^(b+1) elements from index 2^(b+1) - 1 on; bucket 0 holds the first 3.

#include <strait/buffer_read_write.hpp>
#include <strait/core/checked.hpp>
#include <strait/error.hpp>
#include <strait/options.hpp>
#include <strait/shareable.hpp>
#include <strait/shared_array.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait {

/// An array over segments that grows at its end, shared by every process that opens the name. Elements never move; those that
/// nobody has written are zero. Each handle holds every bucket it has seen open; `size()` sees what others added and opens their buckets, so
/// that elements live as long as a handle that has counted them. Any thread, any process.
template <Shareable T>
class ExpandingArray {
 public:
  /// Opens, or creates what is not there.
  ExpandingArray(open_or_create_t, std::string_view name, const OpenOptions& options = {})
      : count_(open_or_create, checked_name(name), sizeof(std::uint64_t), options), options_(options), buckets_(std::make_unique<Buckets>()) {
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>((std::min)(options.lock_timeout.length(), std::chrono::nanoseconds(std::chrono::hours(1))));
    count_.read_write_timeout(patience);
    static_cast<void>(size());
  }

  /// More than fits any memory today.
  static constexpr std::size_t max_size = (std::numeric_limits<std::size_t>::max)() >> (sizeof(std::size_t) == 8 ? 16 : 4);

  /// Which bucket an index lies in.
  static constexpr std::size_t bucket_index(std::size_t index) noexcept {
    const auto log = static_cast<std::size_t>(std::bit_width(std::uint64_t{index} + 1)) - 1;
    return log > 1 ? log - 1 : 0;
  }

  const std::string& name() const { return count_.name(); }

  /// Elements there are now.
  std::size_t size() const {
    const auto size = static_cast<std::size_t>(count_.template read<std::uint64_t>());
    if (size > max_size) throw Error(Errc::broken, name(), "it says it has " + std::to_string(size) + " elements, more than there can be");
    if (size != 0) static_cast<void>(bucket(bucket_index(size - 1)));
    return size;
  }

  /// Adds an element at the end, one change for all processes; returns its index.
  std::size_t push_back(const T& value) {
    static_cast<void>(element(size()));  // a new bucket is made before others have to wait for us
    std::size_t index = 0;
    count_.write_with([&](std::span<std::byte> bytes) {
      std::uint64_t size = 0;
      std::memcpy(&size, bytes.data(), sizeof size);
      index = static_cast<std::size_t>(size);
      // The element first: whoever sees the new size finds it.
      element(index) = value;
      ++size;
      std::memcpy(bytes.data(), &size, sizeof size);
    });
    return index;
  }

  /// Direct, no lock. Any index, also beyond the size: its bucket is made on the first touch. Does not change the size.
  T& operator[](std::size_t index) { return element(index); }
  const T& operator[](std::size_t index) const { return element(index); }

  /// Throws std::out_of_range beyond the size.
  T& at(std::size_t index) { return element(checked(index)); }
  const T& at(std::size_t index) const { return element(checked(index)); }

  /// Forgets all elements, for every process; their storage stays, with what it holds, and is used again.
  void clear() { count_.write(std::uint64_t{0}); }

 private:
  struct Buckets {
    std::shared_mutex mutex;
    std::vector<std::unique_ptr<SharedArray<T>>> arrays;
  };

  static constexpr std::size_t first_index(std::size_t bucket) noexcept { return bucket == 0 ? 0 : (std::size_t{1} << (bucket + 1)) - 1; }
  static constexpr std::size_t bucket_size(std::size_t bucket) noexcept { return bucket == 0 ? 3 : std::size_t{1} << (bucket + 1); }

  std::size_t checked(std::size_t index) const {
    const auto now = size();
    if (index >= now) {
      throw std::out_of_range("strait: segment \"" + name() + "\": index " + std::to_string(index) + " of an expanding array of " + std::to_string(now));
    }
    return index;
  }

  static std::string_view checked_name(std::string_view name) {
    if (name.size() > core::max_name_length - 3) throw Error(Errc::invalid_argument, name, "the name leaves no room for its buckets' numbers: at most 197 characters");
    return name;
  }

  T& element(std::size_t index) const {
    if (index >= max_size) throw Error(Errc::out_of_range, name(), "index " + std::to_string(index) + " is beyond what any memory holds");
    const auto which = bucket_index(index);
    return bucket(which)[index - first_index(which)];
  }

  // All buckets up to this one are opened too: a growing array is dense.
  SharedArray<T>& bucket(std::size_t which) const {
    {
      const std::shared_lock lock(buckets_->mutex);
      if (which < buckets_->arrays.size()) return *buckets_->arrays[which];
    }
    const std::unique_lock lock(buckets_->mutex);
    auto& arrays = buckets_->arrays;
    while (arrays.size() <= which) {
      const auto next = arrays.size();
      arrays.push_back(std::make_unique<SharedArray<T>>(open_or_create, name() + "." + std::to_string(next), bucket_size(next), options_));
    }
    return *arrays[which];
  }

  BufferReadWrite count_;
  OpenOptions options_;
  std::unique_ptr<Buckets> buckets_;
};

}  // namespace strait
