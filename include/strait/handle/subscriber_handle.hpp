#pragma once
// A subscriber without its types: its part in the topic, the rings of all publishers, which take turns, and its threads: the
// connector (handle/connector.hpp), and those that call the user's handlers.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/core/error_hook.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/broadcast_source.hpp>
#include <strait/handle/connector.hpp>
#include <strait/handle/first_thread_lock.hpp>
#include <strait/handle/message_handlers.hpp>
#include <strait/handle/pace.hpp>
#include <strait/handle/party.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/wait/blocking.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::handle {

class SubscriberHandle final : public Party, public std::enable_shared_from_this<SubscriberHandle> {
 public:
  // One message, as `use` gets it.
  struct Message {
    std::span<const std::byte> bytes;
    std::uint64_t publisher;
    std::uint64_t missed;  // of this publisher, between its last message and this one
    BroadcastSource& source;
  };

  SubscriberHandle(std::string_view name, layout::LineState delivery, const OpenOptions& options)
      : Party(name, options),
        session_(topic().shared_session()),
        is_read_only_(options.read_only),
        connector_(this->name(), topic(), gate(), options.read_only ? layout::LineState::lossy : delivery, options) {
    if (!options.read_only) topic().enter(delivery == layout::LineState::lossless ? Role::lossless : Role::lossy);
    connector_.connect();
  }

  // What a constructor cannot do: the threads keep the handle alive.
  void start() {
    threads().start(shared_from_this(), [this] { connector_.run(); });
  }

  ~SubscriberHandle() { close(); }

  void close() {
    Party::close([this] { connector_.wake(); },
                 [this] {
                   sources_.clear();
                   session_.reset();
                   connector_.clear();
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
    return connector_.connections().size();
  }

  Status wait_for_publishers(std::size_t count, Timeout timeout) {
    const Gate::Visit visit(gate());
    return connector_.wait_for(count, timeout);
  }

  void add(std::shared_ptr<MessageHandlers::One> handler) {
    const auto visit = enter();
    handlers_.add(std::move(handler), [this] { threads().start(shared_from_this(), [this] { delivering(); }); });
  }

  void add(ConnectionEvents::Of of, std::shared_ptr<ConnectionHandler> handler) {
    const auto visit = enter();
    add_event(of, std::move(handler), connector_.connections(), shared_from_this(), [this] { telling(); });
    connector_.wake();
  }

 private:
  // ---- receiving -----------------------------------------------------------------------------------------------------------

  // The common case, and small enough to be inlined into every receive: the next message lies in one node of the source whose
  // turn it is.
  template <class Use>
  STRAIT_HOT bool take_in_place(Use& use) {
    const Taking taking(*this);
    if (!taking) [[unlikely]] return false;
    if (connector_.may_have_arrived()) [[unlikely]] return false;  // try_take() lets in
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
    if (is_read_only_) {
      wait::poll(timeout, std::chrono::milliseconds(1), attempt);
    } else {
      static_cast<void>(topic().session().wait(SignalName::readers, timeout, segment::Session::For::anybody, attempt));
    }
    return status;
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
    if (!is_read_only_) topic().wake_subscribers();
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
    connector_.let_in(sources_);
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
      // relaxed: a count
      if (source.missed() != missed_before) [[unlikely]] missed_.fetch_add(source.missed() - missed_before, std::memory_order_relaxed);
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
  STRAIT_COLD void let_go(std::size_t at) {
    BroadcastSource& source = *sources_[at];
    if (source.missed() != 0) missed_of_gone_[source.publisher().id] += source.missed();
    sources_.erase(sources_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // ---- the threads that call handlers --------------------------------------------------------------------------------------

  void telling() {
    while (!is_closing() && events().tell(connector_.connections(), [this] { return is_closing(); })) {
      connector_.wait_for_news(look_up, [this](const std::vector<Participant>& now) { return events().is_news(now); });
    }
  }

  void delivering() {
    std::vector<std::byte> message;
    const auto copy = [&](const Message& one) {
      if (!one.source.take_parts(message)) message.assign(one.bytes.begin(), one.bytes.end());
    };
    while (!is_closing() && handlers_.has_some()) {
      Status status = Status::timed_out;
      try {
        status = wait_for_message(look_up, copy, [this] { return !handlers_.has_some(); });
      } catch (...) {
        core::ErrorHook::instance().report(std::current_exception(), "on_message of \"" + name() + "\"");
      }
      if (status != Status::ok) continue;
      for (const auto& handler : handlers_.all()) {
        if (is_closing()) return;
        handler->call(message);
      }
    }
  }

  std::shared_ptr<segment::Session> session_;  // the topic's
  const bool is_read_only_;

  FirstThreadLock taking_;  // the following belongs to whoever holds it
  Sources sources_;
  std::size_t turn_ = 0;
  std::vector<std::byte> scratch_;
  std::span<const std::byte> found_;
  std::map<std::uint64_t, std::uint64_t> missed_of_gone_;
  Pace pace_;
  std::atomic<bool> refused_{false};
  std::atomic<std::uint64_t> missed_{0};

  Connector connector_;
  MessageHandlers handlers_;
};

}  // namespace strait::handle
