#pragma once
// RawNotifyingBuffer: bytes and an event, and nothing else, for partners that know only these.

#include <strait/error.hpp>
#include <strait/handle/gate.hpp>
#include <strait/handle/handler.hpp>
#include <strait/handle/struct_handle.hpp>
#include <strait/handle/workers.hpp>
#include <strait/named_event.hpp>
#include <strait/options.hpp>
#include <strait/platform/shared_bytes.hpp>
#include <strait/subscription.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait {

/// The object `name` holds `size` bytes from offset 0, without header or length; a manual-reset event `name` + "Event" is set
/// after each write. Either side may be first, and either side may be a program that knows nothing of Strait: it maps the name,
/// writes, and sets the event. Receivers get all `size` bytes each time. Writes through this class are whole for readers through
/// this class; a partner's are as it makes them. Where one receiver resets the event, others that are just handling an earlier
/// write see a partner's next write only if they wait again before the reset: with a partner that is no Strait program, use one
/// receiver. Any thread, any process.
class RawNotifyingBuffer {
 public:
  /// Opens, or creates what is not there. Another size than the existing one: type_mismatch.
  RawNotifyingBuffer(std::string_view name, std::size_t size, const OpenOptions& options = {})
      : state_(std::make_unique<State>(name, size, options)) {}

  const std::string& name() const { return state().bytes.name(); }
  std::size_t size() const { return state().size; }

  /// Ends this handle; idempotent. Handlers are called no more, and it returns when they have left.
  void close() {
    if (state_) state_->close();
  }

  /// Replaces the first bytes; the others stay. Throws message_too_large, and timed_out when another writer takes longer than lock_timeout.
  void write(std::span<const std::byte> message) { state().write(message); }

  /// All the bytes.
  std::vector<std::byte> read() const {
    std::vector<std::byte> all(size());
    state().copy_to(all);
    return all;
  }

  /// Calls `handler(bytes)` after writes; at once, if the event is set already. All handlers of a buffer are called by one thread.
  Subscription on_receive(std::function<void(std::span<const std::byte>)> handler) {
    auto called = std::make_shared<Receiver>(std::move(handler), "on_receive of \"" + name() + "\"");
    state().add(called);
    return Subscription(called);
  }

 private:
  using Receiver = handle::HandlerOf<std::span<const std::byte>>;

  struct State {
    State(std::string_view name, std::size_t bytes_in_it, const OpenOptions& options)
        : size(bytes_in_it),
          first(checked(name, bytes_in_it)),
          bytes(name, segment::Intent::open_or_create, {bytes_in_it, 0}, first.data(), options),
          event(std::string(name) + "Event", NamedEvent::Reset::manual, false, options) {}

    ~State() {
      if (mark.is_inherited()) workers.forget();
      close();
    }

    void close() {
      if (mark.is_inherited() || !gate.close(bytes.name())) return;
      event.close();
      gate.wait_until_empty();
      workers.join();
      bytes.close();
    }

    void write(std::span<const std::byte> message) {
      const handle::Gate::Visit visit(gate, bytes.name());
      if (message.size() > size) {
        throw Error(Errc::message_too_large, bytes.name(),
                    "the message has " + std::to_string(message.size()) + " bytes, the buffer " + std::to_string(size) +
                        "; nothing was written");
      }
      if (!message.empty()) {
        bytes.change([&](const std::byte*) { return handle::CellHandle::Write{{0, message.size()}, message.data()}; });
      }
      event.set();
    }

    std::uint64_t copy_to(std::vector<std::byte>& all) const {
      auto* const to = all.data();
      return bytes.read([to, this](const std::byte* from) { platform::load_bytes(to, from, size); });
    }

    void add(std::shared_ptr<Receiver> receiver) {
      const handle::Gate::Visit visit(gate, bytes.name());
      const std::lock_guard lock(mutex);
      receivers.push_back(std::move(receiver));
      if (is_calling) return;
      workers.start(gate, [this, seen = bytes.version()] { calling(seen); });
      is_calling = true;
    }

    // The event is reset before the bytes are read: a write that comes later sets it again. What a Strait program wrote while the
    // handlers ran is known by its version, whoever reset the event meanwhile.
    void calling(std::uint64_t seen) {
      std::vector<std::byte> all(size);
      while (!living().empty()) {
        if (bytes.version() == seen && event.wait(std::chrono::milliseconds(200)) != Status::ok && !gate.is_closing()) continue;
        const auto now = living();  // who has no receiver any more leaves the event to others
        if (now.empty() || gate.is_closing()) return;
        try {
          event.reset();
        } catch (const Error&) {
          return;  // closed meanwhile
        }
        try {
          seen = copy_to(all);
        } catch (const Error&) {
          continue;  // torn every time, for seconds, or closed meanwhile: look again
        }
        for (const auto& receiver : now) receiver->call(all);
      }
    }

    std::vector<std::shared_ptr<Receiver>> living() {
      const std::lock_guard lock(mutex);
      std::erase_if(receivers, [](const auto& receiver) { return receiver->is_cancelled(); });
      if (receivers.empty()) is_calling = false;
      return receivers;
    }

    static std::vector<std::byte> checked(std::string_view name, std::size_t size) {
      if (size == 0) throw Error(Errc::invalid_argument, name, "the size is 0; at least 1 byte is needed");
      return std::vector<std::byte>(size);
    }

    platform::ForkMark mark;
    handle::Gate gate;
    std::size_t size;
    std::vector<std::byte> first;
    handle::StructHandle bytes;
    NamedEvent event;
    std::mutex mutex;
    std::vector<std::shared_ptr<Receiver>> receivers;
    bool is_calling = false;
    handle::Workers workers;
  };

  State& state() const {
    if (!state_) handle::Gate::throw_closed("(moved from)");
    return *state_;
  }

  std::unique_ptr<State> state_;
};

}  // namespace strait
