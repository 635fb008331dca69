#pragma once
// RpcBuffer of the C# library: calls between two endpoints, both ways.

#include <strait/core/error.hpp>
#include <strait/core/shareable.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/endpoint.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/statistics.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace strait::dotnet {

/// One of the two endpoints of a channel, master or slave, beside a C# endpoint or another one of these. Used as strait::RpcBuffer.
///
/// What the format cannot give: a call learns that the other side has closed only where that was the master, and never that its process
/// has died: it waits out its time. A handler is not told that its caller has given up; its stop token fires when this endpoint closes.
/// The text of a failing handler stays where it failed (it goes to on_error); the caller gets `handler_failed`, and the same
/// where there is no handler. An empty payload and none are the same. Requests that nobody has a thread for wait here, as many as come.
/// C# drops a packet for which it finds no room for a second: the message is then lost, and a call that waits for it fails or times out.
class RpcBuffer {
 public:
  /// Opens the channel, or creates it. An endpoint without a handler answers requests with an error at once. Messages have up to 65,535
  /// packets (65,534 full ones where nothing is left over), each of buffer_capacity - 32 bytes.
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

  /// Calls the other side's handler and waits for what it returns. One deadline covers everything. With no_wait the request is
  /// sent if it fits at once, its reply is thrown away, and the outcome is timed_out. Throws message_too_large.
  RpcResponse remote_request(std::span<const std::byte> args = {}, Timeout timeout = default_timeout, std::stop_token stop = {}) {
    return endpoint().request(args, timeout, stop);
  }

  /// The same with the bytes of one value.
  template <Shareable T>
    requires(!std::convertible_to<T, Timeout>)
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

 private:
  static constexpr Timeout default_timeout{std::chrono::seconds(30)};

  RpcBuffer(std::string_view name, rpc::Handler handler, const RpcOptions& options)
      : endpoint_(std::make_shared<Endpoint>(name, std::move(handler), options)) {
    endpoint_->start();
  }

  Endpoint& endpoint() const {
    if (!endpoint_) throw Error(Errc::closed, "(moved from)", "this endpoint was moved from");
    return *endpoint_;
  }

  std::shared_ptr<Endpoint> endpoint_;
};

}  // namespace strait::dotnet
