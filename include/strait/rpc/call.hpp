#pragma once
// Calls that wait for their replies.
//
// Whoever takes a call off the table ends it: the receiver with the reply, the caller when its time is over, a stop token, the
// end of the peer or of this endpoint. Ending is the exchange of the call's word to `done`, the last touch of a call that
// lives on its caller's stack; the old value says where the caller sleeps, and after the exchange only addresses are used.

#include <strait/core/timeout.hpp>
#include <strait/rpc/bytes.hpp>
#include <strait/rpc/response.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace strait::rpc {

// Where the caller is.
enum class At : std::uint32_t {
  awake,
  asleep,   // on the call's own word
  on_ring,  // on the signal of the incoming ring
  on_room,  // on the signal of the outgoing ring
  done
};

struct AsyncCall;

struct Call {
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // SYNC done: acquires what whoever ended the call wrote into it.
  bool is_done() const noexcept { return word.load(std::memory_order_seq_cst) == static_cast<std::uint32_t>(At::done); }

  // The caller, before it sleeps: false if it need not.
  bool settle(At where) noexcept {
    auto awake = static_cast<std::uint32_t>(At::awake);
    // SYNC done, sleep: before the last look.
    return word.compare_exchange_strong(awake, static_cast<std::uint32_t>(where), std::memory_order_seq_cst, std::memory_order_seq_cst);
  }
  // The caller again; others wake one that is asleep in the same way.
  bool unsettle(At where) noexcept {
    auto there = static_cast<std::uint32_t>(where);
    // SYNC done: fails when it is done.
    return word.compare_exchange_strong(there, static_cast<std::uint32_t>(At::awake), std::memory_order_seq_cst, std::memory_order_seq_cst);
  }

  std::atomic<std::uint32_t> word{static_cast<std::uint32_t>(At::awake)};
  AsyncCall* async = nullptr;  // what this is, if nobody waits in it

  // Under the table's lock.
  std::uint64_t id = 0;
  std::uint32_t peer = 0;  // the epoch that the call is for; 0: no peer yet
  bool listed = false;
  bool filling = false;    // the receiver copies a slice into the response; whoever wants to end the call waits for that

  RpcResponse response;    // the receiver's until done
};

struct AsyncCall : Call {
  explicit AsyncCall(Timeout time) : timeout(time), deadline(time) { async = this; }

  Timeout timeout;
  core::Deadline deadline;
  std::promise<RpcResponse> promise;               // one of these two
  std::function<void(RpcResponse)> callback;
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
  std::shared_ptr<AsyncCall> self;  // while it is on the table
};

// Calls by id. Not synchronised.
class PendingCalls {
 public:
  // Gives the call its id.
  void add(Call& call) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    call.id = take_id();
    call.listed = true;
    slots_[index(call.id)] = &call;
    ++size_;
  }

  // An id whose slot is free. An old call in the way only costs a number.
  std::uint64_t take_id() noexcept {
    do {
      ++last_id_;
    } while (slots_[index(last_id_)] != nullptr);
    return last_id_;
  }

  Call* find(std::uint64_t id) const noexcept {
    Call* call = slots_[index(id)];
    return call != nullptr && call->id == id ? call : nullptr;
  }

  void remove(Call& call) noexcept {
    slots_[index(call.id)] = nullptr;
    call.listed = false;
    --size_;
  }

  // `f(Call&)` may remove it.
  template <class F>
  void for_each(F f) {
    for (Call* call : slots_) {
      if (call != nullptr) f(*call);
    }
  }

  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t index(std::uint64_t id) const noexcept { return static_cast<std::size_t>(id) & (slots_.size() - 1); }

  void grow() {
    std::vector<Call*> old(slots_.size() * 2);
    old.swap(slots_);
    for (Call* call : old) {
      if (call != nullptr) slots_[index(call->id)] = call;  // what differed in fewer bits differs in more
    }
  }

  std::vector<Call*> slots_ = std::vector<Call*>(64);
  std::size_t size_ = 0;
  std::uint64_t last_id_ = 0;
};

}  // namespace strait::rpc
