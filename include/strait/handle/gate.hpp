#pragma once
// Who is inside a handle: close() turns newcomers away and returns when those inside have left.
//
// Entering must cost next to nothing, so the first thread that uses a handle is its resident: it counts its calls in a word
// that only it writes, without a locked instruction, and close() pays for the fence (platform/asymmetric_fence.hpp). Other
// threads count in a common word.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/platform/asymmetric_fence.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>

namespace strait::handle {

class Gate {
 public:
  // One call, from its first line to its last. Throws Errc::closed if the handle is closed.
  class Visit {
   public:
    Visit(Gate& gate, std::string_view name) : Visit(gate) {
      if (gate_.is_closing()) throw_closed(name);
    }

    // The same for a call that has an answer on a closed handle too: look at is_closing() first.
    explicit Visit(Gate& gate) noexcept : gate_(gate), resident_(gate.is_resident()) { enter(); }

    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { leave(); }

   private:
    void enter() noexcept {
      if (resident_) {
        auto& calls = gate_.resident_calls_;
        // relaxed: only this thread writes it; the fence orders it before the look at `closing`
        calls.store(calls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        platform::light_fence();
      } else {
        // SYNC gate: before the look at `closing`.
        gate_.visitor_calls_.fetch_add(1, std::memory_order_seq_cst);
        outer_ = innermost();
        innermost() = this;
      }
    }

    void leave() noexcept {
      if (resident_) {
        auto& calls = gate_.resident_calls_;
        // SYNC gate: everything done inside comes before what close() does next.
        calls.store(calls.load(std::memory_order_relaxed) - 1, std::memory_order_release);
      } else {
        innermost() = outer_;
        // SYNC gate: as above.
        gate_.visitor_calls_.fetch_sub(1, std::memory_order_release);
      }
    }

    friend class Gate;
    Gate& gate_;
    bool resident_;
    Visit* outer_ = nullptr;
  };

  // Runs `f()`, a call that runs no user code and makes no other visit: the resident's mark is a store each way, which waits for no
  // load. Throws Errc::closed if the handle is closed.
  template <class F>
  STRAIT_HOT auto glance(std::string_view name, F f) {
    if (!is_resident()) [[unlikely]] return glance_as_visitor(name, f);
    resident_glances_.store(1, std::memory_order_relaxed);  // relaxed: the fence orders it before the look at `closing`
    const EndOfGlance end{resident_glances_};
    platform::light_fence();
    if (is_closing()) [[unlikely]] throw_closed(name);
    return f();
  }

  // SYNC gate: seq_cst against the counts, and for a waiter between its announcement and its sleep.
  bool is_closing() const noexcept { return closing_.load(std::memory_order_seq_cst) != 0; }

  // From now on nobody enters. False if it was closed before. Wake the sleepers, then wait_until_empty().
  bool close(std::string_view name) {
    if (is_inside()) throw Error(Errc::would_deadlock, name, "close() was called from inside a callback of the same handle; close it after the call has returned");
    return shut();
  }

  // The same where no user code ever runs inside.
  bool shut() noexcept {
    // SYNC gate: before the look at the counts.
    const bool first = closing_.exchange(1, std::memory_order_seq_cst) == 0;
    platform::heavy_fence();
    return first;
  }

  void wait_until_empty() const noexcept {
    while (!is_empty()) std::this_thread::sleep_for(std::chrono::microseconds(20));
  }

  // After it was closed.
  bool is_empty() const noexcept {
    // SYNC gate: acquires what was done inside.
    return resident_calls_.load(std::memory_order_acquire) == 0 && resident_glances_.load(std::memory_order_acquire) == 0 &&
           visitor_calls_.load(std::memory_order_acquire) == 0;
  }

  [[noreturn]] STRAIT_COLD static void throw_closed(std::string_view name) { throw Error(Errc::closed, name, "this handle is closed; open the segment again"); }

 private:
  struct EndOfGlance {
    std::atomic<std::uint32_t>& glances;
    // SYNC gate: everything done inside comes before what close() does next.
    ~EndOfGlance() { glances.store(0, std::memory_order_release); }
  };

  // Any address that is this thread's alone.
  static const void* this_thread() noexcept {
    static thread_local char mark;
    return &mark;
  }

  static Visit*& innermost() noexcept {
    static thread_local Visit* visit = nullptr;
    return visit;
  }

  bool is_resident() noexcept {
    const void* const me = this_thread();
    const void* const seen = resident_.load(std::memory_order_relaxed);  // relaxed: it matters only whether it is this thread
    if (seen == me) [[likely]] return true;
    return seen == nullptr && become_resident(me);
  }

  template <class F>
  STRAIT_COLD auto glance_as_visitor(std::string_view name, F f) {
    const Visit visit(*this, name);
    return f();
  }

  STRAIT_COLD bool become_resident(const void* me) noexcept {
    const void* nobody = nullptr;
    return resident_.compare_exchange_strong(nobody, me, std::memory_order_relaxed);  // relaxed: as above
  }

  bool is_inside() const noexcept {
    // relaxed: written by this very thread, if it is the resident
    if (resident_.load(std::memory_order_relaxed) == this_thread()) return resident_calls_.load(std::memory_order_relaxed) != 0;
    for (const Visit* visit = innermost(); visit != nullptr; visit = visit->outer_) {
      if (&visit->gate_ == this) return true;
    }
    return false;
  }

  std::atomic<const void*> resident_{nullptr};
  std::atomic<std::uint32_t> resident_calls_{0};
  std::atomic<std::uint32_t> resident_glances_{0};
  std::atomic<std::uint32_t> visitor_calls_{0};
  std::atomic<std::uint32_t> closing_{0};  // not a bool: some processors exchange whole words only
};

}  // namespace strait::handle
