#pragma once
// Publisher: every subscriber of the topic gets every message.

#include <strait/error.hpp>
#include <strait/handle/publisher_handle.hpp>
#include <strait/options.hpp>
#include <strait/shareable.hpp>
#include <strait/subscription.hpp>
#include <strait/timeout.hpp>
#include <strait/topic_options.hpp>
#include <strait/write_claim.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strait {

namespace core {

// The parts of one message: a range of ranges of bytes, or of whatever may cross a process border.
template <class R>
concept MessageParts = requires(R& range) {
  { std::ranges::begin(range) } -> std::forward_iterator;
  std::ranges::end(range);
} && ShareableRange<std::iter_reference_t<range_iterator_t<R>>>;

}  // namespace core

/// One of any number of publishers of a topic, in any process, and in a subscriber's own too. Each writes its messages once, into
/// a ring of its own that every subscriber reads. Lossless subscribers hold it back while they live, lossy ones do not. A
/// subscriber that was there before it gets its first message: the constructor waits for it, at most `open_timeout`. Any thread may call any
/// function; a handler may close or destroy the publisher that calls it. Movable, not copyable; the destructor closes.
class Publisher {
 public:
  explicit Publisher(std::string_view topic, const TopicOptions& options = {})
      : handle_(std::make_shared<handle::PublisherHandle>(
            topic, handle::BroadcastEnd::Sizes{options.node_count, options.node_buffer_size, options.history}, options)) {}

  Publisher(Publisher&&) noexcept = default;
  Publisher& operator=(Publisher&& other) noexcept {
    const Publisher old(std::move(*this));
    handle_ = std::move(other.handle_);
    return *this;
  }
  ~Publisher() { close(); }

  const std::string& name() const { return handle().name(); }

  /// What subscribers see as `Received::publisher`: unique across publishers, processes and restarts.
  std::uint64_t id() const { return handle().id(); }

  /// Ends this publisher; idempotent. Blocked calls return `closed`; subscribers still read what is there.
  void close() {
    if (!handle_) return;
    if (handle_->is_inherited()) {
      // A forked child has neither the threads nor the mapping, and locks as they were in the middle of something.
      static_cast<void>(new std::shared_ptr<handle::PublisherHandle>(std::move(handle_)));
    } else {
      handle_->close();
    }
  }

  /// Publishes the bytes, which may be none, as one message. `timed_out`: there was no room, and it arrives nowhere. `closed`: this
  /// publisher is. Throws message_too_large for more than half of the ring's bytes.
  Status publish(std::span<const std::byte> message, Timeout timeout = std::chrono::seconds(1)) {
    return publish_bytes(message.data(), message.size(), timeout);
  }

  /// Publishes the bytes of one value.
  template <Shareable T>
    requires(!core::ShareableRange<const T> && !core::MessageParts<const T>)
  Status publish(const T& value, Timeout timeout = std::chrono::seconds(1)) {
    return publish_bytes(std::addressof(value), sizeof(T), timeout);
  }

  /// Publishes the elements of any contiguous sized range (vector, array, string, string_view) as one message.
  template <core::ShareableRange Range>
  Status publish(const Range& elements, Timeout timeout = std::chrono::seconds(1)) {
    return publish_bytes(std::ranges::data(elements), std::ranges::size(elements) * sizeof(core::range_element_t<Range>), timeout);
  }

  /// Publishes several parts, one behind the other, as one message: a range of spans, of vectors, of strings.
  template <class Parts>
    requires(core::MessageParts<const Parts> && !core::ShareableRange<const Parts>)
  Status publish(const Parts& parts, Timeout timeout = std::chrono::seconds(1)) {
    std::uint64_t size = 0;
    for (auto&& part : parts) size += bytes_of(part).size();
    auto next = std::ranges::begin(parts);
    std::span<const std::byte> rest;
    return handle().publish(timeout, size, [&](std::byte* to, std::size_t wanted) {
      while (wanted != 0) {
        if (rest.empty()) {
          rest = bytes_of(*next++);
          continue;
        }
        const std::size_t now = (std::min)(wanted, rest.size());
        std::memcpy(to, rest.data(), now);
        rest = rest.subspan(now);
        to += now;
        wanted -= now;
      }
    });
  }

  /// A node of `node_buffer_size` bytes, to be filled in place and published. Messages are delivered in the order in which their places
  /// were taken: those published meanwhile wait for this one.
  WriteClaim loan(Timeout timeout = std::chrono::seconds(1)) {
    std::shared_ptr<handle::Lender> lender;
    std::uint64_t ticket = 0;
    const Status status = handle().loan(timeout, lender, ticket);
    if (status != Status::ok) return WriteClaim(status);
    return WriteClaim(std::move(lender), ticket);
  }

  /// The living subscribers that are connected.
  std::size_t active_connections() const { return handle().active_connections(); }

  /// Until at least `n` are connected.
  Status wait_for_subscribers(std::size_t n, Timeout timeout) const { return handle().wait_for_subscribers(n, timeout); }

  /// Calls `handler(subscriber)` for each that is connected or comes. All handlers of both kinds are called by one thread.
  Subscription on_connect(std::function<void(const Participant&)> handler) {
    return add(handle::ConnectionEvents::Of::connect, std::move(handler), "on_connect of \"");
  }

  /// Calls `handler(subscriber)` for each that goes, closed or killed.
  Subscription on_disconnect(std::function<void(const Participant&)> handler) {
    return add(handle::ConnectionEvents::Of::disconnect, std::move(handler), "on_disconnect of \"");
  }

 private:
  handle::PublisherHandle& handle() const {
    if (!handle_) [[unlikely]] handle::Gate::throw_closed("(moved from)");
    return *handle_;
  }

  STRAIT_HOT Status publish_bytes(const void* from, std::size_t size, Timeout timeout) {
    const auto* next = static_cast<const std::byte*>(from);
    return handle().publish(timeout, size, [next](std::byte* to, std::size_t wanted) mutable {
      if (wanted != 0) std::memcpy(to, next, wanted);
      next += wanted;
    });
  }

  template <class Range>
  static std::span<const std::byte> bytes_of(const Range& part) {
    return std::as_bytes(std::span(std::ranges::data(part), std::ranges::size(part)));
  }

  Subscription add(handle::ConnectionEvents::Of of, std::function<void(const Participant&)> handler, const char* where) {
    auto called = std::make_shared<handle::ConnectionHandler>(std::move(handler), where + name() + "\"");
    this->handle().add(of, called);
    return Subscription(called);
  }

  std::shared_ptr<handle::PublisherHandle> handle_;
};

}  // namespace strait
