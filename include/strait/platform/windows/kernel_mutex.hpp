#pragma once
// A named mutex of the system. It belongs to a thread; when that ends or is killed, the system gives it on and tells the next holder.
//
// A handle that is closed by the thread that holds the mutex lets go of it, half done as its work may be. The system has no way to
// tell that to the next holder, so an event beside it, `name.abandoned`, tells the next one that is a Strait program. What another
// thread holds cannot be let go of for it: after close() it is still that thread's, until it unlocks or ends.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/thread_state.hpp>
#include <strait/platform/windows/access_rights.hpp>
#include <strait/platform/windows/api.hpp>
#include <strait/platform/windows/kernel_gate.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace strait::platform {

class KernelMutex {
 public:
  KernelMutex(std::string_view name, const OpenOptions& options)
      : object_(std::make_shared<const Object>(std::string(name), options)), gate_(name) {}
  KernelMutex(const KernelMutex&) = delete;
  KernelMutex& operator=(const KernelMutex&) = delete;
  ~KernelMutex() {
    close();
    if (const auto found = find(); found != holdings().end() && found->is_let_go) holdings().erase(found);
  }

  const std::string& name() const noexcept { return object_->name; }

  // False: timed out. (The system would let its holder in again.)
  bool lock(Timeout timeout) {
    const windows::KernelGate::Visit visit(gate_);
    gate_.throw_if_closing(name());
    for (const Holding& held : holdings()) {
      if (!held.is_let_go && held.object->name == name())
        throw Error(Errc::would_deadlock, name(),
                    "this thread holds it already, through this handle or another; it is not recursive");
    }
    holdings().reserve(holdings().size() + 1);
    const auto waited = gate_.wait(object_->mutex.get(), timeout);
    if (waited == Waited::timed_out) return false;
    if (waited == Waited::closing || gate_.is_closing()) {
      if (waited == Waited::abandoned) ::SetEvent(object_->abandoned.get());  // for the next holder
      if (waited != Waited::closing) ::ReleaseMutex(object_->mutex.get());
      gate_.throw_closed(name());
    }
    const bool was_closed = ::WaitForSingleObject(object_->abandoned.get(), 0) == windows::wait_satisfied;
    is_abandoned_.store(was_closed || waited == Waited::abandoned, std::memory_order_relaxed);  // relaxed: for the holder
    holdings().push_back({object_, false});
    return true;
  }

  // After close() too, so that guards may end after the handle.
  void unlock() {
    const windows::KernelGate::Visit visit(gate_);
    const auto found = find();
    if (found == holdings().end()) {
      gate_.throw_if_closing(name());
      throw Error(Errc::not_held, name(), "this thread does not hold it through this handle");
    }
    const bool is_let_go = found->is_let_go;
    holdings().erase(found);
    if (is_let_go) return;
    is_abandoned_.store(false, std::memory_order_relaxed);  // relaxed: for the holder
    ::ReleaseMutex(object_->mutex.get());
  }

  bool was_abandoned() const {
    gate_.throw_if_closing(name());
    return is_abandoned_.load(std::memory_order_relaxed);  // relaxed: for the holder
  }

  void close() {
    gate_.close();
    const auto found = find();
    if (found == holdings().end() || found->is_let_go) return;
    found->is_let_go = true;
    ::SetEvent(object_->abandoned.get());
    ::ReleaseMutex(object_->mutex.get());
  }

 private:
  using Waited = windows::KernelGate::Waited;

  // Whoever holds the mutex keeps its handles, which it needs to let go.
  struct Object {
    Object(std::string name_of_it, const OpenOptions& options) : name(std::move(name_of_it)) {
      windows::AccessRights rights(name, options.permissions, windows::Purpose::waiting);
      mutex = windows::Handle(::CreateMutexA(rights.get(), 0, name.c_str()));
      if (!mutex)
        mutex = windows::Handle(
            ::OpenMutexA(windows::may_synchronize, 0, name.c_str()));  // another program may have given no more rights
      if (!mutex) windows::refuse_object(name, "a mutex");
      const std::string beside = name + ".abandoned";
      abandoned = windows::Handle(::CreateEventA(rights.get(), 0, 0, beside.c_str()));
      if (!abandoned) windows::refuse_object(beside, "an event");
    }

    std::string name;
    windows::Handle mutex;
    windows::Handle abandoned;
  };

  // What this thread holds, or was when its handle was closed.
  struct Holding {
    std::shared_ptr<const Object> object;
    bool is_let_go;
  };
  using Holdings = std::vector<Holding>;

  static void leave(Holdings&) noexcept {}  // the system does it
  static Holdings& holdings() { return ThreadState<Holdings, &leave>::of_this_thread(); }
  Holdings::iterator find() const {
    return std::find_if(holdings().begin(), holdings().end(), [this](const Holding& held) { return held.object == object_; });
  }

  std::shared_ptr<const Object> object_;
  mutable windows::KernelGate gate_;
  std::atomic<bool> is_abandoned_{false};
};

}  // namespace strait::platform

#endif
