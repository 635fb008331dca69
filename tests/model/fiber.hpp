#pragma once
// A stack of its own for each actor, and the switch from one to the next. A stack may be dropped at any switch: whatever ran on
// it is dead, its destructors never run.
//
// The switch is the inner loop of an exploration, so on x86-64 it is a few instructions (swapcontext makes a system call). With
// AddressSanitizer, and elsewhere, swapcontext does it: sanitizers know that function.

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

#if defined(STRAIT_MODEL_UCONTEXT)
#include <ucontext.h>
#endif

namespace strait::model {

#if defined(STRAIT_MODEL_UCONTEXT)

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
#if defined(_WIN32)
__attribute__((naked, noinline)) inline void switch_stacks(void** /*save: rcx*/, void* /*next: rdx*/) {
  asm volatile(
      "pushq %rbp\n pushq %rbx\n pushq %rdi\n pushq %rsi\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "subq $160, %rsp\n"
      "movups %xmm6, (%rsp)\n movups %xmm7, 16(%rsp)\n movups %xmm8, 32(%rsp)\n movups %xmm9, 48(%rsp)\n movups %xmm10, 64(%rsp)\n"
      "movups %xmm11, 80(%rsp)\n movups %xmm12, 96(%rsp)\n movups %xmm13, 112(%rsp)\n movups %xmm14, 128(%rsp)\n movups %xmm15, 144(%rsp)\n"
      "movq %rsp, (%rcx)\n movq %rdx, %rsp\n"
      "movups (%rsp), %xmm6\n movups 16(%rsp), %xmm7\n movups 32(%rsp), %xmm8\n movups 48(%rsp), %xmm9\n movups 64(%rsp), %xmm10\n"
      "movups 80(%rsp), %xmm11\n movups 96(%rsp), %xmm12\n movups 112(%rsp), %xmm13\n movups 128(%rsp), %xmm14\n movups 144(%rsp), %xmm15\n"
      "addq $160, %rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rsi\n popq %rdi\n popq %rbx\n popq %rbp\n ret\n");
}
inline constexpr std::size_t saved_words = 8 + 160 / sizeof(std::uintptr_t);
#else
__attribute__((naked, noinline)) inline void switch_stacks(void** /*save: rdi*/, void* /*next: rsi*/) {
  asm volatile(
      "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "movq %rsp, (%rdi)\n movq %rsi, %rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n");
}
inline constexpr std::size_t saved_words = 6;
#endif

class Fiber {
 public:
  void start(void (*entry)()) {
    if (!stack_) stack_ = std::make_unique<std::byte[]>(stack_size);
    auto top = (reinterpret_cast<std::uintptr_t>(stack_.get()) + stack_size) & ~std::uintptr_t{15};
    auto* const caller = reinterpret_cast<std::uintptr_t*>(top) - 8;  // Windows lets `entry` write above it
    caller[1] = 0;                                                     // nobody returns from `entry`
    caller[0] = reinterpret_cast<std::uintptr_t>(entry);               // where the first switch "returns" to
    std::memset(caller - saved_words, 0, saved_words * sizeof *caller);
    top_ = caller - saved_words;
  }
  static void go(Fiber& from, Fiber& to) { switch_stacks(&from.top_, to.top_); }

 private:
  static constexpr std::size_t stack_size = 64 * 1024;
  std::unique_ptr<std::byte[]> stack_;
  void* top_ = nullptr;
};

#endif

}  // namespace strait::model
