#pragma once
// The threads of a handle that may be closed and destroyed from inside the handlers that they call. Each keeps the handle alive; who
// joins from one of them leaves that one to end by itself.

#include <algorithm>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace strait::handle {

class OwnThreads {
 public:
  OwnThreads() = default;
  OwnThreads(const OwnThreads&) = delete;
  OwnThreads& operator=(const OwnThreads&) = delete;

  // `work` returns when the handle closes.
  void start(std::shared_ptr<void> handle, std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([handle = std::move(handle), work = std::move(work)]() mutable {
      work();
      work = nullptr;
    });
  }

  bool is_one_of_them() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(threads_.begin(), threads_.end(), [](const std::thread& one) { return one.get_id() == std::this_thread::get_id(); });
  }

  void join() {
    std::list<std::thread> all;
    {
      const std::lock_guard lock(mutex_);
      all = std::move(threads_);
      threads_.clear();
    }
    for (std::thread& one : all) {
      if (one.get_id() == std::this_thread::get_id()) {
        one.detach();
      } else {
        one.join();
      }
    }
  }

 private:
  mutable std::mutex mutex_;
  std::list<std::thread> threads_;
};

}  // namespace strait::handle
