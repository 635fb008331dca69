#pragma once
// The messages of the integrity phase of ring_server and ring_client: in message i, byte j is (i + j) % 255, and i starts
// again after 256 messages. 255 is no power of two, so no whole node, page or line of another message has the same bytes.

#include <cstddef>
#include <span>
#include <vector>

namespace examples {

inline constexpr std::size_t integrity_messages = 501;

class Patterns {
 public:
  explicit Patterns(std::size_t message_size) : bytes_(message_size + count), message_size_(message_size) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::byte>(i % 255);
  }

  std::span<const std::byte> operator[](std::size_t message) const {
    return std::span(bytes_).subspan(message % count, message_size_);
  }

 private:
  static constexpr std::size_t count = 256;
  std::vector<std::byte> bytes_;  // message i is the window that starts at byte i
  std::size_t message_size_;
};

}  // namespace examples
