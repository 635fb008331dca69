#pragma once
// The handlers that run at this moment and take a stop token, so that the token can be told.

#include <strait/rpc/work.hpp>

#include <cstdint>
#include <mutex>
#include <stop_token>
#include <vector>

namespace strait::rpc {

struct Running {
  std::uint64_t id;
  std::uint32_t from;  // the caller's epoch
  bool forgotten;      // nobody waits for it: only the end of this endpoint stops it
  std::stop_source stop;
};

class RunningHandlers {
 public:
  std::stop_source begin(const Request& request) {
    std::stop_source stop;
    const std::lock_guard lock(mutex_);
    handlers_.push_back({request.id, request.from, request.forgotten, stop});
    return stop;
  }

  void end(const Request& request) {
    const std::lock_guard lock(mutex_);
    std::erase_if(handlers_, [&](const Running& one) { return one.id == request.id && one.from == request.from; });
  }

  // To be told without the lock: what hangs on a stop token is user code.
  template <class Which>
  std::vector<std::stop_source> stops_of(Which which) {
    std::vector<std::stop_source> stops;
    const std::lock_guard lock(mutex_);
    for (const Running& running : handlers_) {
      if (which(running)) stops.push_back(running.stop);
    }
    return stops;
  }

  bool empty() {
    const std::lock_guard lock(mutex_);
    return handlers_.empty();
  }

 private:
  std::mutex mutex_;
  std::vector<Running> handlers_;
};

}  // namespace strait::rpc
