// Runs the parts of a measurement in forked processes, each pinned to a processor, and watches over them.
//
// A part that throws or is killed ends the whole crew; so does the deadline. Children die with their parent, so an
// interrupted benchmark leaves no process behind.

#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "shared_region.hpp"

namespace strait::bench {

/// The processors this process may run on.
inline std::vector<unsigned> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

inline void pin_to(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("cannot pin to processor " + std::to_string(cpu));
}

class Crew {
 public:
  explicit Crew(std::chrono::seconds deadline) : deadline_(deadline) {}

  void add(unsigned cpu, std::function<void()> part) { parts_.push_back({cpu, std::move(part), -1}); }

  /// Forks every part and waits for all; throws with the first complaint of a part, or when the deadline passes.
  void run() {
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    for (auto& part : parts_) {
      part.pid = ::fork();
      if (part.pid == 0) child(part, parent);
      if (part.pid < 0) {
        kill_all();
        throw std::runtime_error("fork failed");
      }
    }
    const auto end = std::chrono::steady_clock::now() + deadline_;
    std::size_t left = parts_.size();
    std::string complaint;
    while (left != 0) {
      bool some = false;
      for (auto& part : parts_) {
        if (part.pid < 0) continue;
        int status = 0;
        if (::waitpid(part.pid, &status, WNOHANG) != part.pid) continue;
        part.pid = -1;
        --left;
        some = true;
        if (complaint.empty() && status != 0) complaint = describe(status);
        if (!complaint.empty()) kill_all();
      }
      if (left != 0 && complaint.empty() && std::chrono::steady_clock::now() > end) {
        complaint = "did not finish in time";
        kill_all();
      }
      if (!some) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (!complaint.empty()) throw std::runtime_error(complaint);
  }

 private:
  struct Part {
    unsigned cpu;
    std::function<void()> work;
    pid_t pid;
  };
  struct Complaint {
    char text[512];
  };

  [[noreturn]] void child(Part& part, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    try {
      pin_to(part.cpu);
      part.work();
    } catch (const std::exception& error) {
      std::strncpy(complaint_->text, error.what(), sizeof complaint_->text - 1);
      ::_exit(1);
    }
    // exit(), because a peer's library may have to say goodbye. What the parent opened before the fork lies on its stack and is not
    // touched by this.
    std::exit(0);
  }

  std::string describe(int status) const {
    if (complaint_->text[0] != '\0') return complaint_->text;
    if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
    return "exit code " + std::to_string(WEXITSTATUS(status));
  }

  void kill_all() {
    for (const auto& part : parts_)
      if (part.pid > 0) ::kill(part.pid, SIGKILL);
  }

  std::chrono::seconds deadline_;
  std::vector<Part> parts_;
  Shared<Complaint> complaint_;
};

}  // namespace strait::bench
