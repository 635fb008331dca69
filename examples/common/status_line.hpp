#pragma once
// A line that shows, from a thread of its own, how far a program has come: rewritten in place on a terminal, appended
// elsewhere. The destructor prints it a last time.

#include "system.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iomanip>
#include <mutex>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace examples {

class StatusLine {
 public:
  /// `text` is called from the line's thread every `period`, and a last time by the destructor.
  StatusLine(std::FILE* out, std::chrono::milliseconds period, std::function<std::string()> text)
      : out_(out), terminal_(is_terminal(out)), text_(std::move(text)), thread_([this, period](std::stop_token stop) {
          std::unique_lock lock(mutex_);
          while (!wake_.wait_for(lock, stop, period, [&] { return stop.stop_requested(); })) print(terminal_ ? '\0' : '\n');
        }) {}

  ~StatusLine() {
    thread_.request_stop();
    thread_.join();
    print('\n');
  }

  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

 private:
  void print(char end) {
    std::string line = text_();
    if (terminal_) line = '\r' + line + "\033[K";  // clears what a longer line before has left
    if (end != '\0') line += end;
    std::fputs(line.c_str(), out_);
    std::fflush(out_);
  }

  std::FILE* out_;
  bool terminal_;
  std::function<std::string()> text_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

/// Bytes per second between two calls, in megabytes (10^6 bytes).
class Rate {
 public:
  double operator()(std::uint64_t bytes) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - std::exchange(last_time_, now);
    const std::uint64_t moved = bytes - std::exchange(last_bytes_, bytes);
    return passed.count() > 0 ? static_cast<double>(moved) / 1e6 / passed.count() : 0.0;
  }

 private:
  std::chrono::steady_clock::time_point last_time_ = std::chrono::steady_clock::now();
  std::uint64_t last_bytes_ = 0;
};

inline std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

inline std::string megabytes(std::uint64_t bytes) { return fixed(static_cast<double>(bytes) / 1e6, 1); }

}  // namespace examples
