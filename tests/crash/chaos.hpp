#pragma once
// What the chaos tests share: memory that outlives the killed, places in which processes are killed and replaced, and the
// schedule of kills that a seed reproduces.
//
//     STRAIT_CHAOS_SECONDS=3600 STRAIT_CHAOS_SEED=7 strait-test-crash "[chaos]"

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/watchdog.hpp"

#include <strait/core/death_point.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace strait::test::crash {

using Clock = std::chrono::steady_clock;

// ---- settings ------------------------------------------------------------------------------------------------------------

/// What was asked for, or the share of the CI's half minute that is this test's.
inline std::chrono::seconds chaos_time(int in_ci) {
  const char* asked = std::getenv("STRAIT_CHAOS_SECONDS");
  return std::chrono::seconds(asked != nullptr ? std::atoi(asked) : in_ci);
}

inline std::uint64_t chaos_seed() {
  const char* asked = std::getenv("STRAIT_CHAOS_SEED");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : std::random_device{}();
}

// ---- memory that outlives the killed -----------------------------------------------------------------------------------------

/// Zeroed memory for the records of processes that are killed. Sparse: what is not touched costs nothing.
class Record {
 public:
  explicit Record(std::size_t size);
  /// A part of the record behind `path`: in the child.
  Record(const std::string& path, std::size_t offset, std::size_t size);
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record();

  const std::string& path() const { return path_; }
  template <class T>
  T& at(std::size_t offset) const {
    return *reinterpret_cast<T*>(static_cast<char*>(memory_) + offset);
  }

 private:
  void map(std::size_t offset, std::size_t size);

  std::intptr_t file_ = -1;
  std::string path_;
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

// ---- the schedule --------------------------------------------------------------------------------------------------------------

/// The next kills: after how long, and whom. Made by the seed alone.
struct Kill {
  std::chrono::microseconds after;
  std::vector<std::size_t> victims;
  bool calm;  // a longer pause before it, in which the throughput is looked at
};

class Schedule {
 public:
  Schedule(std::uint64_t seed, std::size_t places) : random_(seed), places_(places) {}

  Kill next() {
    Kill kill{};
    const auto dice = random_() % 16;
    kill.calm = dice == 0;
    kill.after = kill.calm ? std::chrono::milliseconds(450) : std::chrono::microseconds(500 + random_() % 40'000);
    if (dice == 1) {
      for (std::size_t place = 0; place < places_; ++place) kill.victims.push_back(place);  // everybody
    } else if (dice == 2 || dice == 3) {
      const auto half = dice == 2 ? 0 : places_ / 2;
      for (std::size_t place = half; place < half + places_ / 2; ++place) kill.victims.push_back(place);  // one side
    } else {
      kill.victims.push_back(static_cast<std::size_t>(random_() % places_));
    }
    return kill;
  }

 private:
  std::mt19937_64 random_;
  std::size_t places_;
};

// ---- dawdling ------------------------------------------------------------------------------------------------------------------

/// From now on this process rests for up to `rest` at one in `one_in` of the death points it passes, so that more kills hit it
/// there and others overtake it there.
inline void dawdle(std::uint64_t one_in, std::chrono::microseconds rest) {
  static std::mt19937_64 random(std::random_device{}());
  static std::uint64_t share = 1;
  static std::uint64_t longest = 1;
  share = one_in;
  longest = static_cast<std::uint64_t>(rest.count());
  core::death_hook = [](std::string_view) {
    if (random() % share == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % longest));
  };
}

// ---- the figures ------------------------------------------------------------------------------------------------------------------

/// Open files and other objects of the system that this process holds.
std::size_t descriptors_in_use();

struct Figures {
  std::vector<double> values;

  void add(double value) { values.push_back(value); }
  double at(double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
  }
};

inline double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

inline void print_pauses(const char* who, Figures& pauses) {
  std::printf("  after a kill %s went on within %.1f ms (median), %.1f ms (9 of 10), %.1f ms (longest)\n", who, pauses.at(0.5), pauses.at(0.9),
              pauses.at(1));
}

// ---- a test ----------------------------------------------------------------------------------------------------------------------

/// Stands first in a test, and so ends last: its time, its seed, which is printed, and its watchdog; and in the end this process holds
/// no more of the system than before.
class ChaosRun {
 public:
  ChaosRun(const char* what, int seconds_in_ci, std::chrono::seconds patience = std::chrono::seconds(60))
      : time(chaos_time(seconds_in_ci)), seed(chaos_seed()), watchdog_(time * 3 + patience, what), descriptors_(descriptors_in_use()) {
    std::cout << what << ": " << time.count() << " s, seed " << seed << std::endl;
  }
  ChaosRun(const ChaosRun&) = delete;
  ChaosRun& operator=(const ChaosRun&) = delete;
  ~ChaosRun() noexcept(false) {  // a failed check throws where the rest is not to run
    std::fflush(stdout);
    if (std::uncaught_exceptions() == exceptions_) CHECK(descriptors_in_use() == descriptors_);
  }

  const std::chrono::seconds time;
  const std::uint64_t seed;

 private:
  const Watchdog watchdog_;
  const std::size_t descriptors_;
  const int exceptions_ = std::uncaught_exceptions();
};

// ---- a crowd -------------------------------------------------------------------------------------------------------------------

/// Children in numbered places, which are killed and replaced as a seed says. Each runs `function` with a name, the record's path
/// and its place.
class Crowd {
 public:
  Crowd(std::string function, std::string name, const Record& record, std::size_t places)
      : function_(std::move(function)), name_(std::move(name)), record_(record), places_(places) {
    for (std::size_t place = 0; place < places_; ++place) start(place);
  }

  /// Until the time is over. After each kill `wait_for_the_living()` returns when they have gone on; how long that took is kept.
  template <class Wait>
  void storm(const ChaosRun& run, Wait wait_for_the_living) {
    Schedule schedule(run.seed, places_);
    const auto end = Clock::now() + run.time;
    while (Clock::now() < end) {
      const Kill kill = schedule.next();
      std::this_thread::sleep_for(kill.after);
      for (const std::size_t place : kill.victims) children_.at(place).kill();
      for (const std::size_t place : kill.victims) CHECK(children_.at(place).wait().killed_by(SIGKILL));
      kills += kill.victims.size();
      for (const std::size_t place : kill.victims) start(place);
      const auto killed_at = Clock::now();
      wait_for_the_living();
      pauses.add(milliseconds(Clock::now() - killed_at));
    }
  }

  /// They have been told to stop.
  void end() {
    for (auto& [place, child] : children_) CHECK(child.wait().clean());
    children_.clear();
  }

  std::uint64_t kills = 0;
  Figures pauses;

 private:
  void start(std::size_t place) {
    children_.erase(place);
    children_.emplace(place, Child(function_, {name_, record_.path(), std::to_string(place)}));
  }

  std::string function_;
  std::string name_;
  const Record& record_;
  std::size_t places_;
  std::map<std::size_t, Child> children_;
};

/// Returns when one of `count` parties from `first` on has counted on.
template <class Line>
void wait_for_progress(const Line* progress, std::size_t first, std::size_t count) {
  const auto sum = [&] {
    std::uint64_t all = 0;
    for (std::size_t place = first; place < first + count; ++place) all += progress[place].count.load();
    return all;
  };
  const auto before = sum();
  eventually([&] { return sum() != before; });
}

}  // namespace strait::test::crash
