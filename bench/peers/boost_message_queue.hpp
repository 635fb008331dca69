// Peer: boost::interprocess::message_queue, once with its blocking calls and once polled with the try_ forms.

#pragma once

#include <boost/interprocess/ipc/message_queue.hpp>
#include <string>

#include "../support/subject.hpp"
#include "unique_name.hpp"

namespace strait::bench {

template <bool Polls>
class BoostMessageQueue {
 public:
  static constexpr const char* name = Polls ? "boost message_queue, polling" : "boost message_queue";
  static constexpr Kind kind = Kind::peer;
  static constexpr bool ordered_across_writers = true;

  explicit BoostMessageQueue(const Shape& shape) : name_(unique_name()) {
    using namespace boost::interprocess;
    message_queue made(create_only, name_.c_str(), shape.nodes, shape.node_bytes);
  }
  ~BoostMessageQueue() { boost::interprocess::message_queue::remove(name_.c_str()); }

  class End {
   public:
    End(BoostMessageQueue& channel, unsigned) : queue_(boost::interprocess::open_only, channel.name_.c_str()) {}

   protected:
    bool send(const void* from, std::size_t size) {
      if constexpr (Polls) return queue_.try_send(from, size, 0);
      queue_.send(from, size, 0);
      return true;
    }
    bool receive(void* to, std::size_t size) {
      boost::interprocess::message_queue::size_type received = 0;
      unsigned priority = 0;
      if constexpr (Polls) return queue_.try_receive(to, size, received, priority);
      queue_.receive(to, size, received, priority);
      return true;
    }

   private:
    boost::interprocess::message_queue queue_;
  };

  class Writer : End {
   public:
    using End::End;
    bool write(const Message& message) { return this->send(&message, sizeof message); }
    bool write_block(std::span<const std::byte> from) { return this->send(from.data(), from.size()); }
  };
  class Reader : End {
   public:
    using End::End;
    bool read(Message& message) { return this->receive(&message, sizeof message); }
    bool read_block(std::span<std::byte> to) { return this->receive(to.data(), to.size()); }
  };

 private:
  std::string name_;
};

}  // namespace strait::bench
