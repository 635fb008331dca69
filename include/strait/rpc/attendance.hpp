#pragma once
// Who receives. The incoming ring of an endpoint has many threads that could read it and must never be without one that will:
//
//     attending    looks at the ring in turns with other things, or sleeps on its signal. Every caller does, and one worker where no
//                  caller is
//     following    a caller that sleeps on a word of its own, because another caller sleeps on the ring's signal
//     relief       an idle worker that will look: `ticking`, once a millisecond, or `called`, woken and on its way
//
// The rule: whoever leaves the ring unattended wakes a follower, or sees that relief is there, or calls it. Each of these then
// looks for attenders itself before it sleeps or ends, so that of two that pass each other one sees the other. All the words
// are seq_cst for that reason: each side stores to one and then loads another.
//
// A relief that was called and has not come yet is not called again, however long it takes to get a processor: else every
// request served meanwhile would wake or make one more thread.
//
// The words are a template parameter, so that a model can explore every interleaving (tests/model/attendance_model.hpp).

#include <strait/rpc/sleep_word.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace strait::rpc {

// A sleep as the hands get it: at most so long, and not at all once `finished` is true.
template <class Finished>
struct SleepUntil {
  Finished& finished;
  std::chrono::nanoseconds length;
  bool operator()() { return finished(); }
};
template <class Finished>
SleepUntil(Finished&, std::chrono::nanoseconds) -> SleepUntil<Finished>;

enum class Relief : std::uint32_t { none, ticking, called };

template <class Word>
class Attendance {
 public:
  // ---- on the ring ----------------------------------------------------------------------------------------------------

  void begin() noexcept { attenders_.fetch_add(1, std::memory_order_seq_cst); }  // SYNC attend

  // A worker, and only where nobody does.
  bool begin_alone() noexcept {
    std::uint32_t none = 0;
    // SYNC attend: as above; a worker looks for work afterwards.
    return attenders_.compare_exchange_strong(none, worker | 1, std::memory_order_seq_cst, std::memory_order_relaxed);
  }
  void end_alone() noexcept { attenders_.fetch_sub(worker | 1, std::memory_order_seq_cst); }  // SYNC attend

  // True: nobody is left.
  bool end() noexcept { return attenders_.fetch_sub(1, std::memory_order_seq_cst) == 1; }  // SYNC attend

  std::uint32_t count() const noexcept { return attenders_.load(std::memory_order_seq_cst) & ~worker; }  // SYNC attend

  // Is there a worker among them, which looks for work?
  bool has_worker() const noexcept { return (attenders_.load(std::memory_order_seq_cst) & worker) != 0; }  // SYNC attend

  // `hands.wake_follower()`: false where none is asleep. `at_once`: no time for two ticks.
  template <class Hands>
  void leave(Hands& hands, bool at_once) {
    if (!end()) return;
    // SYNC attend: after the departure; a follower looks at the attenders after it has counted itself.
    if (followers_.load(std::memory_order_seq_cst) != 0 && hands.wake_follower()) return;
    call_relief(hands, at_once);
  }

  // A caller's sleep, until it is woken, its time is over, or `finished()` is true, which it asks for itself. False: it slept its
  // time out. `hands.sleep_on_ring(finished)` and `hands.sleep_on(call, finished)` are the two ways.
  template <class Hands, class Caller, class Finished>
  bool sleep(Hands& hands, Caller& call, Finished finished) {
    bool woken = true;
    // SYNC attend: one at a time
    if (ring_sleeper_.exchange(1, std::memory_order_seq_cst) == 0) {
      if (call.word.settle(At::on_ring)) {
        woken = hands.sleep_on_ring(finished);
        call.word.unsettle(At::on_ring);
      }
      ring_sleeper_.store(0, std::memory_order_seq_cst);  // SYNC attend
      return woken;
    }
    followers_.fetch_add(1, std::memory_order_seq_cst);  // SYNC attend: before the look at the attenders
    end();
    if (call.word.settle(At::asleep)) {
      // The last one to leave looks at the followers afterwards, and wakes one that has settled.
      if (count() != 0 && !finished()) woken = hands.sleep_on(call, finished);
      call.word.unsettle(At::asleep);
    }
    begin();
    followers_.fetch_sub(1, std::memory_order_seq_cst);  // SYNC attend
    return woken;
  }

  // ---- relief ----------------------------------------------------------------------------------------------------------

  // For the ring, or for work: whoever comes looks for both. `hands.wake_idle()`: false where nobody is idle and no thread is to be had;
  // others may have relied on our call meanwhile, so whoever became idle since is looked for once more (`hands.has_idle()`).
  template <class Hands>
  void call_relief(Hands& hands, bool at_once) {
    do {
      // SYNC attend: after the departure, or after the work was queued
      std::uint32_t seen = relief_.load(std::memory_order_seq_cst);
      do {
        if (seen == word_of(Relief::called) || (seen == word_of(Relief::ticking) && !at_once)) return;
        // SYNC attend: as above
      } while (!relief_.compare_exchange_strong(seen, word_of(Relief::called), std::memory_order_seq_cst, std::memory_order_seq_cst));
      if (hands.wake_idle()) return;
      arrived();
    } while (hands.has_idle());
  }

  // A thread was made without being called: it is on its way all the same.
  void expect_relief() noexcept { relief_.store(word_of(Relief::called), std::memory_order_seq_cst); }  // SYNC attend

  // The one that was called, before it looks for anything.
  void arrived() noexcept { relief_.store(word_of(Relief::none), std::memory_order_seq_cst); }  // SYNC attend

  // One that is idle, before it looks again. False: somebody else ticks or is on its way.
  bool begin_ticking() noexcept {
    auto none = word_of(Relief::none);
    // SYNC attend: as above
    return relief_.compare_exchange_strong(none, word_of(Relief::ticking), std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  // Look at the attenders afterwards.
  void end_ticking() noexcept {
    auto ticking = word_of(Relief::ticking);
    // SYNC attend: as above
    relief_.compare_exchange_strong(ticking, word_of(Relief::none), std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  template <class F>
  void each_word(F f) {
    f(attenders_);
    f(followers_);
    f(ring_sleeper_);
    f(relief_);
  }

 private:
  static constexpr std::uint32_t worker = 1u << 31;
  static constexpr std::uint32_t word_of(Relief relief) noexcept { return static_cast<std::uint32_t>(relief); }

  Word attenders_{};  // | a worker is among them : 1 | how many : 31 |
  Word followers_{};
  Word ring_sleeper_{};
  Word relief_{};
};

}  // namespace strait::rpc
