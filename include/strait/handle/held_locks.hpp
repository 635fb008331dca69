#pragma once
// Which locks this thread holds. A lock belongs to the thread that took it: a second one by the same thread would wait for
// itself and is refused; a thread that exits while it holds one lets go, and the lock counts as abandoned.

#include <strait/lock/rw_lock.hpp>
#include <strait/segment/session.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace strait::handle {

enum class Held : std::uint8_t { nothing, shared, exclusive };

class HeldLocks {
 public:
  static HeldLocks& of_this_thread() {
    static thread_local HeldLocks locks;
    return locks;
  }

  ~HeldLocks() {
    for (const Entry& entry : entries_) {
      const auto session = entry.session.lock();
      if (!session || session->is_inherited()) continue;
      lock::RwLock<segment::Session::LockWords> lock{segment::Session::LockWords(*session)};
      if (entry.held == Held::exclusive) {
        lock.unlock_abandoned();
      } else {
        lock.unlock_shared(session->seat());
      }
    }
  }

  Held held(const segment::Session& session) const noexcept {
    const auto entry = find(session.id());
    return entry == entries_.end() ? Held::nothing : entry->held;
  }

  // Before the lock is taken: what could throw is done while there is nothing to undo.
  void make_room() { entries_.reserve(std::max<std::size_t>(16, entries_.size() + 1)); }

  void add(const std::shared_ptr<segment::Session>& session, Held held) { entries_.push_back({session->id(), session, held}); }

  void remove(const segment::Session& session) noexcept {
    const auto entry = find(session.id());
    if (entry != entries_.end()) entries_.erase(entry);
  }

 private:
  struct Entry {
    std::uint64_t id;
    std::weak_ptr<segment::Session> session;
    Held held;
  };

  HeldLocks() = default;

  std::vector<Entry>::const_iterator find(std::uint64_t id) const noexcept {
    return std::find_if(entries_.begin(), entries_.end(), [id](const Entry& entry) { return entry.id == id; });
  }

  std::vector<Entry> entries_;
};

}  // namespace strait::handle
