// A forked process that runs one function, for measurements that are not made of equal parts.

#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

namespace strait::bench {

/// The destructor waits for its end.
class Process {
 public:
  explicit Process(const std::function<void()>& body) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    if (status != 0 && !killed_) std::printf("a process ended with status %d\n", status);
  }

  void kill() {
    killed_ = true;
    ::kill(pid_, SIGKILL);
  }

 private:
  pid_t pid_;
  bool killed_ = false;
};

}  // namespace strait::bench
