#pragma once
// wait_any: one wait for several things.

#include <strait/error.hpp>
#include <strait/handle/wait_source.hpp>
#include <strait/timeout.hpp>
#include <strait/wait/several.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>

namespace strait {

/// How a wait for several things ended: `index` is the one that ended it, counted from 0 in the order in which they were given;
/// where the time was over, their number.
struct WaitResult {
  Status status;
  std::size_t index;
  explicit operator bool() const noexcept { return status == Status::ok; }
};

namespace core {

/// A CircularBuffer, Subscriber, SharedStruct, NotifyingBuffer or NamedEvent.
template <class T>
concept can_be_waited_for = requires(T& thing) {
  { handle::WaitAccess::source(thing) } -> std::derived_from<handle::WaitSource>;
};

}  // namespace core

/// Waits until one of them has something for its user, the first of those that have:
/// - a CircularBuffer or Subscriber: a message to take. Another reader may be faster: take it with no_wait;
/// - a SharedStruct or NotifyingBuffer: a change since wait_any last ended with this handle, or it was opened;
/// - a NamedEvent: it is set. An automatic event is reset by this, as by its own wait.
///
/// `ok`: there is. `timed_out`. `closed`: this handle, or the ring it belongs to, was closed and is read. `peer_lost`: its creator
/// is dead and nobody else has it open. What is waited for may be used by other threads, and closed. Of a ring that allows one
/// reader, wait_any is a use by that reader. Waits (spins, parks) as the first of them was told to.
///
/// No system call while one of them is ready; one sleep for all of them (Linux 5.16, Windows), or short ones: elsewhere, for
/// named events of Windows and for what is open read_only.
template <core::can_be_waited_for... Things>
  requires(sizeof...(Things) > 0)
WaitResult wait_any(Timeout timeout, Things&... things) {
  // The sources live as long as this call.
  return [timeout](auto&&... sources) {
    std::array<wait::Source*, sizeof...(sources)> all{&sources...};
    const std::array<const handle::WaitSource*, sizeof...(sources)> verdicts{&sources...};
    const auto [waited, index] = wait::until_any(std::span<wait::Source* const, sizeof...(sources)>(all), timeout);
    switch (waited) {
      case wait::Waited::done: return WaitResult{verdicts[index]->verdict(), index};
      case wait::Waited::stopped: return WaitResult{Status::peer_lost, index};
      case wait::Waited::timed_out: break;
    }
    return WaitResult{Status::timed_out, index};
  }(handle::WaitAccess::source(things)...);
}

}  // namespace strait
