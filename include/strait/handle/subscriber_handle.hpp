#pragma once
// A subscriber without its types: its part in the topic, the rings of all publishers, and its threads. One of them, the connector, connects
// to publishers that come and lets go of those that go, whatever the user's threads do; it never runs user code.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/core/error_hook.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/broadcast_source.hpp>
#include <strait/handle/first_thread_lock.hpp>
#include <strait/handle/handler.hpp>
#include <strait/handle/pace.hpp>
#include <strait/handle/party.hpp>
#include <strait/layout/broadcast.hpp>

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
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace strait::handle {

class SubscriberHandle final : public Party, public std::enable_shared_from_this<SubscriberHandle> {
 public:
  using MessageHandler = HandlerOf<std::span<const std::byte>>;

  // One message, as `use` gets it.
  struct Message {
    std::span<const std::byte> bytes;
    std::uint64_t publisher;
    std::uint64_t missed;  // of this publisher, between its last message and this one
    BroadcastSource& source;
  };

  SubscriberHandle(std::string_view name, layout::LineState delivery, const OpenOptions& options)
      : Party(name, options), session_(topic().shared_session()), options_(options), delivery_(options.read_only ? layout::LineState::lossy : delivery) {
    if (!options.read_only) topic().enter(delivery == layout::LineState::lossless ? Role::lossless : Role::lossy);
    connect();
  }

  // What a constructor cannot do: the threads keep the handle alive.
  void start() {
    threads().start(shared_from_this(), [this] { connecting(); });
  }

  ~SubscriberHandle() { close(); }

  void close() {
    Party::close(
        [this] {
          const std::lock_guard lock(state_);
          changed_.notify_all();
        },
        [this] {
          sources_.clear();
          session_.reset();
          const std::lock_guard lock(state_);
          arrived_.clear();
          connected_.clear();
        });
  }

  // Calls use(message) with the next one. It stays the next one if that throws.
  template <class Use>
  STRAIT_HOT Status take(Timeout timeout, Use use) {
    const Gate::Visit visit(gate());
    if (is_closing()) [[unlikely]] return Status::closed;
    if (take_in_place(use)) [[likely]] return Status::ok;
    return wait_for_message(timeout, use, [] { return false; });
  }

  // Is there a message, for whoever takes it first? Inside a visit.
  bool has_message() {
    const Taking taking(*this);
    return taking && look_for_message() != nullptr;
  }

  // For wait_any() and readable_fd().
  Gate& own_gate() noexcept { return gate(); }
  const std::shared_ptr<segment::Session>& shared_session() const noexcept { return session_; }

  // All that were missed, and those of one publisher.
  std::uint64_t missed() const noexcept { return missed_.load(std::memory_order_relaxed); }  // relaxed: a count
  std::uint64_t missed_of(std::uint64_t publisher) {
    const auto visit = enter();
    std::unique_lock lock(taking_, std::defer_lock);
    if (!taking_.is_mine()) lock.lock();  // it is from inside receive_with
    std::uint64_t sum = 0;
    if (const auto found = missed_of_gone_.find(publisher); found != missed_of_gone_.end()) sum = found->second;
    for (const auto& source : sources_) {
      if (source->publisher().id == publisher) sum += source->missed();
    }
    return sum;
  }

  std::size_t active_connections() {
    const auto visit = enter();
    return connections().size();
  }

  Status wait_for_publishers(std::size_t count, Timeout timeout) {
    const Gate::Visit visit(gate());
    const core::Deadline deadline(timeout);
    for (;;) {
      if (is_closing()) return Status::closed;
      if (connections().size() >= count) return Status::ok;
      const auto now = core::Clock::now();
      if (deadline.passed(now)) return Status::timed_out;
      std::unique_lock lock(state_);
      if (connected_.size() < count && !is_closing()) changed_.wait_for(lock, deadline.left(now, wait::slice));
    }
  }

  void add(std::shared_ptr<MessageHandler> handler) {
    const auto visit = enter();
    const std::lock_guard lock(handlers_mutex_);
    handlers_.push_back(std::move(handler));
    if (is_delivering_) return;
    threads().start(shared_from_this(), [this] { delivering(); });
    is_delivering_ = true;
  }

  void add(ConnectionEvents::Of of, std::shared_ptr<ConnectionHandler> handler) {
    const auto visit = enter();
    if (events().add(of, std::move(handler), connections())) {
      try {
        threads().start(shared_from_this(), [this] { telling(); });
      } catch (...) {
        events().not_running();
        throw;
      }
    }
    const std::lock_guard lock(state_);
    changed_.notify_all();
  }

 private:
  using Sources = std::vector<std::unique_ptr<BroadcastSource>>;

  // ---- receiving -----------------------------------------------------------------------------------------------------------

  // The common case, and small enough to be inlined into every receive: the next message lies in one node of the source whose turn it is.
  template <class Use>
  STRAIT_HOT bool take_in_place(Use& use) {
    const Taking taking(*this);
    if (!taking) [[unlikely]] return false;
    // relaxed: a look; try_take() lets in
    if (has_arrived_.load(std::memory_order_relaxed)) [[unlikely]] return false;
    if (turn_ >= sources_.size()) {
      turn_ = 0;
      if (sources_.empty()) [[unlikely]] return false;
    }
    BroadcastSource& source = *sources_[turn_];
    std::span<const std::byte> bytes;
    if (!source.look_in_place(bytes)) return false;
    use(Message{bytes, source.publisher().id, 0, source});
    source.used_in_place();
    pace_.moved();
    ++turn_;
    return true;
  }

  template <class Use, class Stop>
  STRAIT_COLD Status wait_for_message(Timeout timeout, Use& use, Stop stop) {
    Status status = Status::timed_out;
    const auto attempt = [&] {
      if (is_closing() || stop()) [[unlikely]] {
        status = Status::closed;
        return true;
      }
      if (!try_take(use)) return false;
      status = Status::ok;
      return true;
    };
    if (attempt()) return status;
    pace_.let_other_ahead();
    if (options_.read_only) {
      poll(timeout, attempt);
    } else {
      static_cast<void>(topic().session().wait(SignalName::readers, timeout, segment::Session::For::anybody, attempt));
    }
    return status;
  }

  // Mapped read-only: nobody could be told that we sleep.
  template <class Attempt>
  static void poll(Timeout timeout, Attempt attempt) {
    const core::Deadline deadline(timeout);
    while (!attempt() && !deadline.passed(core::Clock::now())) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  // Holds the lock, and tells those who were refused it. Refuses whoever comes back from user code that runs under it.
  class Taking {
   public:
    STRAIT_HOT explicit Taking(SubscriberHandle& handle) : handle_(handle), held_(handle.taking_.try_lock()) {
      if (!held_) [[unlikely]] held_ = handle.try_again();
    }
    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;
    STRAIT_HOT ~Taking() {
      if (!held_) [[unlikely]] return;
      handle_.taking_.unlock();
      // SYNC taking: after the lock is free.
      if (handle_.refused_.load(std::memory_order_seq_cst)) [[unlikely]] handle_.tell_the_refused();
    }
    explicit operator bool() const noexcept { return held_; }

   private:
    SubscriberHandle& handle_;
    bool held_;
  };

  STRAIT_COLD bool try_again() {
    if (taking_.is_mine()) throw Error(Errc::would_deadlock, name(), "receive was called from inside receive_with of the same subscriber");
    // SYNC taking: before the second look of who is about to sleep.
    refused_.store(true, std::memory_order_seq_cst);
    return taking_.try_lock();
  }

  STRAIT_COLD void tell_the_refused() noexcept {
    // SYNC taking: who is refused from here on sets it again.
    refused_.store(false, std::memory_order_seq_cst);
    if (!options_.read_only) topic().wake_subscribers();
  }

  template <class Use>
  bool try_take(Use& use) {
    const Taking taking(*this);
    if (!taking) return false;
    BroadcastSource* const source = look_for_message();
    if (source == nullptr) return false;
    use(Message{found_, source->publisher().id, source->missed_before(), *source});
    source->used();
    pace_.moved();
    ++turn_;
    return true;
  }

  // Under the lock: whose turn it is of those that have one; it is in `found_`, and stays the next until it is used.
  BroadcastSource* look_for_message() {
    // SYNC sleep, arrived: seq_cst, because the last look before sleeping follows the announcement.
    if (has_arrived_.load(std::memory_order_seq_cst)) [[unlikely]] let_in();
    for (std::size_t looks = sources_.size(); looks != 0; --looks) {
      if (turn_ >= sources_.size()) turn_ = 0;
      BroadcastSource& source = *sources_[turn_];
      const auto got = look_at(source);
      if (got == BroadcastSource::Got::message) return &source;
      if (got == BroadcastSource::Got::end) [[unlikely]] {
        let_go(turn_);
      } else {
        ++turn_;
      }
    }
    return nullptr;
  }

  // Under the lock. One that throws has had its turn: a publisher whose messages are all broken hides no other's.
  BroadcastSource::Got look_at(BroadcastSource& source) {
    const std::uint64_t missed_before = source.missed();
    const auto count_missed = [&] {
      if (source.missed() != missed_before) [[unlikely]] missed_.fetch_add(source.missed() - missed_before, std::memory_order_relaxed);  // relaxed: a count
    };
    try {
      const auto got = source.look(found_, scratch_);
      count_missed();
      return got;
    } catch (...) {
      count_missed();
      ++turn_;
      throw;
    }
  }

  // Under the lock.
  STRAIT_COLD void let_in() {
    const std::lock_guard lock(state_);
    for (auto& source : arrived_) sources_.push_back(std::move(source));
    arrived_.clear();
    // SYNC arrived: the next to come sets it after its arrival.
    has_arrived_.store(false, std::memory_order_seq_cst);
  }

  STRAIT_COLD void let_go(std::size_t at) {
    BroadcastSource& source = *sources_[at];
    if (source.missed() != 0) missed_of_gone_[source.publisher().id] += source.missed();
    sources_.erase(sources_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // ---- the connector -------------------------------------------------------------------------------------------------------

  struct Connected {
    Participant participant;
    std::shared_ptr<std::atomic<bool>> gone;
  };

  void connecting() {
    std::uint64_t seen = topic().changes();
    connect();
    while (!is_closing()) {
      const auto changed = [&] { return is_closing() || topic().changes() != seen; };
      if (options_.read_only) {
        poll(std::chrono::milliseconds(50), changed);
      } else {
        static_cast<void>(topic().session().wait_on(SignalName::writers, std::chrono::seconds(1), segment::Session::For::anybody, changed));
      }
      if (is_closing()) return;
      seen = topic().changes();
      connect();
    }
  }

  // To whom is new; and notes who is gone.
  void connect() {
    const auto there = topic().publishers();
    const core::Deadline deadline(options_.open_timeout);  // for all together
    for (const Member& member : there) {
      if (!is_closing() && !is_connected(member.id)) connect_to(member, deadline);
    }
    bool some_gone = false;
    {
      const std::lock_guard lock(state_);
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
    if (some_gone && !options_.read_only) topic().wake_subscribers();
  }

  bool is_connected(std::uint64_t id) {
    const std::lock_guard lock(state_);
    return connected_.contains(id);
  }

  void connect_to(const Member& member, const core::Deadline& deadline) {
    try {
      OpenOptions options = options_;
      options.open_timeout = deadline.left();
      auto gone = std::make_shared<std::atomic<bool>>(false);
      auto source = std::make_unique<BroadcastSource>(name(), topic(), member, gone, delivery_, options);
      {
        const std::lock_guard lock(state_);
        connected_[member.id] = {{member.seat, member.pid, true, false, member.id}, std::move(gone)};
        arrived_.push_back(std::move(source));
        // SYNC arrived, sleep: before the look at the sleepers.
        has_arrived_.store(true, std::memory_order_seq_cst);
        changed_.notify_all();
      }
      if (!options_.read_only) topic().wake_subscribers();
    } catch (const Error& error) {
      if (error.code() != Errc::not_found) report();  // gone again
    } catch (...) {
      report();
    }
  }

  void report() noexcept { core::ErrorHook::instance().report(std::current_exception(), "connecting to a publisher of \"" + name() + "\""); }

  // The publishers that this one is connected to and that live.
  std::vector<Participant> connections() {
    const auto there = topic().publishers();
    std::vector<Participant> all;
    const std::lock_guard lock(state_);
    for (const Member& member : there) {
      if (const auto found = connected_.find(member.id); found != connected_.end()) all.push_back(found->second.participant);
    }
    return all;
  }

  // ---- the other threads ---------------------------------------------------------------------------------------------------

  void telling() {
    while (!is_closing() && events().tell(connections(), [this] { return is_closing(); })) {
      std::unique_lock lock(state_);
      std::vector<Participant> now;
      for (const auto& [id, connected] : connected_) now.push_back(connected.participant);
      if (!events().is_news(now) && !is_closing()) changed_.wait_for(lock, look_up);
    }
  }

  void delivering() {
    std::vector<std::byte> message;
    const auto copy = [&](const Message& one) {
      if (!one.source.take_parts(message)) message.assign(one.bytes.begin(), one.bytes.end());
    };
    while (!is_closing() && has_handlers()) {
      Status status = Status::timed_out;
      try {
        status = wait_for_message(look_up, copy, [this] { return !has_handlers(); });
      } catch (...) {
        core::ErrorHook::instance().report(std::current_exception(), "on_message of \"" + name() + "\"");
      }
      if (status != Status::ok) continue;
      for (const auto& handler : handlers()) {
        if (is_closing()) return;
        handler->call(message);
      }
    }
  }

  // False: none is left, and their thread ends.
  bool has_handlers() {
    const std::lock_guard lock(handlers_mutex_);
    std::erase_if(handlers_, [](const auto& handler) { return handler->is_cancelled(); });
    if (handlers_.empty()) is_delivering_ = false;
    return is_delivering_;
  }

  std::vector<std::shared_ptr<MessageHandler>> handlers() {
    const std::lock_guard lock(handlers_mutex_);
    return handlers_;
  }

  // How long the thread of cancelled handlers lives on at most.
  static constexpr std::chrono::milliseconds look_up{1000};

  std::shared_ptr<segment::Session> session_;  // the topic's
  OpenOptions options_;
  layout::LineState delivery_;

  FirstThreadLock taking_;  // the following belongs to whoever holds it
  Sources sources_;
  std::size_t turn_ = 0;
  std::vector<std::byte> scratch_;
  std::span<const std::byte> found_;
  std::map<std::uint64_t, std::uint64_t> missed_of_gone_;
  Pace pace_;
  std::atomic<bool> refused_{false};
  std::atomic<std::uint64_t> missed_{0};

  std::mutex state_;  // the following
  std::condition_variable changed_;
  std::map<std::uint64_t, Connected> connected_;
  Sources arrived_;
  std::atomic<bool> has_arrived_{false};

  std::mutex handlers_mutex_;
  std::vector<std::shared_ptr<MessageHandler>> handlers_;
  bool is_delivering_ = false;
};

}  // namespace strait::handle
