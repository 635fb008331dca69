#pragma once
// Subscriber: gets every message of every publisher of the topic.

#include <strait/error.hpp>
#include <strait/handle/message_handlers.hpp>
#include <strait/handle/readable.hpp>
#include <strait/handle/subscriber_handle.hpp>
#include <strait/handle/wait_source.hpp>
#include <strait/options.hpp>
#include <strait/platform/readable_flag.hpp>
#include <strait/subscription.hpp>
#include <strait/timeout.hpp>
#include <strait/topic_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait {

/// One of any number of subscribers of a topic. It is connected to the publishers that are there when it is constructed, and
/// connects to later ones by itself, on a thread of its own. Messages of one publisher come in order; those of several, as they come. A
/// lossless subscriber gets every message published while it is connected; a lossy one that falls behind skips some and knows how
/// many. With `read_only` the topic must be there, and is read lossy. Any thread may call any function; a message goes to one of the
/// calls and handler threads of a subscriber. A handler may close or destroy the subscriber that calls it. Movable, not copyable; the
/// destructor closes.
class Subscriber {
 public:
  explicit Subscriber(std::string_view topic, Delivery delivery = Delivery::lossless, const TopicOptions& options = {})
      : handle_(std::make_shared<handle::SubscriberHandle>(
            topic, delivery == Delivery::lossless ? layout::LineState::lossless : layout::LineState::lossy, options)) {
    handle_->start();
  }

  Subscriber(Subscriber&&) noexcept = default;
  Subscriber& operator=(Subscriber&& other) noexcept {
    const Subscriber old(std::move(*this));
    handle_ = std::move(other.handle_);
    readable_ = std::move(other.readable_);
    return *this;
  }
  ~Subscriber() { close(); }

  const std::string& name() const { return handle().name(); }
  std::uint64_t id() const { return handle().id(); }

  /// Ends this subscriber; idempotent. Blocked calls return `closed`.
  void close() {
    if (!handle_) return;
    if (handle_->is_inherited()) {
      // A forked child has neither the threads nor the mapping, and locks as they were in the middle of something.
      static_cast<void>(new std::shared_ptr<handle::SubscriberHandle>(std::move(handle_)));
    } else {
      handle_->close();
    }
  }

  struct Received {
    Status status;
    std::vector<std::byte> data;
    std::uint64_t publisher;  ///< who published it: Publisher::id
    std::uint64_t missed;     ///< messages of this publisher between the one before and this one that were missed
    explicit operator bool() const noexcept { return status == Status::ok; }
  };

  /// The next message. `closed`: this subscriber is.
  Received receive(Timeout timeout = std::chrono::seconds(1)) {
    Received received{Status::timed_out, {}, 0, 0};
    received.status = handle().take(timeout, [&](const handle::SubscriberHandle::Message& message) {
      if (!message.source.take_parts(received.data)) received.data.assign(message.bytes.begin(), message.bytes.end());
      received.publisher = message.publisher;
      received.missed = message.missed;
    });
    if (received.status != Status::ok) readable_->rearm();
    return received;
  }

  /// Calls `f(std::span<const std::byte>)` with the next message: where it lies, if this subscriber is lossless and it fits a node, else with
  /// a verified copy. If f throws, the message is the next one again. It must not receive from this subscriber, nor close it.
  template <class F>
  STRAIT_HOT Status receive_with(F&& f, Timeout timeout = std::chrono::seconds(1)) {
    const Status status = handle().take(timeout, [&](const handle::SubscriberHandle::Message& message) { f(message.bytes); });
    if (status != Status::ok) [[unlikely]] readable_->rearm();
    return status;
  }

  /// Calls `handler(message)` with every message from now on. All handlers are called by one thread, with the same messages.
  Subscription on_message(std::function<void(std::span<const std::byte>)> handler) {
    auto called = std::make_shared<handle::MessageHandlers::One>(std::move(handler), "on_message of \"" + name() + "\"");
    this->handle().add(called);
    return Subscription(called);
  }

  /// A descriptor that is readable when there may be a message, or this subscriber is closed: for select, poll, epoll, or a loop
  /// built on them. Then receive with no_wait until that says timed_out, which makes the descriptor wait for the next message,
  /// and go back to the loop; do not read from it, nor close it. It stays valid as long as this object. A thread of this
  /// subscriber sleeps for it. POSIX only. Throws permission_denied on a read_only subscriber and no_space where the process has
  /// no descriptor left.
  template <class Flag = platform::ReadableFlag>
    requires(Flag::exists)
  int readable_fd() {
    handle::SubscriberHandle& open = handle();
    const handle::Gate::Visit visit(open.own_gate(), name());
    if (open.shared_session()->read_only()) throw Error(Errc::permission_denied, name(), "it was opened read_only, and nobody could be told that it sleeps");
    return readable_->descriptor([&] {
      return std::make_unique<handle::Readable>(name(), open.own_gate(), open.shared_session(), layout::SignalName::readers, [&open] { return open.has_message(); });
    });
  }

  /// The living publishers that this subscriber is connected to.
  std::size_t active_connections() const { return handle().active_connections(); }

  /// Until at least `n` are connected.
  Status wait_for_publishers(std::size_t n, Timeout timeout) const { return handle().wait_for_publishers(n, timeout); }

  /// Calls `handler(publisher)` for each that is connected or comes. All handlers of both kinds are called by one thread.
  Subscription on_connect(std::function<void(const Participant&)> handler) {
    return add(handle::ConnectionEvents::Of::connect, std::move(handler), "on_connect of \"");
  }

  /// Calls `handler(publisher)` for each that goes, closed or killed. What it published before may still be unread.
  Subscription on_disconnect(std::function<void(const Participant&)> handler) {
    return add(handle::ConnectionEvents::Of::disconnect, std::move(handler), "on_disconnect of \"");
  }

  /// How many messages were missed until now, in all and of one publisher. Always 0 for a lossless subscriber.
  std::uint64_t missed() const { return handle().missed(); }
  std::uint64_t missed(std::uint64_t publisher) const { return handle().missed_of(publisher); }

 private:
  friend struct handle::WaitAccess;
  auto wait_source() {
    handle::SubscriberHandle& open = handle();
    return handle::SessionSource(
        open.own_gate(), open.shared_session(), layout::SignalName::readers,
        [&open](Status& verdict) {
          verdict = Status::ok;
          return open.has_message();
        },
        segment::Session::For::anybody);
  }

  handle::SubscriberHandle& handle() const {
    if (!handle_) [[unlikely]] handle::Gate::throw_closed("(moved from)");
    return *handle_;
  }

  Subscription add(handle::ConnectionEvents::Of of, std::function<void(const Participant&)> handler, const char* where) {
    auto called = std::make_shared<handle::ConnectionHandler>(std::move(handler), where + name() + "\"");
    this->handle().add(of, called);
    return Subscription(called);
  }

  std::shared_ptr<handle::SubscriberHandle> handle_;
  std::unique_ptr<handle::MaybeReadable> readable_ = std::make_unique<handle::MaybeReadable>();  // ends before what it watches
};

}  // namespace strait
