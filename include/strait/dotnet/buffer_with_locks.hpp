#pragma once
// BufferWithLocks of the C# library: data with two events that are called locks. Base of SharedArray and BufferReadWrite.
//
//     `name_evt_write`   set: who writes may go on        reset by who "locks for reading"
//     `name_evt_read`    set: who reads may go on         reset by who "locks for writing"

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/object.hpp>
#include <strait/dotnet/shared_buffer.hpp>
#include <strait/dotnet/signals.hpp>
#include <strait/dotnet/waiting.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace strait::dotnet {

/// What the C# library calls locks: the read lock holds up writers and the write lock readers, and neither holds up its own kind. They
/// have no owner and no count: several may hold one, the first release is everybody's, nobody is told that a holder died, and what a
/// killed holder has reset stays so until somebody releases. They are kept as they are because the other side may rely on them.
class BufferWithLocks : public SharedBuffer {
 public:
  /// Waits until nobody locks for writing, then holds up writers. False: timed out, or closed meanwhile.
  bool acquire_read_lock(Timeout timeout = forever) {
    Locks& mine = locks();
    const auto visit = mine.enter();
    if (!pass(mine, mine.may_read, timeout)) return false;
    mine.may_write.reset();
    return true;
  }
  void release_read_lock() {
    Locks& mine = locks();
    const auto visit = mine.enter();
    mine.may_write.set();
  }

  /// Waits until nobody locks for reading, then holds up readers. False: timed out, or closed meanwhile.
  bool acquire_write_lock(Timeout timeout = forever) {
    Locks& mine = locks();
    const auto visit = mine.enter();
    if (!pass(mine, mine.may_write, timeout)) return false;
    mine.may_read.reset();
    return true;
  }
  void release_write_lock() {
    Locks& mine = locks();
    const auto visit = mine.enter();
    mine.may_read.set();
  }

  /// How long reads and writes that copy wait for the event of their kind before they throw timed_out. Default 100 ms.
  std::chrono::milliseconds read_write_timeout() const {
    return std::chrono::milliseconds(locks().read_write_timeout.load(std::memory_order_relaxed));  // relaxed: a number of its own
  }
  void read_write_timeout(std::chrono::milliseconds timeout) {
    if (timeout.count() < 0) throw Error(Errc::invalid_argument, name(), "read_write_timeout is negative; 0 means do not wait");
    locks().read_write_timeout.store(timeout.count(), std::memory_order_relaxed);  // relaxed: a number of its own
  }

 protected:
  BufferWithLocks(std::unique_ptr<Object> object, const OpenOptions& options)
      : BufferWithLocks(new Locks(std::move(object), options)) {}

  /// For direct access, without a visit: null once closed.
  const std::byte* payload() const { return data(); }
  std::byte* writable_payload() { return data(); }

  template <class F>
  void writing(F&& f) {
    Locks& mine = locks();
    const auto visit = mine.enter();
    if (!pass(mine, mine.may_write, read_write_timeout())) throw_timed_out("write");
    std::forward<F>(f)();
  }

  template <class F>
  void reading(F&& f) const {
    Locks& mine = locks();
    const auto visit = mine.enter();
    if (!pass(mine, mine.may_read, read_write_timeout())) throw_timed_out("read");
    std::forward<F>(f)();
  }

 private:
  struct Locks final : State {
    Locks(std::unique_ptr<Object> opened, const OpenOptions& options)
        : State(std::move(opened)),
          may_write(signal_name(name, suffix::may_write), true, true, options),
          may_read(signal_name(name, suffix::may_read), true, true, options),
          data(object->base() + sizeof(SharedHeader)) {}
    ~Locks() override { close(); }

    void wake() override {}  // who waits looks at the gate at the end of a slice
    void let_go() override {
      data.store(nullptr, std::memory_order_relaxed);  // relaxed: see data()
      may_write.close();
      may_read.close();
    }

    Event may_write;
    Event may_read;
    std::atomic<std::byte*> data;
    std::atomic<std::chrono::milliseconds::rep> read_write_timeout{100};
  };

  explicit BufferWithLocks(Locks* locks) : SharedBuffer(std::unique_ptr<State>(locks)), locks_(locks) {}

  Locks& locks() const {
    static_cast<void>(state());  // not moved from
    return *locks_;
  }

  std::byte* data() const {
    Locks& mine = locks();
    std::byte* const data = mine.data.load(std::memory_order_relaxed);  // relaxed: whoever uses it synchronises with close() itself
    if (data == nullptr) [[unlikely]] handle::Gate::throw_closed(mine.name);
    return data;
  }

  // In slices: the end of this handle is noticed.
  static bool pass(Locks& mine, Event& event, Timeout timeout) {
    const core::Deadline deadline(timeout);
    for (;;) {
      const auto now = core::Clock::now();
      if (event.wait(timeout.is_no_wait() ? no_wait : Timeout(deadline.left(now, longest_sleep))) == Status::ok) return true;
      if (timeout.is_no_wait() || deadline.passed(core::Clock::now()) || mine.gate.is_closing()) return false;
    }
  }

  [[noreturn]] void throw_timed_out(const char* what) const {
    throw Error(Errc::timed_out, name(),
                std::string("the ") + what + " waited " + std::to_string(read_write_timeout().count()) +
                    " ms for another holder's lock; see acquire_read_lock, acquire_write_lock and read_write_timeout");
  }

  Locks* locks_;
};

}  // namespace strait::dotnet
