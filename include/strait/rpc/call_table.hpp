#pragma once
// The calls that have not ended, by id, and the peer's place as this endpoint last looked: a call is registered only for the
// life that is known, so that whoever learns of another one finds every call of the old.

#include <strait/core/timeout.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/packet.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace strait::rpc {

using core::Clock;
using layout::PlaceWord;

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

class CallTable {
 public:
  explicit CallTable(PlaceWord peer) noexcept : known_(peer.bits) {}

  // relaxed: changed under the receiver's and this table's lock, and looked at again under one of them where it matters
  PlaceWord known() const noexcept { return {known_.load(std::memory_order_relaxed)}; }

  // With the receiver's lock held.
  void know(PlaceWord peer) {
    const std::lock_guard lock(mutex_);
    known_.store(peer.bits, std::memory_order_relaxed);  // relaxed: see known()
  }

  // ---- in ---------------------------------------------------------------------------------------------------------------

  enum class Enlisted : std::uint8_t { yes, peer_changed, closed };

  // For `peer`, or for nobody yet.
  Enlisted enlist(Call& call, PlaceWord peer) {
    const std::lock_guard lock(mutex_);
    if (ended_all_) return Enlisted::closed;
    if (peer != known()) return Enlisted::peer_changed;
    call.peer = peer.is_occupied() ? peer.epoch() : 0;
    calls_.add(call);
    return Enlisted::yes;
  }

  // Now there is a peer. False: the call has ended, or the peer has changed.
  bool assign(Call& call, PlaceWord peer) {
    const std::lock_guard lock(mutex_);
    if (!call.listed || peer != known()) return false;
    call.peer = peer.epoch();
    return true;
  }

  // For a request that nobody waits for.
  std::uint64_t take_id() {
    const std::lock_guard lock(mutex_);
    return calls_.take_id();
  }

  // ---- out: who gets a call from here ends it --------------------------------------------------------------------------------

  // True: this thread ends the call now, and nobody else does. False: it is done when this returns.
  bool take_off(Call& call) {
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (call.listed && !call.filling) {
          calls_.remove(call);
          return true;
        }
        if (!call.listed && call.is_done()) return false;
      }
      std::this_thread::yield();  // the receiver is copying, or is about to say so
    }
  }

  // With the receiver's lock held: nobody fills. `for_good`: no call comes in any more.
  template <class Which>
  std::vector<Call*> take_off_all(Which which, bool for_good) {
    std::vector<Call*> ending;
    const std::lock_guard lock(mutex_);
    if (for_good) ended_all_ = true;
    calls_.for_each([&](Call& call) {
      if (which(call)) ending.push_back(&call);
    });
    for (Call* call : ending) calls_.remove(*call);
    return ending;
  }

  // A slice of a reply. Nothing: nobody waits for it, or (`broken`) it does not follow on the last one. A whole reply's call is
  // off the table; into another the slice may be copied until `filled()`, which is true where it was the last.
  Call* begin_slice(const Packet& packet, bool& broken) {
    const std::lock_guard lock(mutex_);
    Call* const call = calls_.find(packet.header.id);
    if (call == nullptr || call->peer != packet.header.from) return nullptr;
    if (packet.is_whole_message()) {
      calls_.remove(*call);
      return call;
    }
    broken = size_so_far(*call, packet) != packet.header.offset;
    if (broken) return nullptr;
    call->filling = true;
    return call;
  }
  bool filled(Call& call, const Packet& packet) {
    if (packet.is_whole_message()) return true;
    const std::lock_guard lock(mutex_);
    call.filling = false;
    if (!packet.is_last()) return false;
    calls_.remove(call);
    return true;
  }
  // Instead of `filled`: there is no memory for it.
  void drop(Call& call) {
    const std::lock_guard lock(mutex_);
    call.filling = false;
    if (call.listed) calls_.remove(call);
  }

  // ---- stop tokens that are looked at ----------------------------------------------------------------------------------------

  void look_at(Call& call, const std::stop_token& token) {
    const std::lock_guard lock(mutex_);
    if (call.listed) call.looked_at = token;
  }

  // Takes off those that are told to stop. `next`: when to look at the others.
  std::vector<Call*> take_off_stopped(Clock::time_point now, Clock::time_point& next) {
    std::vector<Call*> stopped;
    const std::lock_guard lock(mutex_);
    calls_.for_each([&](Call& call) {
      if (call.looked_at.stop_requested() && !call.filling) {
        stopped.push_back(&call);
      } else if (call.looked_at.stop_possible()) {
        next = (std::min)(next, now + between_looks_at_tokens);
      }
    });
    for (Call* call : stopped) calls_.remove(*call);
    return stopped;
  }

  // ---- looks -------------------------------------------------------------------------------------------------------------

  // Calls in which nobody waits and whose time is over, and when the next one's will be.
  std::vector<std::shared_ptr<AsyncCall>> overdue(Clock::time_point now, Clock::time_point& next) {
    std::vector<std::shared_ptr<AsyncCall>> over;
    const std::lock_guard lock(mutex_);
    calls_.for_each([&](Call& call) {
      if (call.async == nullptr) return;
      if (call.async->deadline.passed(now)) {
        over.push_back(call.async->self);
      } else {
        next = (std::min)(next, call.async->deadline.at());
      }
    });
    return over;
  }

  // Callers asleep on their own words for which `which(call)` is true, one or all, with `wake(word)`. They are on the table and we
  // hold its lock: the words are there. True: there was one.
  template <class Which, class Wake>
  bool wake_sleepers(bool all, Which which, Wake wake) {
    const std::lock_guard lock(mutex_);
    bool woken = false;
    calls_.for_each([&](Call& call) {
      if ((woken && !all) || !which(call) || !call.word.unsettle(At::asleep)) return;
      wake(call.word.word());
      woken = true;
    });
    return woken;
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }

 private:
  // What has come of this reply; a wrong number where the packet contradicts it.
  static std::size_t size_so_far(const Call& call, const Packet& packet) noexcept {
    return packet.outcome() == RpcOutcome::ok ? call.response.data.size() : call.response.error.size();
  }

  alignas(64) std::atomic<std::uint64_t> known_;
  alignas(64) std::mutex mutex_;
  PendingCalls calls_;
  bool ended_all_ = false;
};

}  // namespace strait::rpc
