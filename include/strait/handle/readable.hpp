#pragma once
// The descriptor behind readable_fd(): a thread sleeps in the event loop's stead and raises a flag that the loop can watch.
//
//     thread: nothing to take, or flag up: sleeps -> there is something: flag up -> sleeps -> ...
//     user:   takes until there is nothing more, then rearms: flag down, and the thread looks again
//
// What comes between the user's last look and the rearming is found by the thread's look. The thread raises the flag before it
// notes that, and the user lowers it before it notes that, so that at worst a flag is up with nothing to take, once.

#include <strait/core/timeout.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/workers.hpp>
#include <strait/layout/control.hpp>
#include <strait/platform/fork_guard.hpp>
#include <strait/platform/readable_flag.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace strait::handle {

class Readable {
 public:
  // `look()`: is there something to take, or the end? From any thread. The caller is inside the gate, which outlives this.
  Readable(std::string_view name, Gate& gate, const std::shared_ptr<segment::Session>& session, layout::SignalName signal, std::function<bool()> look)
      : flag_(name), gate_(&gate), session_(session), signal_(signal), look_(std::move(look)) {
    // However early the gate closes, the end of the thread is readable.
    workers_.start(gate, [this, &open = *session, end = AtEnd(&flag_)] { watch(open); });
  }

  Readable(const Readable&) = delete;
  Readable& operator=(const Readable&) = delete;

  // Of a handle that is open, or was closed.
  ~Readable() {
    if (mark_.is_inherited()) {
      workers_.forget();
      return;
    }
    stopped_.store(true, std::memory_order_seq_cst);  // SYNC sleep: before the wake
    if (const auto session = session_.lock()) session->wake(signal_);
    workers_.join();
  }

  int descriptor() const noexcept { return flag_.descriptor(); }

  // There was nothing to take: whatever comes from now on raises the flag again. Inside the gate.
  void rearm() noexcept {
    // relaxed: who misses that it is up rearms at the next look
    if (!up_.load(std::memory_order_relaxed)) return;
    flag_.lower();
    up_.store(false, std::memory_order_seq_cst);  // SYNC sleep: before the wake
    if (const auto session = session_.lock()) session->wake(signal_);
  }

 private:
  struct Raise {
    void operator()(platform::ReadableFlag* flag) const noexcept { flag->raise(); }
  };
  using AtEnd = std::unique_ptr<platform::ReadableFlag, Raise>;

  bool has_ended() const noexcept { return gate_->is_closing() || stopped_.load(std::memory_order_seq_cst); }  // SYNC sleep

  void watch(segment::Session& session) {
    for (;;) {
      session.wait_on(signal_, forever, segment::Session::For::anybody, [this] {
        // SYNC sleep: the last look before sleeping.
        return has_ended() || (!up_.load(std::memory_order_seq_cst) && look_());
      });
      if (has_ended()) return;
      flag_.raise();
      up_.store(true, std::memory_order_seq_cst);  // SYNC sleep: for rearm()
    }
  }

  platform::ReadableFlag flag_;
  Gate* gate_;
  std::weak_ptr<segment::Session> session_;  // which ends when the handle is closed
  layout::SignalName signal_;
  std::function<bool()> look_;
  std::atomic<bool> up_{false};
  std::atomic<bool> stopped_{false};
  platform::ForkMark mark_;
  Workers workers_;
};

// Made by the first who asks for it, and then there until the handle goes. Any thread.
class MaybeReadable {
 public:
  template <class Make>
  int descriptor(Make make) {
    const std::lock_guard lock(mutex_);
    if (!owned_) {
      owned_ = make();
      made_.store(owned_.get(), std::memory_order_release);  // SYNC readable
    }
    return owned_->descriptor();
  }

  void rearm() noexcept {
    // SYNC readable: acquires what made it.
    if (Readable* const readable = made_.load(std::memory_order_acquire)) readable->rearm();
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Readable> owned_;
  std::atomic<Readable*> made_{nullptr};
};

}  // namespace strait::handle
