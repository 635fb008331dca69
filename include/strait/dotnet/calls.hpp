#pragma once
// The calls of an endpoint that have not ended. Whoever takes one off ends it, and nobody else does.

#include <strait/core/timeout.hpp>
#include <strait/rpc/call.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_map>
#include <vector>

namespace strait::dotnet {

class Calls {
 public:
  using TimePoint = core::Clock::time_point;

  // False: the endpoint has ended.
  bool add(rpc::Call& call, std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    call.id = id;
    calls_.emplace(id, &call);
    return true;
  }

  // Nothing: nobody waits for it.
  rpc::Call* take(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return nullptr;
    rpc::Call* const call = found->second;
    calls_.erase(found);
    return call;
  }

  // False: another thread ends it.
  bool take(const rpc::Call& call) {
    const std::lock_guard lock(mutex_);
    if (!is_listed(call)) return false;
    calls_.erase(call.id);
    return true;
  }

  std::vector<rpc::Call*> take_all(bool for_good) {
    std::vector<rpc::Call*> all;
    const std::lock_guard lock(mutex_);
    ended_ |= for_good;
    for (const auto& [id, call] : calls_) all.push_back(call);
    calls_.clear();
    return all;
  }

  // Calls in which nobody waits and whose time is over; they may be ended meanwhile. `next`: when the time of another one will be.
  std::vector<std::shared_ptr<rpc::AsyncCall>> overdue(TimePoint now, TimePoint& next) {
    std::vector<std::shared_ptr<rpc::AsyncCall>> over;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, call] : calls_) {
      if (call->async == nullptr) continue;
      if (call->async->deadline.passed(now)) {
        over.push_back(call->async->self);
      } else {
        next = (std::min)(next, call->async->deadline.at());
      }
    }
    return over;
  }

  // Of stop tokens that are looked at: this one, while the call has not ended.
  void look_at(rpc::Call& call, const std::stop_token& token) {
    const std::lock_guard lock(mutex_);
    if (is_listed(call)) call.looked_at = token;
  }

  // Those that are told to stop. `next`: when to look at the others.
  std::vector<rpc::Call*> take_stopped(TimePoint now, TimePoint& next) {
    std::vector<rpc::Call*> stopped;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, call] : calls_) {
      if (call->looked_at.stop_requested()) {
        stopped.push_back(call);
      } else if (call->looked_at.stop_possible()) {
        next = (std::min)(next, now + rpc::between_looks_at_tokens);
      }
    }
    for (const rpc::Call* const call : stopped) calls_.erase(call->id);
    return stopped;
  }

  // One caller that is asleep on its own word, with `wake(word)`; they are listed and we hold the lock: the word is there.
  template <class Wake>
  bool wake_sleeper(Wake wake) {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, call] : calls_) {
      if (!call->word.unsettle(rpc::At::asleep)) continue;
      wake(call->word.word());
      return true;
    }
    return false;
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }

 private:
  bool is_listed(const rpc::Call& call) const {
    const auto found = calls_.find(call.id);
    return found != calls_.end() && found->second == &call;
  }

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, rpc::Call*> calls_;
  bool ended_ = false;
};

}  // namespace strait::dotnet
