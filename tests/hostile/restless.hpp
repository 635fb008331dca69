#pragma once
// A word that somebody else changes between any two looks at it, so that no compare-and-swap ever succeeds; and a thread that changes
// words of a real segment without a pause.

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

namespace strait::test {

template <class T>
struct Restless {
  std::function<T()> next;

  T load(std::memory_order) { return next(); }
  void store(T, std::memory_order) {}
  T exchange(T, std::memory_order) { return next(); }
  T fetch_add(T, std::memory_order) { return next(); }
  bool compare_exchange_strong(T& expected, T, std::memory_order, std::memory_order) {
    expected = next();
    return false;
  }
};

/// Calls `scribble()` again and again, until it is destroyed.
class Scribbler {
 public:
  explicit Scribbler(std::function<void()> scribble)
      : thread_([this, scribble = std::move(scribble)] {
          while (!ended_.load(std::memory_order_relaxed)) {
            for (int i = 0; i < 64; ++i) scribble();
          }
        }) {}
  Scribbler(const Scribbler&) = delete;
  Scribbler& operator=(const Scribbler&) = delete;
  ~Scribbler() {
    ended_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace strait::test
