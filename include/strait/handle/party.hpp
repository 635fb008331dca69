#pragma once
// What a publisher and a subscriber have in common: the topic, who is inside the handle, its threads, its events, its end.

#include <strait/core/error.hpp>
#include <strait/handle/connection_events.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/own_threads.hpp>
#include <strait/handle/topic.hpp>
#include <strait/platform/shared_memory.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace strait::handle {

class Party {
 public:
  Party(std::string_view topic, const OpenOptions& options)
      : name_(topic), topic_(std::make_unique<Topic>(topic, options)), id_(topic_->session().read_only() ? 0 : topic_->id()) {}

  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  const std::string& name() const noexcept { return name_; }
  std::uint64_t id() const noexcept { return id_; }

  // Is this a forked child's copy of its parent's handle? It is to be left alone.
  bool is_inherited() const noexcept { return mark_.is_inherited(); }

 protected:
  ~Party() = default;

  const Gate& gate() const noexcept { return gate_; }
  Gate& gate() noexcept { return gate_; }
  bool is_closing() const noexcept { return gate_.is_closing(); }
  Gate::Visit enter() { return Gate::Visit(gate_, name_); }

  // Only inside a visit, or by one of the threads.
  Topic& topic() const noexcept { return *topic_; }
  OwnThreads& threads() noexcept { return threads_; }
  ConnectionEvents& events() noexcept { return events_; }

  // How long the thread of cancelled handlers lives on at most.
  static constexpr std::chrono::milliseconds look_up{1000};

  // A handler of those who come or go. `tell()` is the thread that calls it, and is started where none runs.
  template <class Tell>
  void add_event(ConnectionEvents::Of of, std::shared_ptr<ConnectionHandler> handler, std::vector<Participant> now, std::shared_ptr<void> self, Tell tell) {
    if (!events_.add(of, std::move(handler), std::move(now))) return;
    try {
      threads_.start(std::move(self), std::move(tell));
    } catch (...) {
      events_.not_running();
      throw;
    }
  }

  // Turns newcomers away; `wake()` wakes those who sleep inside; when they have left, and the threads have ended, `last()` lets go of what
  // is held. From inside a handler the thread that calls it is not waited for.
  template <class Wake, class Last>
  void close(Wake wake, Last last) {
    const bool from_inside = threads_.is_one_of_them();
    const bool first = from_inside ? gate_.shut() : gate_.close(name_);
    if (!first) {
      // Two handlers may close at a time, and one waits for the other's thread.
      while (!from_inside && !is_closed_.load(std::memory_order_acquire)) std::this_thread::yield();  // SYNC closed: by another thread
      return;
    }
    if (!topic_->session().read_only()) topic_->session().wake_all();
    wake();
    gate_.wait_until_empty();
    threads_.join();
    last();
    topic_.reset();
    is_closed_.store(true, std::memory_order_release);  // SYNC closed: everything is let go
  }

 private:
  Gate gate_;
  std::string name_;
  std::unique_ptr<Topic> topic_;
  std::uint64_t id_;
  platform::ForkMark mark_;
  OwnThreads threads_;
  ConnectionEvents events_;
  std::atomic<bool> is_closed_{false};
};

}  // namespace strait::handle
