#pragma once
// Threads for tests. Catch2's assertions belong to the main thread, so workers say what went wrong by throwing or through
// `fail`, and the main thread asserts that nothing did: CHECK(workers.join() == "").

#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace strait::test {

class Workers {
 public:
  Workers() = default;
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { join(); }

  template <class F>
  void run(F body) {
    threads_.emplace_back([this, body = std::move(body)]() mutable {
      try {
        body();
      } catch (const std::exception& error) {
        fail(error.what());
      }
    });
  }

  /// From any worker.
  void fail(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (failures_.size() < 2000) failures_ += what + "\n";
  }

  /// Waits for all of them; what went wrong, empty if nothing did.
  std::string join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  std::mutex mutex_;
  std::string failures_;
  std::vector<std::thread> threads_;
};

}  // namespace strait::test
