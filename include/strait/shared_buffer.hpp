#pragma once
// SharedBuffer: what every open segment is to its user: a name, a size, an owner, an end.

#include <strait/error.hpp>
#include <strait/handle/gate.hpp>
#include <strait/options.hpp>
#include <strait/platform/fork_guard.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/name_list.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/segment/beside.hpp>
#include <strait/segment/session.hpp>
#include <strait/segment/sweep.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace strait {

/// Base of the classes that open a named segment. Movable, not copyable; the destructor closes. Any thread may call any
/// function; moving and destroying a handle is for one thread, when no other uses it.
class SharedBuffer {
 public:
  SharedBuffer(SharedBuffer&&) noexcept = default;
  SharedBuffer& operator=(SharedBuffer&& other) noexcept {
    SharedBuffer old(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
  }
  ~SharedBuffer() {
    if (state_) close_handle();
  }

  const std::string& name() const { return state().name; }

  /// Bytes for the user's data: an array's or buffer's size, a ring's node_count x node_buffer_size.
  std::uint64_t buffer_size() const { return state().buffer_size; }

  /// Bytes of the whole segment, headers included.
  std::uint64_t shared_memory_size() const { return state().segment_size; }

  /// The creator, or who adopted the segment of a dead one.
  bool is_owner() const {
    if (!state_) return false;
    const handle::Gate::Visit visit(state_->gate);
    return !state_->gate.is_closing() && state_->session->is_owner();
  }

  /// The owner has closed, or this handle has.
  bool shutting_down() const {
    if (!state_) return true;
    const handle::Gate::Visit visit(state_->gate);
    return state_->gate.is_closing() || state_->session->is_closed();
  }

  /// Ends this handle; idempotent. Blocked calls of other threads return `closed`, and it returns when they have left. An open
  /// claim keeps its mapping. The owner's close ends a ring for everybody. Throws would_deadlock from inside a callback of the same handle.
  void close() {
    if (state_) close_handle();
  }

  /// Everybody who holds the segment open, dead ones that nobody has mended yet included.
  std::vector<Participant> participants() const {
    const auto visit = enter();
    return session().participants();
  }

 protected:
  SharedBuffer(std::shared_ptr<segment::Session> session, std::uint64_t buffer_size)
      : state_(std::make_unique<State>(std::move(session), buffer_size)) {}

  handle::Gate::Visit enter() const { return handle::Gate::Visit(state().gate, state().name); }

  handle::Gate& gate() const { return state().gate; }

  /// Only inside a visit.
  segment::Session& session() const { return *state().session; }
  const std::shared_ptr<segment::Session>& shared_session() const { return state().session; }

  /// For direct access, without a visit: null once closed.
  const std::byte* payload() const {
    if (!state_ || state_->payload == nullptr) [[unlikely]] throw_closed();
    return state_->payload;
  }
  std::byte* writable_payload() {
    if (!state_ || state_->writable_payload == nullptr) [[unlikely]] throw_not_writable();
    return state_->writable_payload;
  }

 private:
  struct State {
    State(std::shared_ptr<segment::Session> opened, std::uint64_t size)
        : session(std::move(opened)),
          name(session->segment().name()),
          buffer_size(size),
          segment_size(session->segment().plan().segment_size),
          payload(session->segment().payload()),
          writable_payload(session->read_only() ? nullptr : session->segment().payload()) {}

    handle::Gate gate;
    std::shared_ptr<segment::Session> session;
    std::string name;
    std::uint64_t buffer_size;
    std::uint64_t segment_size;
    const std::byte* payload;
    std::byte* writable_payload;
    platform::ForkMark mark;
    std::atomic<bool> is_closed{false};
  };

  State& state() const {
    if (!state_) [[unlikely]] throw_closed();
    return *state_;
  }

  void close_handle() {
    State& state = *state_;
    if (state.mark.is_inherited()) {
      // A forked child has neither mapping nor descriptor, and nobody who is inside the gate: there is nothing to close.
      state_.reset();
      return;
    }
    if (!state.gate.close(state.name)) {
      while (!state.is_closed.load(std::memory_order_acquire)) std::this_thread::yield();  // SYNC closed: by another thread
      return;
    }
    segment::Session& session = *state.session;
    if (session.is_owner()) {
      session.close_for_everybody();
    } else if (!session.read_only()) {
      session.wake_all();  // this handle's own sleepers are among them
    }
    state.gate.wait_until_empty();
    state.payload = nullptr;
    state.writable_payload = nullptr;
    state.session.reset();
    state.is_closed.store(true, std::memory_order_release);  // SYNC closed: everything is let go
  }

  [[noreturn]] void throw_closed() const { handle::Gate::throw_closed(state_ ? std::string_view(state_->name) : std::string_view("(moved from)")); }
  [[noreturn]] void throw_not_writable() const {
    if (!state_ || state_->payload == nullptr) throw_closed();
    throw Error(Errc::permission_denied, state_->name, "it was opened read_only: use the const forms");
  }

  std::unique_ptr<State> state_;
};

/// Removes the name by hand: everything behind it, whoever holds it. False if there was nothing. Open handles keep working and
/// never remove a newer object of the name; parties that open the name afterwards do not meet them any more. Foreign bytes are
/// refused with not_a_segment. On Windows it does nothing: no name outlives its holders there, and none can be taken from them.
inline bool remove_segment(std::string_view name) {
  const std::string checked = core::checked_name(name);
  if (!platform::SharedObject::names_can_be_removed) return false;
  const bool was_struct = segment::remove_struct_by_hand(checked);
  platform::LifeLock::Removal removal(checked);
  const auto object = platform::SharedObject::open(checked, platform::SharedObject::Access::read_only);
  if (!object) return was_struct;
  layout::SegmentHeader header{};
  const auto read = object->read_start(static_cast<void*>(&header), sizeof header);
  if (object->size() != 0 && (read < sizeof header.magic || header.magic != layout::magic)) {
    if (was_struct) return true;
    throw Error(Errc::not_a_segment, checked, "the bytes under this name are not Strait's; they were left as they are");
  }
  if (platform::SharedObject::remove_name(checked)) {
    removal.done();
    if (read == sizeof header && header.kind == static_cast<std::uint32_t>(layout::Kind::topic)) segment::remove_rings_by_hand(checked);
    return true;
  }
  if (object->is_named(checked)) throw Error(Errc::permission_denied, checked, "only the user who created it may remove it");
  return was_struct;
}

/// Removes every Strait segment of this user that provably nobody holds: what processes that were all killed left behind. How
/// many were removed; 0 where the system does not list names. Segments of other users and foreign files are never touched.
inline std::size_t remove_dead_segments() { return segment::remove_dead(platform::shared_object_names()); }

}  // namespace strait
