#pragma once
// The handlers of on_connect and on_disconnect, called by one thread. What each has been told of is remembered, so a handler that comes
// late to an on_connect is told of who is there, and nobody is told of twice.

#include <strait/core/options.hpp>
#include <strait/handle/handler.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace strait::handle {

using ConnectionHandler = HandlerOf<const Participant&>;

class ConnectionEvents {
 public:
  enum class Of : std::uint8_t { connect, disconnect };

  // True: nobody calls tell(), and the caller sees to it.
  bool add(Of of, std::shared_ptr<ConnectionHandler> handler, std::vector<Participant> now) {
    const std::lock_guard lock(mutex_);
    if (of == Of::connect) now.clear();
    entries_.push_back({of, std::move(handler), std::move(now)});
    return !std::exchange(is_running_, true);
  }

  void not_running() {
    const std::lock_guard lock(mutex_);
    is_running_ = false;
  }

  // Calls whom `now` is news to, until `is_over()`. False: no handler is left, and nobody calls any more.
  template <class IsOver>
  bool tell(const std::vector<Participant>& now, IsOver is_over) {
    std::vector<std::pair<std::shared_ptr<ConnectionHandler>, Participant>> due;
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(entries_, [](const Entry& entry) { return entry.handler->is_cancelled(); });
      if (entries_.empty()) return is_running_ = false;
      for (Entry& entry : entries_) {
        for (Participant one : entry.of == Of::connect ? missing(now, entry.known) : missing(entry.known, now)) {
          one.alive = entry.of == Of::connect;
          due.emplace_back(entry.handler, one);
        }
        entry.known = now;
      }
    }
    for (const auto& [handler, participant] : due) {
      if (is_over()) break;
      handler->call(participant);
    }
    return true;
  }

  // Is that news to somebody?
  bool is_news(const std::vector<Participant>& now) {
    const std::lock_guard lock(mutex_);
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.known.size() != now.size() || !missing(now, entry.known).empty();
    });
  }

 private:
  struct Entry {
    Of of;
    std::shared_ptr<ConnectionHandler> handler;
    std::vector<Participant> known;
  };

  // Of `all` those that are not in `others`.
  static std::vector<Participant> missing(const std::vector<Participant>& all, const std::vector<Participant>& others) {
    std::vector<Participant> result;
    std::copy_if(all.begin(), all.end(), std::back_inserter(result), [&](const Participant& one) {
      return std::none_of(others.begin(), others.end(), [&](const Participant& other) { return other.id == one.id; });
    });
    return result;
  }

  std::mutex mutex_;
  std::vector<Entry> entries_;
  bool is_running_ = false;
};

}  // namespace strait::handle
