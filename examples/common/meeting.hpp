#pragma once
// How two programs that share a ring meet, whichever starts first, and how one notices that the other is gone.

#include <strait/circular_buffer.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace examples {

/// How often a program that waits for the other to start looks again.
inline constexpr std::chrono::milliseconds look_again{50};

/// Opens the ring as soon as somebody has created it; after `deadline` throws what opening threw (`Errc::not_found`).
/// A ring whose owner has closed it belongs to an earlier run that is about to leave.
inline strait::CircularBuffer open_when_there(const std::string& name, std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const bool last_look = std::chrono::steady_clock::now() >= deadline;
    try {
      strait::CircularBuffer ring(name);
      if (!ring.shutting_down() || last_look) return ring;
    } catch (const strait::Error& error) {
      if (error.code() != strait::Errc::not_found || last_look) throw;
    }
    std::this_thread::sleep_for(look_again);
  }
}

/// Whether any living handle but the caller's own has the segment open. A stopped process is alive.
inline bool anybody_else(const strait::SharedBuffer& shared) {
  const auto participants = shared.participants();
  return std::ranges::count_if(participants, &strait::Participant::alive) > 1;
}

/// Returns when another handle has the segment open.
inline void wait_for_somebody(const strait::SharedBuffer& shared, std::chrono::steady_clock::time_point deadline) {
  while (!anybody_else(shared)) {
    if (std::chrono::steady_clock::now() >= deadline)
      throw std::runtime_error("nobody else opened \"" + shared.name() + "\" in time");
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace examples
