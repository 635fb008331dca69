// Peer: a POSIX message queue, blocking. The system limits how many messages and bytes a queue may hold; where 1,024 messages
// are refused, the queue is as long as the system allows.

#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>

#include "../support/subject.hpp"
#include "descriptor_io.hpp"
#include "unique_name.hpp"

namespace strait::bench {

class PosixMessageQueue {
 public:
  static constexpr const char* name = "POSIX mq";
  static constexpr Kind kind = Kind::peer;
  static constexpr bool ordered_across_writers = true;

  explicit PosixMessageQueue(const Shape& shape) {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MSGQUEUE, &all);  // a wish; only a privileged process has it granted
    const std::string path = "/" + unique_name();
    for (long messages = static_cast<long>(shape.nodes); messages >= 1 && queue_ < 0; messages = messages > 10 ? 10 : messages - 5) {
      mq_attr attributes{};
      attributes.mq_maxmsg = messages;
      attributes.mq_msgsize = static_cast<long>(shape.node_bytes);
      queue_ = ::mq_open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    }
    if (queue_ < 0) throw Unavailable("the system does not allow a queue of such messages");
    ::mq_unlink(path.c_str());
  }
  PosixMessageQueue(const PosixMessageQueue&) = delete;
  PosixMessageQueue& operator=(const PosixMessageQueue&) = delete;
  ~PosixMessageQueue() { ::mq_close(queue_); }

  class Writer {
   public:
    Writer(PosixMessageQueue& channel, unsigned) : queue_(channel.queue_) {}
    bool write(const Message& message) { return write_block(std::as_bytes(std::span(&message, 1))); }
    bool write_block(std::span<const std::byte> from) {
      if (::mq_send(queue_, reinterpret_cast<const char*>(from.data()), from.size(), 0) != 0) throw_errno("mq_send");
      return true;
    }

   private:
    mqd_t queue_;
  };
  class Reader {
   public:
    Reader(PosixMessageQueue& channel, unsigned) : queue_(channel.queue_) {}
    bool read(Message& message) { return read_block(std::as_writable_bytes(std::span(&message, 1))); }
    bool read_block(std::span<std::byte> to) {
      if (::mq_receive(queue_, reinterpret_cast<char*>(to.data()), to.size(), nullptr) < 0) throw_errno("mq_receive");
      return true;
    }

   private:
    mqd_t queue_;
  };

 private:
  mqd_t queue_ = -1;
};

}  // namespace strait::bench
