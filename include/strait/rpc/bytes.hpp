#pragma once
// A growing run of bytes that is never filled with zeros first.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace strait::rpc {

class Bytes {
 public:
  std::span<const std::byte> view() const noexcept { return {data_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }

  // Forgets what is there. Memory that is asked for and not yet written costs nothing on the systems we know.
  void start(std::size_t room) {
    size_ = 0;
    if (room <= capacity_) return;
    data_.reset();
    capacity_ = 0;
    data_.reset(new std::byte[room]);
    capacity_ = room;
  }

  // Within the room asked for.
  void append(std::span<const std::byte> bytes) noexcept {
    if (!bytes.empty()) std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace strait::rpc
