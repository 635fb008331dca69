#pragma once
// A flag that select, poll, epoll and kqueue can watch: a pipe with a byte in it, or on Linux an eventfd, which needs one descriptor.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>
#if STRAIT_LINUX
#include <sys/eventfd.h>
#endif

namespace strait::platform {

class ReadableFlag {
 public:
  static constexpr bool exists = true;

  explicit ReadableFlag(std::string_view name) {
#if STRAIT_LINUX
    ends_[0] = ends_[1] = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const bool failed = ends_[0] < 0;
#else
    const bool failed = ::pipe(ends_) != 0;
    for (int i = 0; !failed && i < 2; ++i) {
      ::fcntl(ends_[i], F_SETFD, FD_CLOEXEC);
      ::fcntl(ends_[i], F_SETFL, O_NONBLOCK);
    }
#endif
    if (failed) throw Error(Errc::no_space, name, "no file descriptor for readable_fd(): " + std::generic_category().message(errno));
  }
  ReadableFlag(const ReadableFlag&) = delete;
  ReadableFlag& operator=(const ReadableFlag&) = delete;
  ~ReadableFlag() {
    ::close(ends_[0]);
    if (ends_[1] != ends_[0]) ::close(ends_[1]);
  }

  int descriptor() const noexcept { return ends_[0]; }

  // A flag that is up already stays up.
  void raise() noexcept {
    const std::uint64_t one = 1;
    while (::write(ends_[1], &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  void lower() noexcept {
    std::uint64_t bytes[8];
    ssize_t got = 0;
    do {
      got = ::read(ends_[0], bytes, sizeof bytes);
    } while (got == static_cast<ssize_t>(sizeof bytes) || (got < 0 && errno == EINTR));
  }

 private:
  int ends_[2] = {-1, -1};
};

}  // namespace strait::platform

