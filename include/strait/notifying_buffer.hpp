#pragma once
// NotifyingBuffer: the newest message wins, and everybody is told.

#include <strait/core/error_hook.hpp>
#include <strait/error.hpp>
#include <strait/handle/latest_handle.hpp>
#include <strait/options.hpp>
#include <strait/subscription.hpp>
#include <strait/timeout.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <ios>
#include <istream>
#include <memory>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait {

/// Holds the last message that was written, of up to `capacity` bytes, its length included. Whoever comes first creates it. A reader gets
/// whole messages only, also when a writer was killed in the middle: then the one before is back. Any thread may call any
/// function, in any process. Movable, not copyable; the destructor closes.
class NotifyingBuffer {
 public:
  /// Opens, or creates what is not there; with `read_only` it must be there. Another capacity than the first's: type_mismatch.
  NotifyingBuffer(std::string_view name, std::size_t capacity, const OpenOptions& options = {})
      : handle_(std::make_unique<handle::LatestHandle>(name, capacity, options)) {}

  const std::string& name() const { return handle().name(); }
  std::size_t capacity() const { return handle().capacity(); }

  /// Ends this handle; idempotent. Waits of other threads return `closed`, handlers are called no more, and it returns when
  /// they have left. Throws would_deadlock from inside a handler.
  void close() {
    if (handle_) handle_->close();
  }

  /// Replaces the message; it may be empty. Throws message_too_large, and timed_out when another writer takes longer than lock_timeout.
  void write(std::span<const std::byte> message) { handle().write(message); }

  /// The last message; empty, with version 0, before the first write. Never waits.
  std::vector<std::byte> read() const {
    std::vector<std::byte> message;
    handle().read(message);
    return message;
  }
  std::vector<std::byte> read(std::uint64_t& version) const {
    std::vector<std::byte> message;
    version = handle().read(message);
    return message;
  }

  /// 0 at first, then one more with each write.
  std::uint64_t version() const { return handle().version(); }

  /// ok: the version is another than `since`. peer_lost: nobody else has it open, and who created it is gone.
  Status wait_for_change(std::uint64_t since, Timeout timeout) const { return handle().wait_for_change(since, timeout); }

  /// Calls `handler(message)` after writes, by whomever, from now on. All handlers of a buffer are called by one thread. A handler that
  /// is slower than the writers misses messages but never the last one.
  Subscription on_receive(std::function<void(std::span<const std::byte>)> handler) {
    auto called = std::make_shared<handle::LatestHandle::Receiver>(std::move(handler), "on_receive of \"" + name() + "\"");
    handle_->add(called);
    return Subscription(called);
  }

  /// A stream that reads one consistent copy of the message, made when it is constructed.
  class Reader;

  /// A stream whose whole text, from its first character on, is written as one message by each flush and, if there is something
  /// that was not flushed, by its destructor. A flush that fails sets badbit; a destructor that fails tells the hook of `on_error`.
  class Writer;

 private:
  friend struct handle::WaitAccess;
  auto wait_source() const { return handle().wait_source(); }

  handle::LatestHandle& handle() const {
    if (!handle_) handle::Gate::throw_closed("(moved from)");
    return *handle_;
  }

  std::unique_ptr<handle::LatestHandle> handle_;
};

class NotifyingBuffer::Reader : public std::istream {
 public:
  explicit Reader(const NotifyingBuffer& buffer)
      : std::istream(nullptr), text_(copy(buffer), std::ios_base::in | std::ios_base::binary) {
    rdbuf(&text_);
  }

 private:
  static std::string copy(const NotifyingBuffer& buffer) {
    const auto message = buffer.read();
    return {reinterpret_cast<const char*>(message.data()), message.size()};
  }

  std::stringbuf text_;
};

class NotifyingBuffer::Writer : public std::ostream {
 public:
  explicit Writer(NotifyingBuffer& buffer) : std::ostream(nullptr), text_(buffer) { rdbuf(&text_); }

  ~Writer() override {
    try {
      text_.write_if_new();
    } catch (...) {
      core::ErrorHook::instance().report(std::current_exception(), "the Writer of a NotifyingBuffer");
    }
  }

 private:
  class Text : public std::stringbuf {
   public:
    explicit Text(NotifyingBuffer& buffer) : std::stringbuf(std::ios_base::out | std::ios_base::binary), buffer_(buffer) {}

    void write_if_new() {
      if (str().size() != written_) write();
    }

   protected:
    // An exception makes the stream bad.
    int sync() override {
      write();
      return 0;
    }

   private:
    void write() {
      const std::string text = str();
      buffer_.write(std::as_bytes(std::span(text)));
      written_ = text.size();
    }

    NotifyingBuffer& buffer_;
    std::size_t written_ = 0;
  };

  Text text_;
};

}  // namespace strait
