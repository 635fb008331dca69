#pragma once
// What a caller may choose when opening, and what a segment tells about its participants.

#include <strait/core/timeout.hpp>

#include <chrono>
#include <cstdint>

namespace strait {

/// How a blocked call waits: first `spin` without giving up the processor, then parked in the kernel. `park = false`: busy.
/// The default spin covers the answer of a partner that is awake (about a microsecond) and the end of a message it is still
/// copying; a kernel wake-up costs 50 to 80 microseconds on a cloud machine, so a spin of that order at most doubles the wait.
struct WaitPolicy {
  std::chrono::nanoseconds spin{std::chrono::microseconds{50}};
  bool park = true;
};

/// How a segment is created or opened. Only `max_participants`, `permissions` and `huge_pages` shape a new segment.
struct OpenOptions {
  std::uint32_t max_participants = 64;  ///< open handles at one time, 1 to 8191
  unsigned permissions = 0600;          ///< of the shared object, whatever the umask
  bool read_only = false;               ///< mapped read-only: no seat, no lock, no claim
  bool huge_pages = false;              ///< ask for huge pages where the system offers them
  WaitPolicy wait{};
  Timeout open_timeout = std::chrono::seconds{2};  ///< for a creator that is still at work
  Timeout lock_timeout = std::chrono::seconds{1};
};

/// Who may use one side of a ring. `one`: the first handle that uses it, one thread at a time.
enum class Sharing : std::uint8_t { many, one };

struct RingOptions : OpenOptions {
  Sharing writers = Sharing::many;
  Sharing readers = Sharing::many;
};

/// One open handle, as others see it. `id` is unique across restarts.
struct Participant {
  std::uint32_t seat;
  std::uint32_t pid;
  bool alive;
  bool owner;
  std::uint64_t id;
};

/// First argument of every constructor that opens what is there and creates what is not.
inline constexpr struct open_or_create_t {
} open_or_create;

}  // namespace strait
