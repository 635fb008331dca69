#pragma once
// RpcBuffer of the C# library: calls between two endpoints, both ways.

#include <strait/dotnet/endpoint.hpp>
#include <strait/rpc/endpoint_handle.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/statistics.hpp>

#include <string_view>
#include <utility>

namespace strait::dotnet {

/// One of the two endpoints of a channel, master or slave, beside a C# endpoint or another one of these. It calls,
/// tells its statistics and ends as strait::RpcBuffer does: see EndpointHandle (rpc/endpoint_handle.hpp).
///
/// What the format cannot give: a call learns that the other side has closed only where that was the master, and never that its
/// process has died: it waits out its time. A handler is not told that its caller has given up; its stop token fires when this
/// endpoint closes. The text of a failing handler stays where it failed (it goes to on_error); the caller gets `handler_failed`,
/// and the same where there is no handler. An empty payload and none are the same. Requests that nobody has a thread for wait
/// here, as many as come. C# drops a packet for which it finds no room for a second: the message is then lost, and a call that
/// waits for it fails or times out.
class RpcBuffer : public EndpointHandle<Endpoint> {
 public:
  /// Opens the channel, or creates it. An endpoint without a handler answers requests with an error at once. Messages have up to
  /// 65,535 packets (65,534 full ones where nothing is left over), each of buffer_capacity - 32 bytes.
  explicit RpcBuffer(std::string_view name, const RpcOptions& options = {}) : EndpointHandle(name, rpc::Handler(), options) {}

  /// The same with a handler of the other side's requests, which may come before this returns.
  template <rpc::RpcHandler Handler>
  RpcBuffer(std::string_view name, Handler handler, const RpcOptions& options = {})
      : EndpointHandle(name, rpc::Handler(std::in_place, std::move(handler)), options) {}
};

}  // namespace strait::dotnet
