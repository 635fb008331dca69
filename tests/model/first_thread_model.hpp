#pragma once
// Threads that share a handle's lock (handle/first_thread_lock.hpp) under the scheduler: its own source, over words whose plain stores
// others see late, as a processor's store buffer shows them. A heavy fence drains everybody's.
//
// Scripts:   l  lock, unlock      t  try to lock; unlock      r  lock, ask whether it is this thread's, try once more, unlock

#include "scheduler.hpp"
#include "word.hpp"

#include <strait/handle/first_thread_lock.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

// Whoever yields before it looks again sleeps until the word changes: every other schedule looks at the same.
template <class T>
class LateWord : public Word<T> {
 public:
  LateWord() {
    this->describe("flag", 0, nullptr, [](int, T, T) {
      for (const void* word : waited_for) scheduler.wake(word);
    });
  }
  void store(T value, std::memory_order order) {
    if (order == std::memory_order_seq_cst) return Word<T>::store(value);
    this->store_late(value);
  }
  static void yield(const LateWord& word) {
    if (std::find(waited_for.begin(), waited_for.end(), &word) == waited_for.end()) waited_for.push_back(&word);
    scheduler.park(&word, word.peek() != 0);
  }
  static inline std::vector<const void*> waited_for;
};

class ModelMutex {
 public:
  bool try_lock() {
    const auto me = static_cast<std::uint32_t>(scheduler.current() + 1);
    if (word_.peek() == me) scheduler.fail("F1: a thread asks for the mutex that it has, which no std::mutex allows");
    std::uint32_t seen = 0;
    return word_.compare_exchange_strong(seen, me);
  }
  void lock() {
    while (!try_lock()) scheduler.park(&word_, word_.peek() != 0);
  }
  void unlock() {
    word_.store(0);
    scheduler.wake(&word_);
  }

 private:
  Word<std::uint32_t> word_;
};

struct ModelParts {
  template <class T>
  using Atomic = LateWord<T>;
  using Mutex = ModelMutex;
  using Thread = std::uint32_t;

  static Thread this_thread() { return static_cast<Thread>(scheduler.current() + 1); }
  static void light_fence() {}
  static void heavy_fence() {
    scheduler.step();
    scheduler.drain_all();
    scheduler.saw(1);  // that it is behind the fence
  }
  template <class AWord>
  static void yield(const AWord& word) {
    AWord::yield(word);
  }
};

struct FirstThreadScenario {
  std::string name;
  std::vector<std::string_view> scripts;
  int preemptions = 3;
  int deaths = 0;  // nobody dies: its threads are one process's
};

class FirstThreadModel final : public Model {
 public:
  explicit FirstThreadModel(const FirstThreadScenario& scenario) : scenario_(scenario) {}

  int actor_count() const override { return static_cast<int>(scenario_.scripts.size()); }
  int party_of(int) const override { return 0; }
  bool may_die(int) const override { return false; }

  void reset() override {
    scheduler.wake_only_one(false);
    LateWord<std::uint32_t>::waited_for.clear();
    lock_.emplace();
    done_.reset(0);
    inside_ = -1;
    entered_ = 0;
  }

  void run(int actor) override {
    std::uint64_t place = 0;
    for (const char letter : scenario_.scripts[static_cast<std::size_t>(actor)]) {
      scheduler.begin(++place);
      if (letter == 't') {
        if (!lock_->try_lock()) {
          if (actor_count() == 1) scheduler.fail("F2: nobody had it");
          continue;
        }
      } else {
        lock_->lock();
      }
      section(actor, letter == 'r');
      lock_->unlock();
    }
  }

  void died(int) override {}
  std::uint64_t digest() const override { return mix(static_cast<std::uint64_t>(inside_ + 1), entered_); }

  void finish() override {
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (scheduler.state(actor) == Scheduler::State::parked) return scheduler.fail("F2: somebody waits for ever");
    }
    if (done_.peek() != entered_) return scheduler.fail("F3: what one did was not seen by the next");
  }

 private:
  void section(int actor, bool asks) {
    if (inside_ >= 0) scheduler.fail("F1: two hold it");
    inside_ = actor;
    ++entered_;
    if (asks) {
      if (!lock_->is_mine()) scheduler.fail("F1: its holder does not know");
      if (lock_->try_lock()) scheduler.fail("F1: its holder took it twice");
    }
    // What it protects: plain loads and stores.
    const auto before = done_.load();
    done_.store_late(before + 1);
    inside_ = -1;
  }

  const FirstThreadScenario& scenario_;
  std::optional<handle::FirstThreadLockOf<ModelParts>> lock_;
  Word<std::uint64_t> done_;
  int inside_ = -1;
  std::uint64_t entered_ = 0;
};

inline std::vector<FirstThreadScenario> first_thread_scenarios() {
  return {
      {"1 thread", {"ltr"}, unbounded},
      {"2 threads", {"ll", "ll"}},
      {"2 threads, one asks", {"rr", "lr"}},
      {"2 threads that try", {"ttt", "tlt"}},
      {"3 threads", {"ll", "l", "l"}},
      {"3 threads that try and ask", {"tr", "tl", "r"}},
      {"4 threads", {"l", "l", "t", "l"}, 2},
  };
}

}  // namespace strait::model
