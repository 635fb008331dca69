#pragma once
// CircularBuffer of the C# library: many writers, many readers, each message to one reader, first in, first out.

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/shareable.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/object.hpp>
#include <strait/dotnet/ring_end.hpp>
#include <strait/dotnet/shared_buffer.hpp>
#include <strait/dotnet/shared_ring.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strait::dotnet {

/// A ring of `node_count` nodes of `node_buffer_size` bytes that holds node_count - 1 messages. Any number of threads may use one handle.
///
/// What the format cannot give, whoever writes it: a process that is killed, or stopped for good, while it has a node reserved
/// stops the ring there; a writer whose callback throws leaves an empty message, because a reserved node cannot be skipped; a
/// message whose reader fails is gone. What only C# peers can still break: a C# writer that was held up for exactly one lap may
/// reserve a node of a full ring, so that an unread message is written over, and a C# reader likewise (several C# writers or
/// readers at once); a message that they publish may be seen only when the next one is, and their sleepers may sleep too long (up
/// to 50 ms are made good here).
class CircularBuffer : public SharedBuffer {
 public:
  /// Creates. Throws already_exists while somebody has the name open. `Sharing::one` promises that one thread at a time, in all
  /// processes, writes (or reads): the turns that our writers (or readers) take are left out. Nobody checks it.
  CircularBuffer(std::string_view name, std::size_t node_count, std::size_t node_buffer_size, const RingOptions& options = {})
      : CircularBuffer(new RingState(create(name, node_count, node_buffer_size, options), options)) {}

  /// Opens. Throws not_found, wrong_kind, broken.
  explicit CircularBuffer(std::string_view name, const OpenOptions& options = {})
      : CircularBuffer(new RingState(open(name, options), RingOptions{options})) {}

  /// The same with the promise of `Sharing::one`.
  template <std::same_as<RingOptions> Options>
  CircularBuffer(std::string_view name, const Options& options) : CircularBuffer(new RingState(open(name, options), options)) {}

  std::size_t node_count() const { return static_cast<std::size_t>(ring().nodes.count()); }
  std::size_t node_buffer_size() const { return ring().nodes.node_buffer_size(); }

  // ---- copying forms. A message is written whole or not at all: too big for a node throws message_too_large before anything is reserved.

  /// Writes the bytes of one value.
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
    return copy_message(
        timeout,
        [&](std::size_t size) { return size == sizeof(T) ? fine : wrong_size(size, sizeof(T)); },
        [&](std::span<const std::byte> message) { std::memcpy(static_cast<void*>(std::addressof(out)), message.data(), sizeof(T)); });
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
    result.status = copy_message(
        timeout,
        [&](std::size_t size) {
          if (size % sizeof(T) != 0) [[unlikely]] return not_whole(size, sizeof(T));
          return size <= out.size_bytes() ? fine : too_small(size, out.size_bytes());
        },
        [&](std::span<const std::byte> message) {
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

  /// `std::size_t f(std::span<std::byte>)` fills a node and returns the message's length. If it throws, or returns more than a node
  /// holds (message_too_large), an empty message is published: the format cannot skip a node.
  template <class F>
  Status write_with(F&& f, Timeout timeout = std::chrono::seconds(1)) {
    RingState& mine = ring();
    const auto visit = mine.enter();
    Index node = 0;
    const Status status = mine.end.reserve_for_writing(timeout, Ended{mine}, node);
    if (status != Status::ok) return status;
    std::size_t length = 0;
    try {
      length = std::forward<F>(f)(std::span<std::byte>(mine.nodes.data(node), mine.nodes.node_buffer_size()));
      if (length > mine.nodes.node_buffer_size()) throw_too_large(length);
    } catch (...) {
      mine.end.post(node, 0);
      throw;
    }
    mine.end.post(node, length);
    return Status::ok;
  }

  /// `void f(std::span<const std::byte>)` reads a message in place. If it throws, the message is gone: the format cannot put it back.
  template <class F>
  Status read_with(F&& f, Timeout timeout = std::chrono::seconds(1)) {
    return copy_message(
        timeout, [](std::size_t) { return fine; }, std::forward<F>(f));
  }

 private:
  struct RingState final : State {
    RingState(std::unique_ptr<Object> opened, const RingOptions& options)
        : State(std::move(opened)), nodes(SharedRing::of(object->base(), size, name)), end(name, nodes, options) {}
    ~RingState() override { close(); }

    void wake() override { end.wake(); }
    void let_go() override { end.close(); }

    const SharedRing nodes;
    RingEnd end;
  };

  // Nothing can come any more.
  struct Ended {
    RingState& ring;
    std::optional<Status> operator()() const {
      if (ring.gate.is_closing() || ring.object->is_shut_down()) return Status::closed;
      return std::nullopt;
    }
  };

  explicit CircularBuffer(RingState* ring) : SharedBuffer(std::unique_ptr<State>(ring)), ring_(ring) {}

  static std::unique_ptr<Object> create(std::string_view name, std::size_t node_count, std::size_t node_buffer_size, const OpenOptions& options) {
    if (node_count < 2) throw Error(Errc::invalid_argument, name, "node_count is " + std::to_string(node_count) + "; a ring has at least 2 nodes");
    if (node_buffer_size == 0) throw Error(Errc::invalid_argument, name, "node_buffer_size is 0; a node holds at least 1 byte");
    const auto size = ring_size(node_count, node_buffer_size);
    if (!size) {
      throw Error(Errc::too_large, name,
                  std::to_string(node_count) + " nodes of " + std::to_string(node_buffer_size) + " bytes; C# counts up to 2 GiB in all");
    }
    return std::make_unique<Object>(name, *size, options, [&](std::byte* base) {
      SharedRing(base, static_cast<Index>(node_count), static_cast<std::int32_t>(node_buffer_size), name).fill();
    });
  }

  static std::unique_ptr<Object> open(std::string_view name, const OpenOptions& options) {
    return std::make_unique<Object>(
        name, options, [name](const std::byte* base, std::uint64_t size) { return SharedRing::check(name, base, size) == SharedRing::State::ready; });
  }

  RingState& ring() const {
    static_cast<void>(state());  // not moved from
    return *ring_;
  }

  Status write_bytes(const void* from, std::size_t size, Timeout timeout) {
    RingState& mine = ring();
    const auto visit = mine.enter();
    if (size > mine.nodes.node_buffer_size()) [[unlikely]] throw_too_large(size);
    Index node = 0;
    const Status status = mine.end.reserve_for_writing(timeout, Ended{mine}, node);
    if (status != Status::ok) return status;
    if (size != 0) std::memcpy(mine.nodes.data(node), from, size);
    mine.end.post(node, size);
    return Status::ok;
  }

  // Why a message is to stay where it is; `fine`: it is not.
  using Refusal = std::optional<Error>;
  static inline const Refusal fine;

  // C# readers do not wait for our turn: where one has taken the message that was looked at, another may have come in its place, and
  // is gone if it is refused.
  template <class Refuse, class Copy>
  Status copy_message(Timeout timeout, Refuse refuse, Copy&& copy) {
    RingState& mine = ring();
    const auto visit = mine.enter();
    RingEnd::Found found{};
    const auto accept = [&](std::size_t size) { return !refuse(size); };
    const Status status = mine.end.reserve_for_reading(timeout, accept, Ended{mine}, found);
    if (status != Status::ok) return status;
    if (found.what == RingEnd::Found::What::refused) [[unlikely]] {
      const auto size = static_cast<std::size_t>(mine.end.amount(found.node));
      throw refuse(size).value_or(Error(Errc::type_mismatch, name(), "another process took the message while it was looked at"));
    }
    const auto message = mine.end.message(found.node);
    try {
      if (const Refusal refusal = refuse(message.size())) [[unlikely]] throw Error(*refusal);
      std::forward<Copy>(copy)(message);
    } catch (...) {
      mine.end.give_back(found.node);
      throw;
    }
    mine.end.give_back(found.node);
    return Status::ok;
  }

  [[noreturn]] void throw_too_large(std::size_t size) const {
    throw Error(Errc::message_too_large, name(), "a message of " + std::to_string(size) + " bytes does not fit a node of " + std::to_string(node_buffer_size()));
  }
  Refusal wrong_size(std::size_t message, std::size_t wanted) const {
    return Error(Errc::type_mismatch, name(),
                 "the message has " + std::to_string(message) + " bytes, the type asked for " + std::to_string(wanted) + "; the message stays");
  }
  Refusal not_whole(std::size_t message, std::size_t element) const {
    return Error(Errc::type_mismatch, name(),
                 "the message has " + std::to_string(message) + " bytes, not a whole number of elements of " + std::to_string(element) +
                     "; the message stays");
  }
  Refusal too_small(std::size_t message, std::size_t room) const {
    return Error(Errc::buffer_too_small, name(),
                 "the message has " + std::to_string(message) + " bytes, the destination " + std::to_string(room) + "; the message stays");
  }

  RingState* ring_;
};

}  // namespace strait::dotnet
