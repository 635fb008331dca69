#pragma once
// A hang is a failure: the watchdog ends the whole program with a message when its scope is not left in time. Tests never
// assert how long something took, because that depends on the machine; this is the only upper bound.

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace strait::test {

/// How much slower than a plain build this one may be. STRAIT_TEST_PATIENCE multiplies it further, for a loaded machine.
inline int patience() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  const int built_in = 5;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
  const int built_in = 5;
#else
  const int built_in = 1;
#endif
#else
  const int built_in = 1;
#endif
  const char* asked = std::getenv("STRAIT_TEST_PATIENCE");
  const int factor = asked != nullptr ? std::atoi(asked) : 1;
  return built_in * (factor > 0 ? factor : 1);
}

/// The test case that runs, for a message. Set by the main function's listener.
inline std::string& running_test() {
  static std::string name = "a test";
  return name;
}

/// Aborts the program unless it is destroyed within `limit` times `patience()`.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::seconds limit = std::chrono::seconds(60), std::string_view what = running_test())
      : what_(what), limit_(limit * patience()), thread_([this] { watch(); }) {}

  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    // A loop over absolute points: wait_until on the steady clock, so that setting the system's clock changes nothing.
    if (changed_.wait_until(lock, std::chrono::steady_clock::now() + limit_, [this] { return done_; })) return;
    std::fprintf(stderr, "\nwatchdog: %s did not end within %lld s\n", what_.c_str(), static_cast<long long>(limit_.count()));
    std::fflush(stderr);
    std::abort();
  }

  std::string what_;
  std::chrono::seconds limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace strait::test
