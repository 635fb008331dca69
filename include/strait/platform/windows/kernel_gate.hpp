#pragma once
// Who is inside a handle of a kernel object: close() turns newcomers away, wakes those who wait, and returns when all have left.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/windows/api.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace strait::platform::windows {

// An object of the name and kind that was asked for, whichever way the system told that there is none.
[[noreturn]] inline void refuse_object(std::string_view name, const char* kind) {
  switch (::GetLastError()) {
    case access_denied:
      throw Error(
          Errc::permission_denied, name,
          "this user may not open it, or may not make objects of this name; the creator's OpenOptions::permissions decide");
    case invalid_handle:
      throw Error(Errc::wrong_kind, name, "an object of another kind has this name; asked for " + std::string(kind));
    default:
      throw Error(Errc::no_space, name, "the system makes no more such objects; asked for " + std::string(kind));
  }
}

class KernelGate {
 public:
  explicit KernelGate(std::string_view name) : closing_event_(::CreateEventA(nullptr, stays_set, 0, nullptr)) {
    if (!closing_event_) refuse_object(name, "an event of this process");
  }

  // One call, from its first line to its last.
  class Visit {
   public:
    explicit Visit(KernelGate& gate) noexcept : gate_(gate) {
      // SYNC kernel-gate: before the look at `closing`.
      gate_.calls_.fetch_add(1, std::memory_order_seq_cst);
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() {
      // SYNC kernel-gate: everything done inside comes before what close() does next.
      gate_.calls_.fetch_sub(1, std::memory_order_release);
    }

   private:
    KernelGate& gate_;
  };

  // SYNC kernel-gate: seq_cst against the count.
  bool is_closing() const noexcept { return closing_.load(std::memory_order_seq_cst) != 0; }

  [[noreturn]] static void throw_closed(std::string_view name) {
    throw Error(Errc::closed, name, "this handle is closed; open it again");
  }
  void throw_if_closing(std::string_view name) const {
    if (is_closing()) throw_closed(name);
  }

  enum class Waited : std::uint8_t { satisfied, abandoned, closing, timed_out };

  // For the object, or the handle's end.
  Waited wait(void* object, Timeout timeout) const {
    const core::Deadline deadline(timeout);
    void* const objects[] = {object, closing_event_.get()};
    for (;;) {
      // The system counts in milliseconds, up to 49 days.
      const auto left = (std::min<std::chrono::nanoseconds>)(deadline.left().length(), std::chrono::hours(24));
      const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      switch (::WaitForMultipleObjects(2, objects, 0, static_cast<unsigned long>(milliseconds))) {
        case wait_satisfied:
          return Waited::satisfied;
        case wait_abandoned:
          return Waited::abandoned;
        case wait_timed_out:
          if (deadline.left().is_no_wait()) return Waited::timed_out;
          break;
        default:
          return Waited::closing;
      }
    }
  }

  void close() noexcept {
    // SYNC kernel-gate: before the look at the count.
    closing_.store(1, std::memory_order_seq_cst);
    ::SetEvent(closing_event_.get());
    // SYNC kernel-gate: acquires what was done inside.
    while (calls_.load(std::memory_order_acquire) != 0) ::Sleep(1);
  }

 private:
  static constexpr int stays_set = 1;

  std::atomic<std::uint32_t> calls_{0};
  std::atomic<std::uint32_t> closing_{0};
  Handle closing_event_;
};

}  // namespace strait::platform::windows

#endif
