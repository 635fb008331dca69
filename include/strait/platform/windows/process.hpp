#pragma once
// A process's identity is its id and the time of its creation: an id alone is reused. It is dead when its handle says that it has
// ended; an exit code says nothing, that of a killed process may be anything.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/platform/windows/api.hpp>

#include <cstdint>
#include <random>

namespace strait::platform {

inline std::uint32_t process_id() noexcept { return ::GetCurrentProcessId(); }

// Unique across processes and restarts; never 0.
inline std::uint64_t random_id() {
  std::random_device source;
  for (;;) {
    const std::uint64_t id = std::uint64_t{source()} << 32 | source();
    if (id != 0) return id;
  }
}

// Both in one word, so that it can be taken and checked in one step: | time of creation : 32 | pid : 32 |
// The time in steps of 0.1 ms, modulo five days: one process of an id is told from the next.
class ProcessStamp {
 public:
  static std::uint64_t of_this_process() noexcept {
    static const std::uint64_t stamp = created(::GetCurrentProcess()) << 32 | process_id();
    return stamp;
  }

  static bool is_dead(std::uint64_t stamp) noexcept {
    const auto pid = static_cast<std::uint32_t>(stamp);
    if (pid == 0) return true;
    const windows::Handle process(::OpenProcess(windows::may_synchronize | windows::may_query_process, 0, pid));
    // One that we may not look at is there.
    if (!process) return ::GetLastError() == windows::invalid_parameter;
    return created(process.get()) != stamp >> 32 || ::WaitForSingleObject(process.get(), 0) == windows::wait_satisfied;
  }

 private:
  static std::uint64_t created(void* process) noexcept {
    std::uint32_t times[4][2] = {};  // as four FILETIME: the low half and the high half of 100 ns steps since 1601
    auto* const first = reinterpret_cast<_FILETIME*>(times[0]);
    auto* const second = reinterpret_cast<_FILETIME*>(times[1]);
    auto* const third = reinterpret_cast<_FILETIME*>(times[2]);
    auto* const fourth = reinterpret_cast<_FILETIME*>(times[3]);
    if (::GetProcessTimes(process, first, second, third, fourth) == 0) return 0;
    return static_cast<std::uint32_t>((std::uint64_t{times[0][1]} << 32 | times[0][0]) >> 10);
  }
};

}  // namespace strait::platform

#endif
