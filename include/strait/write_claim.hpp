#pragma once
// WriteClaim: a node of a ring that is yours to fill, be it read once (CircularBuffer) or by everybody (Publisher).

#include <strait/error.hpp>
#include <strait/handle/lender.hpp>
#include <strait/handle/ring_end.hpp>
#include <strait/shareable.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

namespace strait {

/// A node to be filled in place: fill `bytes()`, then `publish(n)`. A claim that is destroyed unpublished is abandoned: nothing is
/// delivered. One thread at a time; it may move to another thread, outlive the thread and the handle that made it, and keeps
/// its mapping after the handle is closed.
class WriteClaim {
 public:
  /// Made by `CircularBuffer::claim`.
  WriteClaim(std::shared_ptr<handle::RingEnd> ring, handle::Ticket ticket) noexcept : ring_(std::move(ring)), ticket_(ticket), status_(Status::ok) {}
  /// Made by `Publisher::loan`.
  WriteClaim(std::shared_ptr<handle::Lender> lender, handle::Ticket ticket) noexcept : lender_(std::move(lender)), ticket_(ticket), status_(Status::ok) {}
  explicit WriteClaim(Status status) noexcept : status_(status) {}

  WriteClaim(WriteClaim&& other) noexcept
      : ring_(std::exchange(other.ring_, nullptr)), lender_(std::exchange(other.lender_, nullptr)), ticket_(other.ticket_), status_(other.status_) {}
  WriteClaim& operator=(WriteClaim&& other) noexcept {
    WriteClaim old(std::move(*this));
    ring_ = std::exchange(other.ring_, nullptr);
    lender_ = std::exchange(other.lender_, nullptr);
    ticket_ = other.ticket_;
    status_ = other.status_;
    return *this;
  }
  ~WriteClaim() {
    abandon();
  }

  /// True while there is a node to fill.
  explicit operator bool() const noexcept { return ring_ != nullptr || lender_ != nullptr; }

  /// Why there is no node; after publishing: `ok`, or `closed` where the ring was closed meanwhile and the message taken back.
  Status status() const noexcept { return status_; }

  /// The whole node: node_buffer_size bytes, 8-byte aligned, holding whatever the last message left. Empty without a node.
  std::span<std::byte> bytes() const noexcept {
    if (ring_) return ring_->room(ticket_);
    return lender_ ? lender_->room(ticket_) : std::span<std::byte>();
  }

  /// The node as a T. Throws message_too_large where T does not fit, not_held without a node.
  template <Shareable T>
  T& as() const {
    static_assert(alignof(T) <= 8, "a node's bytes are aligned to 8: copy the value in and out with write() and read() instead");
    require_node();
    if (sizeof(T) > bytes().size()) throw_too_large(sizeof(T));
    return *std::launder(reinterpret_cast<T*>(bytes().data()));
  }

  /// Delivers the first `size` bytes. Throws message_too_large beyond the node's end: the claim stays.
  void publish(std::size_t size) {
    require_node();
    if (size > bytes().size()) throw_too_large(size);
    status_ = ring_ ? ring_->publish(ticket_, size) : lender_->publish_loan(ticket_, size);
    ring_.reset();
    lender_.reset();
  }

  /// Gives the node up; nothing is delivered.
  void abandon() noexcept {
    if (ring_ && !ring_->is_inherited()) ring_->abandon(ticket_);
    if (lender_ && !lender_->is_inherited()) lender_->give_up(ticket_);
    ring_.reset();
    lender_.reset();
  }

 private:
  void require_node() const {
    if (!*this) throw Error(Errc::not_held, "", "this claim has no node: it failed, was published, or was moved from");
  }
  [[noreturn]] void throw_too_large(std::size_t size) const {
    throw Error(Errc::message_too_large, ring_ ? ring_->session().segment().name() : lender_->name(),
                "a message of " + std::to_string(size) + " bytes does not fit a node of " + std::to_string(bytes().size()));
  }

  std::shared_ptr<handle::RingEnd> ring_;    // one of the two
  std::shared_ptr<handle::Lender> lender_;
  handle::Ticket ticket_ = 0;
  Status status_;
};

}  // namespace strait
