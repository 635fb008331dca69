#pragma once
// Subscription: how long a handler is called.

#include <strait/on_error.hpp>
#include <strait/handle/handler.hpp>

#include <memory>
#include <utility>

namespace strait {

/// Of a handler: movable; the destructor or `cancel()` ends the calls and waits for a running one, except from inside it. It may
/// outlive the object that it came from, whose end ends the calls too. A handler that throws goes on being called; see `on_error`.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::shared_ptr<handle::Handler> handler) noexcept : handler_(std::move(handler)) {}

  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      cancel();
      handler_ = std::move(other.handler_);
    }
    return *this;
  }
  ~Subscription() { cancel(); }

  /// Ends the calls; idempotent. Any thread.
  void cancel() {
    if (const auto handler = std::exchange(handler_, nullptr)) handler->cancel();
  }

  /// Has it a handler that was not cancelled through it?
  explicit operator bool() const noexcept { return handler_ != nullptr; }

 private:
  std::shared_ptr<handle::Handler> handler_;
};

}  // namespace strait
