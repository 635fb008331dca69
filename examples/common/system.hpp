#pragma once
// What systems call differently.

#include <csignal>
#include <cstdio>

#if defined(_WIN32)
#include <condition_variable>
#include <fcntl.h>
#include <io.h>
#include <mutex>
#else
#include <unistd.h>
#endif

namespace examples {

inline bool is_terminal(std::FILE* file) {
#if defined(_WIN32)
  return _isatty(_fileno(file)) != 0;
#else
  return isatty(fileno(file)) != 0;
#endif
}

/// The user's wish that the program end: Ctrl-C, and SIGTERM. Made before any thread is, so that none of them gets the signal.
class EndOfProgram {
 public:
#if defined(_WIN32)
  EndOfProgram() {
    std::signal(SIGINT, &wish);
    std::signal(SIGTERM, &wish);
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [] { return is_wished_; });
  }

 private:
  static void wish(int) {  // on a thread of its own
    const std::lock_guard lock(mutex_);
    is_wished_ = true;
    changed_.notify_all();
  }

  static inline std::mutex mutex_;
  static inline std::condition_variable changed_;
  static inline bool is_wished_ = false;
#else
  EndOfProgram() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  void wait() {
    int signal = 0;
    sigwait(&signals_, &signal);
  }

 private:
  sigset_t signals_;
#endif
};

/// Bytes pass through it as they are. (Elsewhere they do so anyway.)
inline void pass_bytes([[maybe_unused]] std::FILE* file) {
#if defined(_WIN32)
  _setmode(_fileno(file), _O_BINARY);
#endif
}

}  // namespace examples
