#pragma once
// NamedEvent: something that happened, between processes.

#include <strait/core/name.hpp>
#include <strait/error.hpp>
#include <strait/handle/segment_event.hpp>
#include <strait/handle/wait_source.hpp>
#include <strait/options.hpp>
#include <strait/platform/kernel_objects.hpp>
#include <strait/timeout.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace strait {

/// Opens the event of this name, or creates it; only its creator's `initially_set` counts. `manual`: once set, everybody gets
/// through until it is reset; who waited when it was set gets through even if it is reset at once. `automatic`: each set lets
/// one thread through, the one that waits longest; N sets made while N wait let all N through, also if one of them dies; sets
/// with nobody waiting count once. (On Windows it is the system's own event: a set given to a waiter that is killed then is lost.)
/// Opening it with the other kind of reset throws type_mismatch. Movable, not copyable; the destructor closes. Any thread, any
/// process.
class NamedEvent {
 public:
  enum class Reset : std::uint8_t { automatic, manual };

  NamedEvent(std::string_view name, Reset reset, bool initially_set = false, const OpenOptions& options = {})
      : event_(std::make_unique<Event>(core::checked_name(name), reset == Reset::manual, initially_set, options)) {}

  const std::string& name() const { return event().name(); }

  void set() { event().set(); }
  void reset() { event().reset(); }

  /// peer_lost: nobody else has it open, and who created it is gone (not on Windows, where the system does not tell).
  Status wait(Timeout timeout = forever) { return event().wait(timeout); }

  /// Ends this handle; idempotent. Blocked waits of other threads return `closed`, and it returns when they have left.
  void close() {
    if (event_) event_->close();
  }

 private:
  friend struct handle::WaitAccess;
  auto wait_source() {
    return [](auto& event) {
      if constexpr (platform::has_kernel_objects) {
        return handle::LookedAtSource([&event](Status& verdict) {
          verdict = event.wait(no_wait);
          return verdict != Status::timed_out;
        });
      } else {
        return event.wait_source();
      }
    }(event());
  }

  using Event = std::conditional_t<platform::has_kernel_objects, platform::KernelEvent, handle::SegmentEvent>;

  Event& event() const {
    if (!event_) handle::Gate::throw_closed("(moved from)");
    return *event_;
  }

  std::unique_ptr<Event> event_;
};

}  // namespace strait
