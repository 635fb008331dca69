#pragma once
// A process's identity is its id and its start time: an id alone is reused. Start times come from /proc where there is one (clock
// ticks since boot), and on macOS from sysctl (milliseconds since 1970); elsewhere they read 0 and an id that is taken again
// passes for alive, which delays a repair and never repairs the living.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/proc.h>
#include <sys/random.h>
#include <sys/sysctl.h>
#endif

namespace strait::platform {

inline std::uint32_t process_id() noexcept { return static_cast<std::uint32_t>(::getpid()); }

// Unique across processes and restarts; never 0. (Not by <random>, which costs everybody who includes this a tenth of a second.)
inline std::uint64_t random_id() {
  for (;;) {
    std::uint64_t id = 0;
    if (::getentropy(&id, sizeof id) != 0) throw std::system_error(errno, std::generic_category(), "strait: no random number");
    if (id != 0) return id;
  }
}

struct ProcessState {
  char code;  // 'Z' and 'X': ended, waiting to be reaped
  int threads;
  std::uint64_t start_time;

  // The first thread may have ended ('Z') while others run.
  bool is_dead() const noexcept { return code == 'X' || (code == 'Z' && threads <= 1); }
};

// False where the system does not tell.
#if defined(__APPLE__)

inline bool read_process_state(std::uint32_t pid, ProcessState& state) noexcept {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
  kinfo_proc process{};
  std::size_t size = sizeof process;
  if (::sysctl(name, 4, &process, &size, nullptr, 0) != 0 || size == 0) return false;
  state.code = process.kp_proc.p_stat == SZOMB ? 'Z' : 'R';
  state.threads = 1;
  const auto& start = process.kp_proc.p_starttime;
  state.start_time = static_cast<std::uint64_t>(start.tv_sec) * 1000 + static_cast<std::uint64_t>(start.tv_usec) / 1000;
  return true;
}

#else

inline bool read_process_state(std::uint32_t pid, ProcessState& state) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%u/stat", pid);
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  char text[1024];
  const auto size = ::read(descriptor, text, sizeof text - 1);
  ::close(descriptor);
  if (size <= 0) return false;
  text[size] = '\0';
  // The command's name stands in parentheses and may hold anything; the fields start behind the last one.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] != ' ') return false;
  state.code = at[2];
  unsigned long long start = 0;
  // Fields 20 and 22 of the line; the state's letter is field 3.
  if (std::sscanf(at + 3, " %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d %*d %llu", &state.threads, &start) != 2) return false;
  state.start_time = start;
  return true;
}

#endif

// pid and start time in one word, so that it can be taken and checked in one step: | start time : 42 | pid : 22 |
class ProcessStamp {
 public:
  static std::uint64_t of_this_process() noexcept {
    ProcessState state{};
    const auto pid = process_id();
    if (!read_process_state(pid, state)) state.start_time = 0;
    return state.start_time << pid_bits | pid;
  }

  static bool is_dead(std::uint64_t stamp) noexcept {
    const auto pid = static_cast<std::uint32_t>(stamp & ((1u << pid_bits) - 1));
    if (pid == 0) return true;
    ProcessState state{};
    if (read_process_state(pid, state)) {
      const bool is_another = stamp >> pid_bits != 0 && (state.start_time << pid_bits >> pid_bits) != stamp >> pid_bits;
      return is_another || state.is_dead();
    }
    return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
  }

 private:
  static constexpr unsigned pid_bits = 22;  // Linux has no larger ids
};

}  // namespace strait::platform

#endif
