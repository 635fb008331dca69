// A publisher and a lossless subscriber as a subject, polled.

#pragma once

#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>

#include "../peers/unique_name.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

class StraitTopic {
 public:
  static constexpr const char* name = "strait topic, polling";
  static constexpr Kind kind = Kind::strait;

  explicit StraitTopic(const Shape& shape) : topic_(unique_name()) {
    if (shape.writers != 1) throw Unavailable("one publisher only");
    options_.node_count = shape.nodes;
    options_.node_buffer_size = shape.node_bytes;
  }

  class Writer {
   public:
    Writer(StraitTopic& topic, unsigned) : publisher_(topic.topic_, topic.options_) {
      if (publisher_.wait_for_subscribers(1, std::chrono::seconds(30)) != Status::ok) throw std::runtime_error("no subscriber came");
    }
    bool write(const Message& message) { return publisher_.publish(message, no_wait) == Status::ok; }
    template <class F>
    bool fill(F&& f) {
      auto loan = publisher_.loan(no_wait);
      if (!loan) return false;
      f(loan.bytes());
      loan.publish(loan.bytes().size());
      return true;
    }

   private:
    Publisher publisher_;
  };

  class Reader {
   public:
    Reader(StraitTopic& topic, unsigned) : subscriber_(topic.topic_) {}
    bool read(Message& message) {
      return subscriber_.receive_with([&](std::span<const std::byte> bytes) { std::memcpy(&message, bytes.data(), sizeof message); }, no_wait) == Status::ok;
    }
    template <class F>
    bool consume(F&& f) {
      return subscriber_.receive_with(f, no_wait) == Status::ok;
    }

   private:
    Subscriber subscriber_;
  };

 private:
  std::string topic_;
  TopicOptions options_;
};

}  // namespace strait::bench
