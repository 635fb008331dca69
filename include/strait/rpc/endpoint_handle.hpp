#pragma once
// What a user holds of an endpoint, of whichever kind: the forms of a call, and the end.

#include <strait/core/error.hpp>
#include <strait/core/shareable.hpp>
#include <strait/core/timeout.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/statistics.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strait {

namespace core {

template <class T>
struct IsTime : std::is_same<T, Timeout> {};
template <class Rep, class Period>
struct IsTime<std::chrono::duration<Rep, Period>> : std::true_type {};

/// What may be the one value that a call carries: a timeout in its place is a slip of the pen.
template <class T>
concept arguments_come_first_and_are_not_a_timeout = Shareable<T> && !IsTime<std::remove_cv_t<T>>::value;

}  // namespace core

/// How RpcBuffer calls the other side. Movable, not copyable. Any number of threads may use one endpoint.
template <class Endpoint>
class EndpointHandle {
 public:
  EndpointHandle(EndpointHandle&&) noexcept = default;
  EndpointHandle& operator=(EndpointHandle&& other) noexcept {
    EndpointHandle old(std::move(*this));
    endpoint_ = std::move(other.endpoint_);
    return *this;
  }
  /// Closes. From inside a handler or callback of this endpoint it does not wait for the others.
  ~EndpointHandle() {
    if (!endpoint_) return;
    close();
    if (endpoint_->is_called_from_user_code()) endpoint_->abandon();
  }

  const std::string& name() const { return endpoint().name(); }
  bool is_master() const { return endpoint().is_master(); }

  /// Calls the other side's handler and waits for what it returns. One deadline covers everything. With no_wait the request is
  /// sent if it fits at once, its reply is discarded, and the outcome is timed_out. Throws message_too_large.
  RpcResponse remote_request(std::span<const std::byte> args = {}, Timeout timeout = default_timeout, std::stop_token stop = {}) {
    return endpoint().request(args, timeout, stop);
  }

  /// The same with the bytes of one value.
  template <core::arguments_come_first_and_are_not_a_timeout T>
  RpcResponse remote_request(const T& args, Timeout timeout = default_timeout, std::stop_token stop = {}) {
    return remote_request(std::as_bytes(std::span(std::addressof(args), 1)), timeout, std::move(stop));
  }

  /// Does not wait: the arguments are sent or copied before it returns.
  std::future<RpcResponse> remote_request_async(std::span<const std::byte> args = {}, Timeout timeout = default_timeout, std::stop_token stop = {}) {
    auto call = std::make_shared<rpc::AsyncCall>(timeout);
    auto future = call->promise.get_future();
    endpoint().request_async(std::move(call), args, stop);
    return future;
  }

  /// The same; `done` is called once, on a thread of this endpoint, and may call and close. What it throws goes to on_error.
  void remote_request_async(std::span<const std::byte> args, std::function<void(RpcResponse)> done, Timeout timeout = default_timeout,
                            std::stop_token stop = {}) {
    if (!done) throw Error(Errc::invalid_argument, name(), "the callback is empty; the form without one returns a future");
    auto call = std::make_shared<rpc::AsyncCall>(timeout);
    call->callback = std::move(done);
    endpoint().request_async(std::move(call), args, stop);
  }

  RpcStatistics statistics() const { return endpoint().statistics(); }
  void reset_statistics() { endpoint().reset_statistics(); }

  /// Ends this endpoint; idempotent, from any thread. Its pending calls end with `closed`. Returns when no thread is inside and no
  /// handler runs; from a handler or callback of this endpoint it returns at once, and nothing that those still return is sent.
  void close() {
    Endpoint& mine = endpoint();
    mine.close();
    if (!mine.is_called_from_user_code()) mine.finish();
  }

 protected:
  EndpointHandle(std::string_view name, rpc::Handler handler, const RpcOptions& options)
      : endpoint_(std::make_shared<Endpoint>(name, std::move(handler), options)) {
    endpoint_->start();
  }

  Endpoint& endpoint() const {
    if (!endpoint_) throw Error(Errc::closed, "(moved from)", "this endpoint was moved from");
    return *endpoint_;
  }

 private:
  static constexpr Timeout default_timeout{std::chrono::seconds(30)};

  std::shared_ptr<Endpoint> endpoint_;
};

}  // namespace strait
