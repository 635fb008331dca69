#pragma once
// A call that waits for its reply. Whoever takes it off the table (rpc/call_table.hpp) ends it: the receiver with the reply, the
// caller when its time is over, a stop token, the end of the peer or of this endpoint.

#include <strait/core/timeout.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/sleep_word.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>

namespace strait::rpc {

struct AsyncCall;

struct Call {
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool is_done() const noexcept { return word.is_done(); }

  SleepWord<std::atomic<std::uint32_t>> word;
  AsyncCall* async = nullptr;  // what this is, if nobody waits in it

  // Under the table's lock.
  std::uint64_t id = 0;
  std::uint32_t peer = 0;  // the epoch that the call is for; 0: no peer yet
  bool listed = false;
  bool filling = false;    // the receiver copies a slice into the response; whoever wants to end the call waits for that

  RpcResponse response;    // the receiver's until done

  // One of these two, if it has a stop token (core::sound_stop_callbacks).
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
  std::stop_token looked_at;  // under the table's lock
};

// How long a token that is looked at may have told to stop before it is seen.
inline constexpr std::chrono::milliseconds between_looks_at_tokens{10};

inline constexpr const char* told_to_stop = "cancelled by its stop token";

struct AsyncCall : Call {
  explicit AsyncCall(Timeout time) : timeout(time), deadline(time) { async = this; }

  Timeout timeout;
  core::Deadline deadline;
  std::promise<RpcResponse> promise;               // one of these two
  std::function<void(RpcResponse)> callback;
  std::shared_ptr<AsyncCall> self;  // while it is on the table
};

}  // namespace strait::rpc
