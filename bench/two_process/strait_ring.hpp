// Strait's own ring as a subject: how the sides are shared, how a call waits, and whether a 64-byte message is copied or made
// in place.

#pragma once

#include <strait/circular_buffer.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "../peers/unique_name.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

enum class Waiting {
  polls,   // no_wait, and the workload tries again
  waits,   // as Strait waits by default
  parks,   // sleeps at once
  spins    // never sleeps
};
enum class Access { copies, in_place };

template <Sharing Side, Waiting How, Access Form>
struct StraitName;
// One name per combination that is measured.
#define STRAIT_BENCH_NAME(side, how, form, text) \
  template <>                                    \
  struct StraitName<Sharing::side, Waiting::how, Access::form> { static constexpr const char* value = text; }
STRAIT_BENCH_NAME(many, polls, copies, "strait many/many, polling");
STRAIT_BENCH_NAME(many, waits, copies, "strait many/many");
STRAIT_BENCH_NAME(many, parks, copies, "strait many/many, parking at once");
STRAIT_BENCH_NAME(many, spins, copies, "strait many/many, spinning");
STRAIT_BENCH_NAME(many, polls, in_place, "strait many/many, polling, in place");
STRAIT_BENCH_NAME(one, polls, copies, "strait one/one, polling");
STRAIT_BENCH_NAME(one, waits, copies, "strait one/one");
STRAIT_BENCH_NAME(one, parks, copies, "strait one/one, parking at once");
STRAIT_BENCH_NAME(one, polls, in_place, "strait one/one, polling, in place");
#undef STRAIT_BENCH_NAME

template <Sharing Side, Waiting How, Access Form = Access::copies>
class StraitRing {
 public:
  static constexpr const char* name = StraitName<Side, How, Form>::value;
  static constexpr Kind kind = Kind::strait;
  static constexpr bool ordered_across_writers = true;

  explicit StraitRing(const Shape& shape) : name_(unique_name()), keeper_(name_, shape.nodes, shape.node_bytes, options()) {
    for (unsigned i = 0; i < shape.idle_handles; ++i) idle_.emplace_back(name_);
  }

  class End {
   public:
    End(StraitRing& channel, unsigned) : ring_(channel.name_, options()) {}

   protected:
    static constexpr Timeout timeout() noexcept {
      if constexpr (How == Waiting::polls)
        return no_wait;
      else
        return std::chrono::seconds(1);
    }
    CircularBuffer ring_;
  };

  class Writer : End {
   public:
    using End::End;
    bool write(const Message& message) {
      if constexpr (Form == Access::copies) {
        return this->ring_.write(message, this->timeout()) == Status::ok;
      } else {
        auto claim = this->ring_.claim(this->timeout());
        if (!claim) return false;
        std::memcpy(claim.bytes().data(), &message, sizeof message);
        claim.publish(sizeof message);
        return true;
      }
    }
    bool write_block(std::span<const std::byte> from) { return this->ring_.write(from, this->timeout()) == Status::ok; }
    template <class F>
    bool fill(F&& f) {
      auto claim = this->ring_.claim(this->timeout());
      if (!claim) return false;
      f(claim.bytes());
      claim.publish(claim.bytes().size());
      return true;
    }
  };

  class Reader : End {
   public:
    using End::End;
    bool read(Message& message) {
      if constexpr (Form == Access::copies) {
        return this->ring_.read(message, this->timeout()) == Status::ok;
      } else {
        auto taken = this->ring_.take(this->timeout());
        if (!taken) return false;
        std::memcpy(&message, taken.bytes().data(), sizeof message);
        return true;
      }
    }
    bool read_block(std::span<std::byte> to) { return static_cast<bool>(this->ring_.read(to, this->timeout())); }
    template <class F>
    bool consume(F&& f) {
      auto taken = this->ring_.take(this->timeout());
      if (!taken) return false;
      f(taken.bytes());
      return true;
    }
  };

 private:
  static RingOptions options() {
    RingOptions options;
    options.writers = options.readers = Side;
    if constexpr (How == Waiting::parks) options.wait.spin = std::chrono::nanoseconds(0);
    if constexpr (How == Waiting::spins) options.wait.park = false;
    return options;
  }

  std::string name_;
  CircularBuffer keeper_;  // the parent's: keeps the name alive, and never reads or writes
  std::vector<CircularBuffer> idle_;
};

}  // namespace strait::bench
