#pragma once
// SharedBuffer of the C# library: what every class with a mapping is to its user: a name, a size, an owner, an end.

#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/object.hpp>
#include <strait/handle/gate.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace strait::dotnet {

/// Base of the classes that share a mapping with the C# library. Movable, not copyable; the destructor closes. Any thread may call any
/// function; moving and destroying a handle is for one thread, when no other uses it.
class SharedBuffer {
 public:
  SharedBuffer(SharedBuffer&&) noexcept = default;
  SharedBuffer& operator=(SharedBuffer&&) noexcept = default;

  const std::string& name() const { return state().name; }

  /// Bytes behind the header: an array's or buffer's data; of a ring also its nodes' headers, as in C#.
  std::uint64_t buffer_size() const { return state().size - sizeof(SharedHeader); }
  /// Bytes of everything.
  std::uint64_t shared_memory_size() const { return state().size; }

  /// The creator.
  bool is_owner() const { return state_ != nullptr && state_->is_owner && !state_->gate.is_closing(); }

  /// The owner has closed, or this handle has.
  bool shutting_down() const {
    if (!state_) return true;
    const handle::Gate::Visit visit(state_->gate);
    return state_->gate.is_closing() || state_->object->is_shut_down();
  }

  /// Ends this handle; idempotent. Blocked calls of other threads return, and it returns when they have left. The owner's close is
  /// seen by all (`shutting_down`). Throws would_deadlock from inside a callback of the same handle.
  void close() {
    if (state_) state_->close();
  }

 protected:
  struct State {
    explicit State(std::unique_ptr<Object> opened)
        : object(std::move(opened)), name(object->name()), size(object->size()), is_owner(object->is_owner()) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    virtual ~State() = default;  // each derived one closes

    virtual void wake() = 0;    // this handle's sleepers look around, and perhaps others'
    virtual void let_go() = 0;  // of events and mutexes; nobody is inside

    handle::Gate::Visit enter() { return handle::Gate::Visit(gate, name); }

    void close() {
      if (object != nullptr && object->is_inherited()) return;  // a forked child has neither mapping nor threads
      if (!gate.close(name)) {
        while (!is_closed.load(std::memory_order_acquire)) std::this_thread::yield();  // SYNC closed: by another thread
        return;
      }
      if (is_owner) object->shut_down();
      wake();
      while (!gate.is_empty()) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
        wake();
      }
      let_go();
      object.reset();
      is_closed.store(true, std::memory_order_release);  // SYNC closed: everything is let go
    }

    handle::Gate gate;
    std::unique_ptr<Object> object;  // until nobody is inside the gate
    const std::string name;
    const std::uint64_t size;
    const bool is_owner;
    std::atomic<bool> is_closed{false};
  };

  explicit SharedBuffer(std::unique_ptr<State> state) : state_(std::move(state)) {}
  ~SharedBuffer() = default;

  State& state() const {
    if (!state_) [[unlikely]] handle::Gate::throw_closed("(moved from)");
    return *state_;
  }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace strait::dotnet
