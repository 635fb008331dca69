#pragma once
// A stack of its own for each actor, and the switch from one to the next. A stack may be dropped at any switch: whatever ran on
// it is dead, its destructors never run.
//
// The switch is the inner loop of an exploration, so on x86-64 it is ten instructions (swapcontext makes a system call). With
// AddressSanitizer, and elsewhere, swapcontext does it: sanitizers know that function. Windows has fibers of its own.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#if defined(__SANITIZE_ADDRESS__)
#define STRAIT_MODEL_UCONTEXT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STRAIT_MODEL_UCONTEXT 1
#endif
#endif
#if !defined(__x86_64__) && !defined(STRAIT_MODEL_UCONTEXT)
#define STRAIT_MODEL_UCONTEXT 1
#endif

#if defined(_WIN32)
#include <windows.h>
#elif defined(STRAIT_MODEL_UCONTEXT)
#include <ucontext.h>
#endif

namespace strait::model {

#if defined(_WIN32)

inline constexpr bool slow_switch = true;

class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { drop(); }

  void start(void (*entry)()) {
    drop();
    entry_ = entry;
    handle_ = ::CreateFiber(stack_size, &run, this);
    is_own_ = true;
  }
  static void go(Fiber& from, Fiber& to) {
    if (from.handle_ == nullptr) from.handle_ = ::IsThreadAFiber() != 0 ? ::GetCurrentFiber() : ::ConvertThreadToFiber(nullptr);
    ::SwitchToFiber(to.handle_);
  }

 private:
  static constexpr std::size_t stack_size = 64 * 1024;

  static void __stdcall run(void* self) { static_cast<Fiber*>(self)->entry_(); }

  void drop() {
    if (is_own_) ::DeleteFiber(handle_);
    handle_ = nullptr;
    is_own_ = false;
  }

  void* handle_ = nullptr;
  void (*entry_)() = nullptr;
  bool is_own_ = false;  // made by start(), not the thread's own
};

#elif defined(STRAIT_MODEL_UCONTEXT)

inline constexpr bool slow_switch = true;

class Fiber {
 public:
  void start(void (*entry)()) {
    if (!stack_) stack_ = std::make_unique<std::byte[]>(stack_size);
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = stack_size;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
  }
  static void go(Fiber& from, Fiber& to) { swapcontext(&from.context_, &to.context_); }

 private:
  static constexpr std::size_t stack_size = 256 * 1024;
  std::unique_ptr<std::byte[]> stack_;
  ucontext_t context_{};
};

#else

inline constexpr bool slow_switch = false;

// Saves the registers that a call preserves and the stack pointer in `*save`, and goes on where `next` was saved.
__attribute__((naked, noinline)) inline void switch_stacks(void** /*save: rdi*/, void* /*next: rsi*/) {
  asm volatile(
      "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "movq %rsp, (%rdi)\n movq %rsi, %rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n");
}

class Fiber {
 public:
  void start(void (*entry)()) {
    if (!stack_) stack_ = std::make_unique<std::byte[]>(stack_size);
    auto top = (reinterpret_cast<std::uintptr_t>(stack_.get()) + stack_size) & ~std::uintptr_t{15};
    auto* slots = reinterpret_cast<std::uintptr_t*>(top);
    slots[-1] = 0;                                         // nobody returns from `entry`
    slots[-2] = reinterpret_cast<std::uintptr_t>(entry);   // where the first switch "returns" to
    std::memset(slots - 8, 0, 6 * sizeof *slots);          // the six registers
    top_ = slots - 8;
  }
  static void go(Fiber& from, Fiber& to) { switch_stacks(&from.top_, to.top_); }

 private:
  static constexpr std::size_t stack_size = 64 * 1024;
  std::unique_ptr<std::byte[]> stack_;
  void* top_ = nullptr;
};

#endif

}  // namespace strait::model
