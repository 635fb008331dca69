// Peers: a pipe, a Unix stream socket, a Unix packet socket. One write and one read call per 64-byte message, as a program
// that sends messages one at a time does; both block.

#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/subject.hpp"
#include "descriptor_io.hpp"

namespace strait::bench {

enum class Descriptors { pipe, stream, packets };

template <Descriptors Which>
class DescriptorChannel {
 public:
  static constexpr const char* name = Which == Descriptors::pipe     ? "pipe"
                                      : Which == Descriptors::stream ? "Unix stream socket"
                                                                     : "Unix seqpacket socket";
  static constexpr Kind kind = Kind::peer;
  static constexpr bool ordered_across_writers = true;

  explicit DescriptorChannel(const Shape& shape) {
    if (Which == Descriptors::stream && shape.readers > 1) throw Unavailable("a stream does not keep messages of several readers whole");
    if (Which == Descriptors::pipe) {
      if (::pipe(pair_.ends) != 0) throw_errno("pipe");
      ::fcntl(pair_.ends[1], F_SETPIPE_SZ, 1 << 20);
    } else {
      const int type = Which == Descriptors::stream ? SOCK_STREAM : SOCK_SEQPACKET;
      if (::socketpair(AF_UNIX, type, 0, pair_.ends) != 0) throw_errno("socketpair");
      // Enough for several pieces under way; the kernel cuts it to its own limit where the caller has no privilege.
      const int bytes = 4 << 20;
      if (::setsockopt(pair_.ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        ::setsockopt(pair_.ends[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
  }

  class Writer {
   public:
    Writer(DescriptorChannel& channel, unsigned) : descriptor_(channel.pair_.ends[1]) {}
    bool write(const Message& message) {
      write_all(descriptor_, std::as_bytes(std::span(&message, 1)), sizeof message);
      return true;
    }
    bool write_block(std::span<const std::byte> from) {
      write_all(descriptor_, from, piece);
      return true;
    }

   private:
    int descriptor_;
  };

  class Reader {
   public:
    Reader(DescriptorChannel& channel, unsigned) : descriptor_(channel.pair_.ends[0]) {}
    bool read(Message& message) {
      read_all(descriptor_, std::as_writable_bytes(std::span(&message, 1)), sizeof message);
      return true;
    }
    bool read_block(std::span<std::byte> to) {
      read_all(descriptor_, to, piece);
      return true;
    }

   private:
    int descriptor_;
  };

 private:
  // The size per call that was fastest for large messages. A packet must also fit the socket's buffer.
  static constexpr std::size_t piece = Which == Descriptors::packets ? std::size_t{64} << 10 : std::size_t{1} << 20;

  DescriptorPair pair_;
};

}  // namespace strait::bench
