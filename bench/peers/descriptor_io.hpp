// Whole messages through file descriptors: what the pipe and the sockets share.

#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>

namespace strait::bench {

[[noreturn]] inline void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// Writes everything, at most `piece` bytes per call.
inline void write_all(int descriptor, std::span<const std::byte> from, std::size_t piece) {
  while (!from.empty()) {
    const ssize_t done = ::write(descriptor, from.data(), std::min(piece, from.size()));
    if (done < 0) throw_errno("write");
    from = from.subspan(static_cast<std::size_t>(done));
  }
}

inline void read_all(int descriptor, std::span<std::byte> to, std::size_t piece) {
  while (!to.empty()) {
    const ssize_t done = ::read(descriptor, to.data(), std::min(piece, to.size()));
    if (done < 0) throw_errno("read");
    if (done == 0) throw std::system_error(EPIPE, std::generic_category(), "read");
    to = to.subspan(static_cast<std::size_t>(done));
  }
}

/// A writing and a reading end inherited by the children.
class DescriptorPair {
 public:
  DescriptorPair() = default;
  DescriptorPair(const DescriptorPair&) = delete;
  DescriptorPair& operator=(const DescriptorPair&) = delete;
  ~DescriptorPair() {
    if (ends[0] >= 0) ::close(ends[0]);
    if (ends[1] >= 0 && ends[1] != ends[0]) ::close(ends[1]);
  }
  int ends[2] = {-1, -1};
};

}  // namespace strait::bench
