#pragma once
// The handlers of on_message. One thread calls them all, and ends when the last is cancelled.

#include <strait/handle/handler.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace strait::handle {

class MessageHandlers {
 public:
  using One = HandlerOf<std::span<const std::byte>>;

  // `start()` starts the thread, where none runs.
  template <class Start>
  void add(std::shared_ptr<One> handler, Start start) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(handler));
    if (is_running_) return;
    start();
    is_running_ = true;
  }

  // For the thread. False: none is left, and it ends.
  bool has_some() {
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [](const auto& handler) { return handler->is_cancelled(); });
    if (all_.empty()) is_running_ = false;
    return is_running_;
  }

  std::vector<std::shared_ptr<One>> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<One>> all_;
  bool is_running_ = false;
};

}  // namespace strait::handle
