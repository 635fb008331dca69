#pragma once
// What all parts of one endpoint use: its hold on the channel, its gate, its counters, and how it waits.

#include <strait/core/error.hpp>
#include <strait/handle/gate.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/rpc_packet.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/processor.hpp>
#include <strait/rpc/channel.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/statistics.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace strait::rpc {

struct Context {
  Context(std::string_view channel_name, const RpcOptions& options)
      : name(channel_name),
        spin(platform::single_processor() ? std::chrono::nanoseconds(0) : options.wait.spin),
        parks(options.wait.park),
        hold(std::make_unique<Channel>(channel_name, options)),
        slice_size(hold->slice_size()),
        is_master(hold->is_master()) {}

  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Channel& channel() noexcept { return *hold; }

  // Does nobody listen any more to what is for that life of the peer?
  bool is_gone(std::uint32_t epoch) const noexcept {
    const PlaceWord peer = hold->peer();
    return gate.is_closing() || !peer.is_occupied() || peer.epoch() != epoch;
  }

  void check_size(std::size_t size, const char* what) const {
    if (size <= layout::max_message_size) return;
    throw Error(Errc::message_too_large, name, what + std::to_string(size) + " bytes; at most 2^31 - 1 are possible");
  }

  const std::string name;
  const std::chrono::nanoseconds spin;
  const bool parks;
  const platform::Park park = platform::Park::of_this_process();  // for words of calls; the channel has its own
  handle::Gate gate;
  std::unique_ptr<Channel> hold;  // until nobody is inside the gate
  const std::size_t slice_size;
  const bool is_master;
  Counters counters;
};

}  // namespace strait::rpc
