#pragma once
// A handler: user code that one of Strait's threads calls, until it is cancelled. Whoever cancels waits for a running call,
// except from inside it; afterwards the function and what it captured are gone.

#include <strait/core/error_hook.hpp>

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace strait::handle {

class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  void cancel() {
    std::unique_lock lock(mutex_);
    cancelled_ = true;
    if (running_ == std::this_thread::get_id()) return;  // the call that is running drops it
    idle_.wait(lock, [this] { return running_ == std::thread::id(); });
    lock.unlock();
    drop();
  }

  bool is_cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

 protected:
  // By one thread at a time. An exception goes to the hook (core/error_hook.hpp).
  template <class Call>
  void guarded(const std::string& where, Call call) {
    {
      const std::lock_guard lock(mutex_);
      if (cancelled_) return;
      running_ = std::this_thread::get_id();
    }
    try {
      call();
    } catch (...) {
      core::ErrorHook::instance().report(std::current_exception(), where);
    }
    bool is_cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      is_cancelled = cancelled_;
    }
    if (is_cancelled) drop();
    {
      const std::lock_guard lock(mutex_);
      running_ = {};
    }
    idle_.notify_all();
  }

 private:
  virtual void drop() noexcept = 0;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  bool cancelled_ = false;
  std::thread::id running_;
};

template <class... Arguments>
class HandlerOf final : public Handler {
 public:
  HandlerOf(std::function<void(Arguments...)> function, std::string where)
      : function_(std::move(function)), where_(std::move(where)) {}

  void call(Arguments... arguments) {
    guarded(where_, [&] { function_(arguments...); });
  }

 private:
  void drop() noexcept override {
    std::function<void(Arguments...)> dropped;
    const std::lock_guard lock(dropping_);
    dropped.swap(function_);
  }

  std::function<void(Arguments...)> function_;
  std::string where_;
  std::mutex dropping_;  // two may cancel at a time
};

}  // namespace strait::handle
