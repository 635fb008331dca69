// Subjects that are measured in turns in one run, so that what else the machine does meets all of them alike: the options of such a
// program, a measurement between two processes, and what is printed: a line per subject, the median of the rounds, and ratios.

#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crew.hpp"
#include "shared_region.hpp"
#include "statistics.hpp"

namespace strait::bench {

struct Settings {
  std::chrono::milliseconds length{200};
  std::chrono::milliseconds pause{0};  // between two measurements
  int rounds = 5;
  std::vector<unsigned> cpus = allowed_cpus();
  std::string only;
  bool realtime = false;
};

/// Ends the program where it cannot make sense of an option.
inline Settings settings_of(const char* program, int count, char** arguments) {
  Settings settings;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    const bool has_value = i + 1 < count;
    if (option == "--quick") {
      settings.length = std::chrono::milliseconds(20);
      settings.rounds = 1;
    } else if (option == "--rounds" && has_value) {
      settings.rounds = std::max(1, std::atoi(arguments[++i]));
    } else if (option == "--phase-ms" && has_value) {
      settings.length = std::chrono::milliseconds(std::max(1, std::atoi(arguments[++i])));
    } else if (option == "--only" && has_value) {
      settings.only = arguments[++i];
    } else if (option == "--realtime") {
      const sched_param priority{.sched_priority = 1};
      if (::sched_setscheduler(0, SCHED_RR, &priority) != 0) throw std::runtime_error("--realtime is not permitted");
      settings.realtime = true;
    } else {
      std::fprintf(stderr,
                   "%s [--quick] [--rounds N (5)] [--phase-ms N (200)] [--only SUBJECT] [--realtime]\n"
                   "--realtime: above all ordinary processes, for a machine that has other things to do; with --phase-ms 40, because\n"
                   "the kernel stops real-time processes for a twentieth of each second\n",
                   program);
      std::exit(2);
    }
  }
  return settings;
}

/// What the two processes of a measurement share.
struct TwoSides {
  std::atomic<bool> ready{false}, over{false};
  double per_second = 0;
};

/// Runs `server()` and `client()` in processes of their own; what the client returns is operations per second.
inline double run_two_sides(const Settings& settings, bool pinned, const std::function<void(TwoSides&)>& server,
                            const std::function<double(TwoSides&)>& client) {
  std::this_thread::sleep_for(settings.pause);
  Shared<TwoSides> shared;
  Crew crew(std::chrono::seconds(60));
  const unsigned first = settings.cpus[0], second = settings.cpus[settings.cpus.size() > 1 ? 1 : 0];
  const auto unpin = [&] {
    if (pinned) return;
    cpu_set_t all;
    CPU_ZERO(&all);
    for (const unsigned cpu : settings.cpus) CPU_SET(cpu, &all);
    ::sched_setaffinity(0, sizeof all, &all);
  };
  crew.add(second, [&] {
    unpin();
    server(*shared);
  });
  crew.add(first, [&] {
    unpin();
    while (!shared->ready) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    shared->per_second = client(*shared);
    shared->over = true;
  });
  crew.run();
  return shared->per_second;
}

class InTurns {
 public:
  using Subject = std::pair<std::string, std::function<double()>>;

  InTurns(const Settings& settings, std::vector<Subject> subjects) : subjects_(std::move(subjects)) {
    if (!settings.only.empty()) std::erase_if(subjects_, [&](const Subject& subject) { return subject.first != settings.only; });
    for (int round = 0; round < settings.rounds; ++round) {
      for (const auto& [name, measure] : subjects_) results_[name].push_back(measure());
    }
  }

  void print(const char* unit) const {
    for (const auto& [name, measure] : subjects_) {
      const auto& samples = results_.at(name);
      std::printf("%-42s %12.0f %s   (%.0f .. %.0f)\n", name.c_str(), median(samples), unit,
                  *std::min_element(samples.begin(), samples.end()), *std::max_element(samples.begin(), samples.end()));
    }
  }

  void print_ratio(const char* what, const char* of, const char* to) const {
    const auto &above = results_.at(of), &below = results_.at(to);
    std::vector<double> ratios;
    for (std::size_t round = 0; round < above.size(); ++round) ratios.push_back(above[round] / below[round]);
    std::printf("%-42s %6.2f\n", what, median(ratios));
  }

 private:
  std::vector<Subject> subjects_;
  std::map<std::string, std::vector<double>> results_;
};

}  // namespace strait::bench
