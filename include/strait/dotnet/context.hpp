#pragma once
// What all parts of one endpoint use: its hold on the channel, its gate, its counters, how it waits, and whether anything can still
// come or go.

#include <strait/core/error.hpp>
#include <strait/dotnet/channel.hpp>
#include <strait/dotnet/packet.hpp>
#include <strait/handle/gate.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/processor.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/statistics.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace strait::dotnet {

struct Context {
  Context(std::string_view channel_name, const RpcOptions& options)
      : name(channel_name),
        spin(platform::single_processor() ? std::chrono::nanoseconds(0) : options.wait.spin),
        parks(options.wait.park),
        hold(std::make_unique<Channel>(channel_name, options)),
        is_master(hold->is_master()),
        slice_size(hold->slice_size()) {}

  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Channel& channel() noexcept { return *hold; }

  std::uint64_t next_id() noexcept { return last_id.fetch_add(1, std::memory_order_relaxed) + 1; }  // relaxed: a number

  bool is_over() const noexcept { return gate.is_closing() || hold->is_shut_down() || is_broken(); }

  const char* why_over() const noexcept {
    if (gate.is_closing()) return "this side was closed";
    return is_broken() ? "a ring of the channel is broken: somebody wrote where it should not" : "the other side was closed";
  }

  // A ring's cursors are no indices: somebody wrote where it should not. Nothing can come or go any more.
  // relaxed, both: whoever meets it finds out too
  bool is_broken() const noexcept { return broken.load(std::memory_order_relaxed); }
  void found_broken() noexcept { broken.store(true, std::memory_order_relaxed); }

  bool has_packet() noexcept {
    try {
      return !channel().in().seems_empty();
    } catch (const Error&) {
      found_broken();
      return false;
    }
  }

  std::uint16_t count_packets(std::size_t size, const char* what) const {
    const auto packets = packets_of(size, slice_size);
    if (!packets) {
      throw Error(Errc::message_too_large, name,
                  what + std::to_string(size) + " bytes; the format allows 65535 packets, here of " + std::to_string(slice_size) +
                      " bytes each, and less than 2 GiB");
    }
    return *packets;
  }

  const std::string name;
  const std::chrono::nanoseconds spin;
  const bool parks;
  const platform::Park park = platform::Park::of_this_process();  // for words of calls
  handle::Gate gate;
  std::unique_ptr<Channel> hold;  // until nobody is inside the gate
  const bool is_master;
  const std::size_t slice_size;
  rpc::Counters counters;
  std::atomic<bool> broken{false};
  std::atomic<std::uint64_t> last_id{0};
};

}  // namespace strait::dotnet
