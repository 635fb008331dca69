#pragma once
// How a call ended, and what came back.

#include <strait/core/error.hpp>
#include <strait/core/shareable.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace strait {

/// Every call ends with exactly one of these.
enum class RpcOutcome : std::uint8_t {
  ok,
  handler_failed,  ///< the handler threw: `error` is its text
  no_handler,      ///< the other side takes no requests
  timed_out,       ///< no reply before the deadline; also every call made with no_wait
  cancelled,       ///< by its stop token
  peer_lost,       ///< the other side's process died
  closed           ///< this side, or the other, was closed
};

namespace core {

constexpr const char* name_of(RpcOutcome outcome) noexcept {
  switch (outcome) {
    case RpcOutcome::ok: return "ok";
    case RpcOutcome::handler_failed: return "handler failed";
    case RpcOutcome::no_handler: return "no handler";
    case RpcOutcome::timed_out: return "timed out";
    case RpcOutcome::cancelled: return "cancelled";
    case RpcOutcome::peer_lost: return "peer lost";
    case RpcOutcome::closed: return "closed";
  }
  return "unknown outcome";
}

}  // namespace core

/// The end of a call. True if the handler returned.
struct RpcResponse {
  RpcOutcome outcome = RpcOutcome::timed_out;
  std::vector<std::byte> data;  ///< what the handler returned; empty where it returned nothing
  std::string error;            ///< why, for everything but `ok`

  bool success() const noexcept { return outcome == RpcOutcome::ok; }
  explicit operator bool() const noexcept { return success(); }

  /// The returned value. Throws type_mismatch where the data has another size, with the call's error if it failed.
  template <Shareable T>
    requires(std::is_default_constructible_v<T>)
  T as() const {
    if (data.size() != sizeof(T)) {
      std::string detail = "the response has " + std::to_string(data.size()) + " bytes, the type asked for " + std::to_string(sizeof(T));
      if (!success()) detail += std::string(" (") + core::name_of(outcome) + (error.empty() ? "" : ": ") + error + ")";
      throw Error(Errc::type_mismatch, "", detail);
    }
    T value{};
    std::memcpy(static_cast<void*>(&value), data.data(), sizeof(T));
    return value;
  }
};

namespace rpc {

// Of a call that was never under way.
inline RpcResponse ended(RpcOutcome outcome) { return {outcome, {}, core::name_of(outcome)}; }

}  // namespace rpc
}  // namespace strait
