#pragma once
// RpcBuffer: calls between two endpoints, both ways.

#include <strait/error.hpp>
#include <strait/on_error.hpp>
#include <strait/options.hpp>
#include <strait/rpc/endpoint.hpp>
#include <strait/rpc/endpoint_handle.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/statistics.hpp>
#include <strait/shareable.hpp>
#include <strait/timeout.hpp>

#include <string_view>
#include <utility>

namespace strait {

/// One of the two endpoints of a channel. The first to open a name is its master, the second its slave, a third is refused with
/// channel_full. Either may call the other, also from its handlers and callbacks. Any number of threads may use one endpoint.
///
/// How it calls, tells its statistics and ends is described in EndpointHandle (rpc/endpoint_handle.hpp):
///
///     RpcResponse remote_request(args, timeout = 30 s, stop token)            args: bytes, or one Shareable value
///     std::future<RpcResponse> remote_request_async(args, timeout = 30 s, stop token)
///     void remote_request_async(args, callback, timeout = 30 s, stop token)
///     name, is_master, statistics, reset_statistics, close
///
/// A handler gets (message id, payload [, stop token]) and returns nothing, a Shareable or a contiguous range of Shareable; what it
/// throws reaches the caller as `handler_failed` with its text. Up to `handler_threads` run at a time, and while one of
/// them waits in a call of its own, another may begin. Its stop token fires when the caller gives up or dies, or this endpoint closes.
///
/// A stop token ends its call at once; with g++ on Windows within some 10 ms, because a std::stop_callback that is told to stop while it
/// is destroyed may hang there. For the same reason a handler there should ask its token instead of hanging one on it.
///
/// Where handlers do not keep up, 1,024 requests or 64 MiB of them wait for a thread; further ones wait at the other side, each for its
/// own time (with no_wait they are not sent). Messages have up to 2^31 - 1 bytes.
///
/// When the other side's process dies, calls end with `peer_lost`, when it closes, with `closed`, and so do new ones until somebody
/// takes the free place. Before anybody has been there, calls wait for a peer.
class RpcBuffer : public EndpointHandle<rpc::Endpoint> {
 public:
  /// Opens the channel, or creates it. An endpoint without a handler answers requests with no_handler.
  explicit RpcBuffer(std::string_view name, const RpcOptions& options = {}) : EndpointHandle(name, rpc::Handler(), options) {}

  /// The same with a handler of the other side's requests, which may come before this returns.
  template <rpc::RpcHandler Handler>
  RpcBuffer(std::string_view name, Handler handler, const RpcOptions& options = {})
      : EndpointHandle(name, rpc::Handler(std::in_place, std::move(handler)), options) {}

  /// Somebody living has the other place.
  bool has_peer() const { return endpoint().has_peer(); }
};

}  // namespace strait
