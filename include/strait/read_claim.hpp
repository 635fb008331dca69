#pragma once
// ReadClaim: a message that is yours to read in place.

#include <strait/error.hpp>
#include <strait/handle/ring_end.hpp>
#include <strait/shareable.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

namespace strait {

/// A taken message: read `bytes()`; the destructor releases it, `put_back()` returns it to the ring, where it is the next one for
/// this handle. One thread at a time; it may move to another thread, outlive the thread and the handle that made it, and keeps
/// its mapping after the handle is closed. If the process dies, the message goes to another reader.
class ReadClaim {
 public:
  /// Made by `CircularBuffer::take`.
  ReadClaim(std::shared_ptr<handle::RingEnd> ring, handle::Ticket ticket, std::span<const std::byte> bytes) noexcept
      : ring_(std::move(ring)), ticket_(ticket), bytes_(bytes), status_(Status::ok) {}
  explicit ReadClaim(Status status) noexcept : status_(status) {}

  ReadClaim(ReadClaim&& other) noexcept
      : ring_(std::exchange(other.ring_, nullptr)), ticket_(other.ticket_), bytes_(std::exchange(other.bytes_, {})), status_(other.status_) {}
  ReadClaim& operator=(ReadClaim&& other) noexcept {
    ReadClaim old(std::move(*this));
    ring_ = std::exchange(other.ring_, nullptr);
    ticket_ = other.ticket_;
    bytes_ = std::exchange(other.bytes_, {});
    status_ = other.status_;
    return *this;
  }
  ~ReadClaim() {
    release();
  }

  /// True while there is a message.
  explicit operator bool() const noexcept { return ring_ != nullptr; }

  /// Why there is no message.
  Status status() const noexcept { return status_; }

  /// The message, 8-byte aligned. Empty without one; an empty message is a message too.
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// The message as a T. Throws type_mismatch where it has another size, not_held without a message.
  template <Shareable T>
  const T& as() const {
    static_assert(alignof(T) <= 8, "a node's bytes are aligned to 8: copy the value out with read() instead");
    if (!ring_) throw Error(Errc::not_held, "", "this claim has no message: it failed, was released, or was moved from");
    if (bytes_.size() != sizeof(T)) {
      throw Error(Errc::type_mismatch, ring_->session().segment().name(),
                  "the message has " + std::to_string(bytes_.size()) + " bytes, the type asked for " + std::to_string(sizeof(T)));
    }
    return *std::launder(reinterpret_cast<const T*>(bytes_.data()));
  }

  /// Done with it: its node is free for a writer.
  void release() noexcept {
    if (ring_ && !ring_->is_inherited()) ring_->release(ticket_);
    forget();
  }

  /// Returns it: the next message that this handle takes is this one; other readers get it when they find the ring empty.
  void put_back() noexcept {
    if (ring_ && !ring_->is_inherited()) ring_->put_back(ticket_);
    forget();
  }

 private:
  void forget() noexcept {
    ring_.reset();
    bytes_ = {};
  }

  std::shared_ptr<handle::RingEnd> ring_;
  handle::Ticket ticket_ = 0;
  std::span<const std::byte> bytes_;
  Status status_;
};

}  // namespace strait
