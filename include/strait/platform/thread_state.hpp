#pragma once
// One T for each thread, all zero at first, and what is to be done with it when its thread ends.
//
//     ThreadState<T, leave>::of_this_thread()      also in the destructors of static objects
//     ThreadState<T, leave>::call_at_exit()        from here on leave(T&) runs when this thread ends
//
// On Windows it is memory in a slot of the system: what some compilers there make of thread_local is gone before its destructors
// run.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS
#include <strait/platform/windows/api.hpp>
#endif

namespace strait::platform {

#if STRAIT_WINDOWS

template <class T, void (*leave)(T&) noexcept>
class ThreadState {
 public:
  static T& of_this_thread() {
    void* state = ::FlsGetValue(slot());
    if (state == nullptr) ::FlsSetValue(slot(), state = new T{});
    return *static_cast<T*>(state);
  }

  static void call_at_exit() noexcept {}  // the system calls in any case

 private:
  static unsigned long slot() noexcept {
    static const unsigned long index = ::FlsAlloc(&end);
    return index;
  }

  static void __stdcall end(void* state) noexcept {
    if (state == nullptr) return;
    leave(*static_cast<T*>(state));
    delete static_cast<T*>(state);
  }
};

#else

template <class T, void (*leave)(T&) noexcept>
class ThreadState {
 public:
  static T& of_this_thread() noexcept { return state_; }

  static void call_at_exit() noexcept {
    static thread_local Guard guard;
    guard.is_needed = true;
  }

 private:
  struct Guard {
    bool is_needed = false;
    ~Guard() { leave(state_); }
  };

  // Without a destructor of its own: it works as long as the thread's memory is there.
  static inline thread_local constinit T state_{};
};

#endif

}  // namespace strait::platform
