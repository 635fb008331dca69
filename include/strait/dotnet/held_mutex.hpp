#pragma once
// A named mutex that is held for as long as an object lives. Mutexes belong to threads, and the thread that opens a channel may end
// before it: so a thread of its own holds it.

#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/signals.hpp>
#include <strait/platform/fork_guard.hpp>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace strait::dotnet {

class HeldMutex {
 public:
  // Nothing: somebody living holds it.
  static std::unique_ptr<HeldMutex> try_hold(std::string_view name, const OpenOptions& options) {
    std::unique_ptr<HeldMutex> held(new HeldMutex(name, options));
    if (!held->start()) held.reset();
    return held;
  }

  HeldMutex(const HeldMutex&) = delete;
  HeldMutex& operator=(const HeldMutex&) = delete;

  ~HeldMutex() {
    if (mark_.is_inherited()) {  // a forked child does not have the thread
      static_cast<void>(new std::thread(std::move(holder_)));
      return;
    }
    {
      const std::lock_guard lock(lock_);
      is_over_ = true;
    }
    over_.notify_all();
    if (holder_.joinable()) holder_.join();
  }

 private:
  HeldMutex(std::string_view name, const OpenOptions& options) : mutex_(name, options) {}

  bool start() {
    std::promise<bool> held;
    auto result = held.get_future();
    holder_ = std::thread([this, held = std::move(held)]() mutable { hold(held); });
    return result.get();
  }

  void hold(std::promise<bool>& held) {
    bool is_held = false;
    try {
      is_held = mutex_.lock(no_wait);
      held.set_value(is_held);
    } catch (...) {
      held.set_exception(std::current_exception());
    }
    if (!is_held) return;
    std::unique_lock lock(lock_);
    over_.wait(lock, [this] { return is_over_; });
    lock.unlock();
    mutex_.unlock();
  }

  platform::ForkMark mark_;
  Mutex mutex_;
  std::mutex lock_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread holder_;
};

}  // namespace strait::dotnet
