// Peer: ZeroMQ over ipc://, PUSH to PULL, one message per call, blocking. Every writer has a socket per reader and serves them
// in turn, so that each reader gets as many messages. ZeroMQ's own thread runs on the processor its process is pinned to.

#pragma once

#include <unistd.h>
#include <zmq.h>

#include <string>
#include <vector>

#include "../support/subject.hpp"
#include "unique_name.hpp"

namespace strait::bench {

class ZeroMq {
 public:
  static constexpr const char* name = "ZeroMQ ipc";
  static constexpr Kind kind = Kind::peer;
  static constexpr bool ordered_across_writers = false;

  explicit ZeroMq(const Shape& shape) : shape_(shape), path_("/tmp/" + unique_name()) {}
  ~ZeroMq() {
    for (unsigned reader = 0; reader < shape_.readers; ++reader) ::unlink((path_ + "-" + std::to_string(reader)).c_str());
  }

  class Writer {
   public:
    Writer(ZeroMq& channel, unsigned) {
      for (unsigned reader = 0; reader < channel.shape_.readers; ++reader) {
        void* const socket = channel.socket(context_, ZMQ_PUSH, ZMQ_SNDHWM);
        check(::zmq_connect(socket, channel.endpoint(reader).c_str()));
        sockets_.push_back(socket);
      }
    }
    bool write(const Message& message) { return write_block(std::as_bytes(std::span(&message, 1))); }
    bool write_block(std::span<const std::byte> from) {
      void* const socket = sockets_[next_];
      if (++next_ == sockets_.size()) next_ = 0;
      check(::zmq_send(socket, from.data(), from.size(), 0));
      return true;
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() {
      for (void* const socket : sockets_) ::zmq_close(socket);
      ::zmq_ctx_term(context_);
    }

   private:
    void* context_ = ::zmq_ctx_new();
    std::vector<void*> sockets_;
    std::size_t next_ = 0;
  };

  class Reader {
   public:
    Reader(ZeroMq& channel, unsigned index) : socket_(channel.socket(context_, ZMQ_PULL, ZMQ_RCVHWM)) {
      check(::zmq_bind(socket_, channel.endpoint(index).c_str()));
    }
    bool read(Message& message) { return read_block(std::as_writable_bytes(std::span(&message, 1))); }
    bool read_block(std::span<std::byte> to) {
      check(::zmq_recv(socket_, to.data(), to.size(), 0));
      return true;
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() {
      ::zmq_close(socket_);
      ::zmq_ctx_term(context_);
    }

   private:
    void* context_ = ::zmq_ctx_new();
    void* socket_;
  };

 private:
  static void check(int result) {
    if (result < 0) throw std::runtime_error(::zmq_strerror(::zmq_errno()));
  }
  void* socket(void* context, int type, int limit_option) const {
    void* const made = ::zmq_socket(context, type);
    if (made == nullptr) check(-1);
    const int messages = static_cast<int>(shape_.nodes);
    check(::zmq_setsockopt(made, limit_option, &messages, sizeof messages));
    return made;
  }
  std::string endpoint(unsigned reader) const { return "ipc://" + path_ + "-" + std::to_string(reader); }

  Shape shape_;
  std::string path_;
};

}  // namespace strait::bench
