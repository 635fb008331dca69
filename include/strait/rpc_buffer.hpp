#pragma once
// RpcBuffer: calls between two endpoints, both ways.

#include <strait/error.hpp>
#include <strait/on_error.hpp>
#include <strait/options.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/endpoint.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/statistics.hpp>
#include <strait/shareable.hpp>
#include <strait/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// One of the two endpoints of a channel. The first to open a name is its master, the second its slave, a third is refused with
/// channel_full. Either may call the other, also from its handlers and callbacks. Any number of threads may use one endpoint.
///
/// A handler gets (message id, payload [, stop token]) and returns nothing, a Shareable or a contiguous range of Shareable; what it
/// throws reaches the caller as `handler_failed` with its text. Up to `handler_threads` run at a time, and while one of
/// them waits in a call of its own, another may begin. Its stop token fires when the caller gives up or dies, or this endpoint closes.
///
/// Where handlers do not keep up, 1,024 requests or 64 MiB of them wait for a thread; further ones wait at the other side, each for its
/// own time (with no_wait they are not sent).
///
/// When the other side's process dies, calls end with `peer_lost`, when it closes, with `closed`, and so do new ones until somebody
/// takes the free place. Before anybody has been there, calls wait for a peer.
class RpcBuffer {
 public:
  /// Opens the channel, or creates it. An endpoint without a handler answers requests with no_handler.
  explicit RpcBuffer(std::string_view name, const RpcOptions& options = {}) : RpcBuffer(name, rpc::Handler(), options) {}

  /// The same with a handler of the other side's requests, which may come before this returns.
  template <rpc::RpcHandler Handler>
  RpcBuffer(std::string_view name, Handler handler, const RpcOptions& options = {})
      : RpcBuffer(name, rpc::Handler(std::in_place, std::move(handler)), options) {}

  RpcBuffer(RpcBuffer&&) noexcept = default;
  RpcBuffer& operator=(RpcBuffer&& other) noexcept {
    RpcBuffer old(std::move(*this));
    endpoint_ = std::move(other.endpoint_);
    return *this;
  }
  /// Closes. From inside a handler or callback of this endpoint it does not wait for the others.
  ~RpcBuffer() {
    if (!endpoint_) return;
    close();
    if (endpoint_->is_called_from_user_code()) endpoint_->abandon();
  }

  const std::string& name() const { return endpoint().name(); }
  bool is_master() const { return endpoint().is_master(); }

  /// Somebody living has the other place.
  bool has_peer() const { return endpoint().has_peer(); }

  /// Calls the other side's handler and waits for what it returns. One deadline covers everything. With no_wait the request is
  /// sent if it fits at once, its reply is discarded, and the outcome is timed_out. Throws message_too_large beyond 2^31 - 1 bytes.
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

  /// Ends this endpoint; idempotent, from any thread. Its pending calls, and the other side's, end with `closed`. Returns when no
  /// thread is inside and no handler runs; from a handler or callback of this endpoint it returns at once, and nothing that
  /// those still return is sent.
  void close() {
    rpc::Endpoint& mine = endpoint();
    mine.close();
    if (!mine.is_called_from_user_code()) mine.finish();
  }

 private:
  static constexpr Timeout default_timeout{std::chrono::seconds(30)};

  RpcBuffer(std::string_view name, rpc::Handler handler, const RpcOptions& options)
      : endpoint_(std::make_shared<rpc::Endpoint>(name, std::move(handler), options)) {
    endpoint_->start();
  }

  rpc::Endpoint& endpoint() const {
    if (!endpoint_) throw Error(Errc::closed, "(moved from)", "this endpoint was moved from");
    return *endpoint_;
  }

  std::shared_ptr<rpc::Endpoint> endpoint_;
};

}  // namespace strait
