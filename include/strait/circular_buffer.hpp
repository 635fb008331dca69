#pragma once
// CircularBuffer: a ring of nodes that any number of processes write and read. Each message goes to one reader, first in, first out.

#include <strait/error.hpp>
#include <strait/handle/readable.hpp>
#include <strait/handle/ring_handle.hpp>
#include <strait/handle/wait_source.hpp>
#include <strait/options.hpp>
#include <strait/platform/readable_flag.hpp>
#include <strait/read_claim.hpp>
#include <strait/shareable.hpp>
#include <strait/shared_buffer.hpp>
#include <strait/timeout.hpp>
#include <strait/write_claim.hpp>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace strait {

/// A many-to-many ring of `node_count` nodes of `node_buffer_size` bytes: it holds node_count messages, each whole or not at all.
/// Messages are taken in the order in which their nodes were claimed. Any number of threads may use one handle; any party may
/// be killed at any instruction and the others go on. The node protocol is described in ring/ring.hpp.
///
/// With `no_wait` a call looks once; after a row of messages it looks about a microsecond later, so that the other side can get ahead.
class CircularBuffer : public SharedBuffer {
 public:
  /// Creates. Throws already_exists while a living process holds the name.
  CircularBuffer(std::string_view name, std::size_t node_count, std::size_t node_buffer_size, const RingOptions& options = {})
      : CircularBuffer(open_ring(name, segment::Intent::create, node_count, node_buffer_size, options)) {}

  /// Opens. Throws not_found where no living process holds the name.
  explicit CircularBuffer(std::string_view name, const OpenOptions& options = {})
      : CircularBuffer(open_ring(name, segment::Intent::open, 0, 0, RingOptions{options})) {}

  /// Opens, or creates what is not there. Other sizes than the existing ones: type_mismatch.
  CircularBuffer(open_or_create_t, std::string_view name, std::size_t node_count, std::size_t node_buffer_size, const RingOptions& options = {})
      : CircularBuffer(open_ring(name, segment::Intent::open_or_create, node_count, node_buffer_size, options)) {}

  CircularBuffer(CircularBuffer&&) noexcept = default;
  CircularBuffer& operator=(CircularBuffer&& other) noexcept {
    CircularBuffer old(std::move(*this));
    SharedBuffer::operator=(std::move(other));
    ring_ = other.ring_;  // NOLINT(bugprone-use-after-move): the base has moved its own part only
    node_count_ = other.node_count_;
    node_buffer_size_ = other.node_buffer_size_;
    readable_ = std::move(other.readable_);
    return *this;
  }
  ~CircularBuffer() = default;

  std::size_t node_count() const { return node_count_; }
  std::size_t node_buffer_size() const { return node_buffer_size_; }

  /// Messages published and not taken: may be stale before it is returned. Looks at every node.
  std::size_t approximate_size() const {
    const auto visit = enter();
    return static_cast<std::size_t>(ring().approximate_size());
  }

  // ---- copying forms -------------------------------------------------------------------------------------------------

  /// Writes the bytes of one value. Throws message_too_large, also on a full ring.
  template <Shareable T>
    requires(!core::ShareableRange<const T>)
  Status write(const T& value, Timeout timeout = std::chrono::seconds(1)) {
    return write_bytes(&value, sizeof(T), timeout);
  }

  /// Writes the elements of a span as one message.
  template <Shareable T>
  Status write(std::span<const T> elements, Timeout timeout = std::chrono::seconds(1)) {
    return write_bytes(elements.data(), elements.size_bytes(), timeout);
  }

  /// Writes the elements of any contiguous sized range (vector, array, string, string_view) as one message.
  template <core::ShareableRange Range>
  Status write(const Range& elements, Timeout timeout = std::chrono::seconds(1)) {
    return write_bytes(std::ranges::data(elements), std::ranges::size(elements) * sizeof(core::range_element_t<Range>), timeout);
  }

  /// Reads one value. A message of another size throws type_mismatch and stays.
  template <Shareable T>
    requires(!std::is_const_v<T>)
  Status read(T& out, Timeout timeout = std::chrono::seconds(1)) {
    return copy_message(timeout, [&](std::span<const std::byte> message) {
      if (message.size() != sizeof(T)) throw_wrong_size(message.size(), sizeof(T));
      std::memcpy(static_cast<void*>(std::addressof(out)), message.data(), sizeof(T));
    });
  }

  /// How a read into a span ended. True if there was a message, an empty one included.
  struct ReadResult {
    Status status;
    std::size_t count;  ///< elements
    explicit operator bool() const noexcept { return status == Status::ok; }
  };

  /// Reads one message into the start of `out`. Throws buffer_too_small where it does not fit and type_mismatch where it is not a
  /// whole number of T; the message stays.
  template <Shareable T>
    requires(!std::is_const_v<T>)
  ReadResult read(std::span<T> out, Timeout timeout = std::chrono::seconds(1)) {
    ReadResult result{Status::ok, 0};
    result.status = copy_message(timeout, [&](std::span<const std::byte> message) {
      if (message.size() % sizeof(T) != 0) throw_not_whole(message.size(), sizeof(T));
      if (message.size() > out.size_bytes()) throw_too_small(message.size(), out.size_bytes());
      if (!message.empty()) std::memcpy(static_cast<void*>(out.data()), message.data(), message.size());
      result.count = message.size() / sizeof(T);
    });
    return result;
  }

  /// Reads one message into the start of a contiguous sized range, such as a vector, whose size it does not change.
  template <core::ShareableRange Range>
    requires(!Shareable<std::remove_cvref_t<Range>>)
  ReadResult read(Range&& out, Timeout timeout = std::chrono::seconds(1)) {
    return read(std::span<core::range_element_t<Range>>(std::ranges::data(out), std::ranges::size(out)), timeout);
  }

  // ---- in place ------------------------------------------------------------------------------------------------------

  /// A node to be filled in place.
  WriteClaim claim(Timeout timeout = std::chrono::seconds(1)) {
    const auto visit = enter();
    const auto claimed = ring().claim(gate(), timeout);
    if (claimed.status != Status::ok) return WriteClaim(claimed.status);
    return WriteClaim(shared_ring(), claimed.ticket);
  }

  /// A message to be read in place.
  ReadClaim take(Timeout timeout = std::chrono::seconds(1)) {
    const auto visit = enter();
    const auto taken = ring().take(gate(), timeout);
    if (taken.status != Status::ok) return ReadClaim(nothing_taken(taken.status));
    const auto message = ring().message(taken.ticket);
    return ReadClaim(shared_ring(), taken.ticket, message);
  }

  /// `std::size_t f(std::span<std::byte>)` fills a node and returns the message's length. If it throws, nothing is published.
  template <class F>
  Status write_with(F&& f, Timeout timeout = std::chrono::seconds(1)) {
    const auto visit = enter();
    handle::RingEnd& ring = *ring_;
    const auto [status, ticket] = ring.claim(gate(), timeout);
    if (status != Status::ok) return status;
    std::size_t length = 0;
    try {
      length = std::forward<F>(f)(ring.room(ticket));
      if (length > node_buffer_size_) throw_too_large(length);
    } catch (...) {
      ring.abandon(ticket);
      throw;
    }
    return ring.publish(ticket, length);
  }

  /// `void f(std::span<const std::byte>)` reads a message in place. If it throws, the message goes back.
  template <class F>
  Status read_with(F&& f, Timeout timeout = std::chrono::seconds(1)) {
    const auto visit = enter();
    handle::RingEnd& ring = *ring_;
    const auto [status, ticket] = ring.take(gate(), timeout);
    if (status != Status::ok) return nothing_taken(status);
    const auto message = ring.message(ticket);
    try {
      std::forward<F>(f)(message);
    } catch (...) {
      ring.put_back(ticket);
      throw;
    }
    ring.release(ticket);
    return Status::ok;
  }

  // ---- in an event loop ----------------------------------------------------------------------------------------------

  /// A descriptor that is readable when there may be a message, or the ring is closed: for select, poll, epoll, or a loop built
  /// on them. Then take with no_wait until that says timed_out, which makes the descriptor wait for the next message, and go back
  /// to the loop; do not read from it, nor close it. It stays valid as long as this object. A thread of this handle sleeps for
  /// it. POSIX only. Throws permission_denied on a read_only handle and no_space where the process has no descriptor left.
  template <class Flag = platform::ReadableFlag>
    requires(Flag::exists)
  int readable_fd() {
    const auto visit = enter();
    return readable_->descriptor([this] {
      Status verdict{};
      ring_->look(verdict);  // throws where this handle may not take
      return std::make_unique<handle::Readable>(name(), gate(), shared_session(), layout::SignalName::readers, [ring = ring_] { return ring->may_have_something(); });
    });
  }

 private:
  explicit CircularBuffer(const std::shared_ptr<handle::RingHandle>& ring)
      : SharedBuffer({ring, &ring->session()}, ring->session().segment().shape().element_count * ring->session().segment().shape().element_size),
        ring_(ring.get()),
        node_count_(static_cast<std::size_t>(ring->session().segment().shape().element_count)),
        node_buffer_size_(ring->node_buffer_size()) {}

  static std::shared_ptr<handle::RingHandle> open_ring(std::string_view name, segment::Intent intent, std::uint64_t node_count,
                                                       std::uint64_t node_buffer_size, const RingOptions& options) {
    const bool exact = intent != segment::Intent::open;
    const segment::Expectation expected{{layout::Kind::ring, node_buffer_size, node_count, 1, 0}, exact, exact};
    return std::make_shared<handle::RingHandle>(name, intent, expected, options);
  }

  friend struct handle::WaitAccess;
  auto wait_source() {
    return handle::SessionSource(gate(), shared_session(), layout::SignalName::readers, [ring = ring_](Status& verdict) { return ring->look(verdict); });
  }

  // Only inside a visit.
  handle::RingEnd& ring() const noexcept { return *ring_; }
  std::shared_ptr<handle::RingEnd> shared_ring() const noexcept { return {shared_session(), ring_}; }

  Status write_bytes(const void* from, std::size_t size, Timeout timeout) {
    const auto visit = enter();
    if (size > node_buffer_size_) [[unlikely]] throw_too_large(size);
    return ring_->write(gate(), timeout, from, size);
  }

  template <class Copy>
  Status copy_message(Timeout timeout, Copy copy) {
    const auto visit = enter();
    const Status status = ring_->read(gate(), timeout, copy);
    if (status != Status::ok) [[unlikely]] return nothing_taken(status);
    return Status::ok;
  }

  STRAIT_COLD Status nothing_taken(Status status) noexcept {
    readable_->rearm();
    return status;
  }

  [[noreturn]] void throw_too_large(std::size_t size) const {
    throw Error(Errc::message_too_large, name(), "a message of " + std::to_string(size) + " bytes does not fit a node of " + std::to_string(node_buffer_size_));
  }
  [[noreturn]] void throw_wrong_size(std::size_t message, std::size_t wanted) const {
    throw Error(Errc::type_mismatch, name(),
                "the message has " + std::to_string(message) + " bytes, the type asked for " + std::to_string(wanted) + "; the message stays");
  }
  [[noreturn]] void throw_not_whole(std::size_t message, std::size_t element) const {
    throw Error(Errc::type_mismatch, name(),
                "the message has " + std::to_string(message) + " bytes, not a whole number of elements of " + std::to_string(element) + "; the message stays");
  }
  [[noreturn]] void throw_too_small(std::size_t message, std::size_t room) const {
    throw Error(Errc::buffer_too_small, name(),
                "the message has " + std::to_string(message) + " bytes, the destination " + std::to_string(room) + "; the message stays");
  }

  handle::RingEnd* ring_;
  std::size_t node_count_;
  std::size_t node_buffer_size_;
  std::unique_ptr<handle::MaybeReadable> readable_ = std::make_unique<handle::MaybeReadable>();  // ends before what it watches
};

}  // namespace strait
