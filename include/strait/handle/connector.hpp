#pragma once
// How a subscriber comes by the rings of its publishers: the connector, a thread of its own, connects to those that come and lets
// go of those that go, whatever the user's threads do; it never runs user code. What it has opened waits here until a receiver
// lets it in.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/core/error_hook.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/broadcast_source.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/topic.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/wait/blocking.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace strait::handle {

using Sources = std::vector<std::unique_ptr<BroadcastSource>>;

class Connector {
 public:
  Connector(const std::string& name, Topic& topic, const Gate& gate, layout::LineState delivery, const OpenOptions& options)
      : name_(name), topic_(topic), gate_(gate), delivery_(delivery), options_(options) {}

  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  // The thread.
  void run() {
    std::uint64_t seen = topic_.changes();
    connect();
    while (!gate_.is_closing()) {
      const auto changed = [&] { return gate_.is_closing() || topic_.changes() != seen; };
      if (options_.read_only) {
        wait::poll(std::chrono::milliseconds(50), std::chrono::milliseconds(1), changed);
      } else {
        static_cast<void>(topic_.session().wait_on(SignalName::writers, std::chrono::seconds(1), segment::Session::For::anybody, changed));
      }
      if (gate_.is_closing()) return;
      seen = topic_.changes();
      connect();
    }
  }

  // To whom is new; and notes who is gone.
  void connect() {
    const auto there = topic_.publishers();
    const core::Deadline deadline(options_.open_timeout);  // for all together
    for (const Member& member : there) {
      if (!gate_.is_closing() && !is_connected(member.id)) connect_to(member, deadline);
    }
    bool some_gone = false;
    {
      const std::lock_guard lock(mutex_);
      for (auto one = connected_.begin(); one != connected_.end();) {
        if (std::any_of(there.begin(), there.end(), [&](const Member& member) { return member.id == one->first; })) {
          ++one;
          continue;
        }
        // SYNC gone: all that the publisher did comes before.
        one->second.gone->store(true, std::memory_order_release);
        one = connected_.erase(one);
        some_gone = true;
      }
      if (some_gone) changed_.notify_all();
    }
    // What a dead publisher left may count only now.
    if (some_gone && !options_.read_only) topic_.wake_subscribers();
  }

  // ---- for receivers -------------------------------------------------------------------------------------------------------

  // A look; let_in() is what makes sure. relaxed: as that
  STRAIT_HOT bool may_have_arrived() const noexcept { return has_arrived_.load(std::memory_order_relaxed); }

  // Moves those who came to `sources`. One thread at a time.
  void let_in(Sources& sources) {
    // SYNC sleep, arrived: seq_cst, because the last look before sleeping follows the announcement.
    if (has_arrived_.load(std::memory_order_seq_cst)) [[unlikely]] move_to(sources);
  }

  // ---- who is connected ----------------------------------------------------------------------------------------------------

  // The publishers that this one is connected to and that live.
  std::vector<Participant> connections() {
    const auto there = topic_.publishers();
    std::vector<Participant> all;
    const std::lock_guard lock(mutex_);
    for (const Member& member : there) {
      if (const auto found = connected_.find(member.id); found != connected_.end()) all.push_back(found->second.participant);
    }
    return all;
  }

  Status wait_for(std::size_t count, Timeout timeout) {
    const core::Deadline deadline(timeout);
    for (;;) {
      if (gate_.is_closing()) return Status::closed;
      if (connections().size() >= count) return Status::ok;
      const auto now = core::Clock::now();
      if (deadline.passed(now)) return Status::timed_out;
      std::unique_lock lock(mutex_);
      if (connected_.size() < count && !gate_.is_closing()) changed_.wait_for(lock, deadline.left(now, wait::slice));
    }
  }

  // One sleep until something changes, if `is_news(connections)` is not true already.
  template <class IsNews>
  void wait_for_news(std::chrono::milliseconds at_most, IsNews is_news) {
    std::unique_lock lock(mutex_);
    std::vector<Participant> now;
    for (const auto& [id, connected] : connected_) now.push_back(connected.participant);
    if (!is_news(now) && !gate_.is_closing()) changed_.wait_for(lock, at_most);
  }

  // Whoever waits here looks around.
  void wake() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

  // Nobody is inside any more.
  void clear() {
    const std::lock_guard lock(mutex_);
    arrived_.clear();
    connected_.clear();
  }

 private:
  struct Connected {
    Participant participant;
    std::shared_ptr<std::atomic<bool>> gone;
  };

  bool is_connected(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    return connected_.contains(id);
  }

  void connect_to(const Member& member, const core::Deadline& deadline) {
    try {
      OpenOptions options = options_;
      options.open_timeout = deadline.left();
      auto gone = std::make_shared<std::atomic<bool>>(false);
      auto source = std::make_unique<BroadcastSource>(name_, topic_, member, gone, delivery_, options);
      {
        const std::lock_guard lock(mutex_);
        connected_[member.id] = {{member.seat, member.pid, true, false, member.id}, std::move(gone)};
        arrived_.push_back(std::move(source));
        // SYNC arrived, sleep: before the look at the sleepers.
        has_arrived_.store(true, std::memory_order_seq_cst);
        changed_.notify_all();
      }
      if (!options_.read_only) topic_.wake_subscribers();
    } catch (const Error& error) {
      if (error.code() != Errc::not_found) report();  // gone again
    } catch (...) {
      report();
    }
  }

  void report() noexcept { core::ErrorHook::instance().report(std::current_exception(), "connecting to a publisher of \"" + name_ + "\""); }

  STRAIT_COLD void move_to(Sources& sources) {
    const std::lock_guard lock(mutex_);
    for (auto& source : arrived_) sources.push_back(std::move(source));
    arrived_.clear();
    // SYNC arrived: the next to come sets it after its arrival.
    has_arrived_.store(false, std::memory_order_seq_cst);
  }

  const std::string& name_;
  Topic& topic_;
  const Gate& gate_;
  const layout::LineState delivery_;
  const OpenOptions options_;

  std::mutex mutex_;  // the following
  std::condition_variable changed_;
  std::map<std::uint64_t, Connected> connected_;
  Sources arrived_;
  std::atomic<bool> has_arrived_{false};
};

}  // namespace strait::handle
