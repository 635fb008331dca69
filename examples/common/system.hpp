#pragma once
// What systems call differently.

#include <csignal>
#include <cstdio>

#if defined(_WIN32)
#include <atomic>
#include <fcntl.h>
#include <io.h>
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
  void wait() { is_wished().wait(false); }

 private:
  static std::atomic<bool>& is_wished() {
    static std::atomic<bool> wished{false};
    return wished;
  }
  static void wish(int) {  // on a thread of its own
    is_wished() = true;
    is_wished().notify_all();
  }
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
