// Limits for round trips: two words, each written by one side and watched by the other.
//
// `CacheLines`: both sides spin, so a round trip is two cache lines travelling between the processors. `Futexes`: both sides
// sleep on the other's word, so a round trip is two wake-ups. Neither carries a message.

#pragma once

#include <atomic>
#include <cstdint>

#include "../support/shared_region.hpp"
#include "../support/subject.hpp"
#include "futex.hpp"

namespace strait::bench {

template <bool Sleeps>
class PingPong {
 public:
  static constexpr const char* name = Sleeps ? "bare futex ping-pong" : "two-line cache ping-pong";
  static constexpr Kind kind = Kind::limit;

  explicit PingPong(const Shape&) {}

  /// Side 0 asks, side 1 answers.
  class Side {
   public:
    Side(PingPong& both, unsigned index)
        : mine_(index == 0 ? both.words_->ask : both.words_->answer), theirs_(index == 0 ? both.words_->answer : both.words_->ask) {}
    void send() noexcept {
      mine_.store(++sent_, std::memory_order_release);
      if constexpr (Sleeps) futex_wake_one(mine_);
    }
    void receive() noexcept {
      ++received_;
      for (std::uint32_t seen; (seen = theirs_.load(std::memory_order_acquire)) != received_;) {
        if constexpr (Sleeps)
          futex_wait(theirs_, seen);
        else
          relax();
      }
    }

   private:
    std::atomic<std::uint32_t>& mine_;
    std::atomic<std::uint32_t>& theirs_;
    std::uint32_t sent_ = 0, received_ = 0;
  };

 private:
  struct Words {
    alignas(128) std::atomic<std::uint32_t> ask{0};
    alignas(128) std::atomic<std::uint32_t> answer{0};
  };
  Shared<Words> words_;
};

}  // namespace strait::bench
