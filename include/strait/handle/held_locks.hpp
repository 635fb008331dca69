#pragma once
// Which locks this thread holds. A lock belongs to the thread that took it: a second one by the same thread would wait for
// itself and is refused; a thread that exits while it holds one lets go, and the lock counts as abandoned.
//
// The list works as long as the thread's memory is there: also in the destructors of static objects.

#include <strait/lock/rw_lock.hpp>
#include <strait/platform/thread_state.hpp>
#include <strait/segment/session.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace strait::handle {

enum class Held : std::uint8_t { nothing, shared, exclusive };

class HeldLocks {
 public:
  static constexpr std::size_t most = 64;

  // By the id of the handle's session, which outlives the session.
  static Held held(std::uint64_t id) noexcept {
    const Entry* const entry = find(id);
    return entry == nullptr ? Held::nothing : entry->held;
  }

  // False: this thread holds as many locks as it can. Of handles that were closed meanwhile it holds none: they are forgotten here, when
  // there is no other room left.
  static bool has_room() noexcept {
    if (find(0) != nullptr) return true;
    for (Entry& entry : State::of_this_thread()) {
      if (entry.stored().expired()) static_cast<void>(entry.take());
    }
    return find(0) != nullptr;
  }

  static void add(const std::shared_ptr<segment::Session>& session, Held held) noexcept {
    State::call_at_exit();
    Entry* const entry = find(0);
    entry->id = session->id();
    entry->held = held;
    new (entry->session) Weak(session);
  }

  static void remove(std::uint64_t id) noexcept {
    if (Entry* const entry = find(id)) static_cast<void>(entry->take());
  }

 private:
  using Weak = std::weak_ptr<segment::Session>;

  struct Entry {
    std::uint64_t id;  // 0: not in use
    Held held;
    alignas(Weak) std::byte session[sizeof(Weak)];

    Weak& stored() noexcept { return *std::launder(reinterpret_cast<Weak*>(session)); }

    Weak take() noexcept {
      Weak taken = std::move(stored());
      stored().~Weak();
      id = 0;
      return taken;
    }
  };

  using Entries = std::array<Entry, most>;

  static void release_all(Entries& entries) noexcept {
    for (Entry& entry : entries) {
      if (entry.id == 0) continue;
      const Held held = entry.held;
      const auto session = entry.take().lock();
      if (!session || session->is_inherited()) continue;
      lock::RwLock<segment::Session::LockWords> lock{segment::Session::LockWords(*session)};
      if (held == Held::exclusive) {
        lock.unlock_abandoned();
      } else {
        lock.unlock_shared(session->seat());
      }
    }
  }

  using State = platform::ThreadState<Entries, &release_all>;

  static Entry* find(std::uint64_t id) noexcept {
    for (Entry& entry : State::of_this_thread()) {
      if (entry.id == id) return &entry;
    }
    return nullptr;
  }
};

}  // namespace strait::handle
