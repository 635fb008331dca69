#pragma once
// What the crash tests share: a process that kills itself at a named point, actors that follow a script in a process of their
// own, and a stage: a ring whose head stands at a chosen position.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/circular_buffer.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::test::crash {

inline constexpr std::size_t node_size = 64;

// ---- dying -----------------------------------------------------------------------------------------------------------------

/// From now on this process gets `signal` (SIGKILL; SIGSTOP to stand still there) when it passes `point` for the `nth` time.
void die_at(std::string_view point, int nth = 1, int signal = SIGKILL);

/// A death point and the test that shows it, for the check that every point in the headers has one.
struct Shown {
  Shown(const char* point, const char* words);
  std::string point;
  std::string words;
};
std::vector<Shown>& all_shown();

// A test case about one death point. Its words are those of the `// DEATH here:` note beside the point; only the punctuation
// may differ: the names of ctest tests hold no semicolon, and Catch2 2 cannot print a name whose first ": " stands beyond column 70.
#define STRAIT_DEATH_TEST_NAME_2(line) shown_at_line_##line
#define STRAIT_DEATH_TEST_NAME(line) STRAIT_DEATH_TEST_NAME_2(line)
#define DEATH_TEST(point, words)                                                                   \
  static const ::strait::test::crash::Shown STRAIT_DEATH_TEST_NAME(__LINE__){point, words};         \
  TEST_CASE(words " - " point)

// ---- actors ------------------------------------------------------------------------------------------------------------------

/// A process that follows a script about the segment `name`; the verbs are listed in actor.cpp.
inline Child actor(const std::string& name, std::vector<std::string> script) {
  script.insert(script.begin(), name);
  return Child("crash: actor", script);
}

/// Runs a script that ends in a death point.
inline void dies(const std::string& name, const std::vector<std::string>& script) {
  Child child = actor(name, script);
  INFO("the script's last step: " << script.back());
  CHECK(child.wait().killed_by(SIGKILL));
}

/// An actor that has said "ready" or "taken" or the like, and waits for `go`.
inline Child poised(const std::string& name, const std::vector<std::string>& script) {
  Child child = actor(name, script);
  REQUIRE(child.read_line() == "poised");
  return child;
}

/// Lets a poised actor take its last step, to its death.
inline void go(Child& child) {
  child.write_line("go");
  CHECK(child.wait().killed_by(SIGKILL));
}

/// An actor that is asleep in the last step of its script.
inline Child sleeper(const std::string& name, const std::vector<std::string>& script) {
  Child child = actor(name, script);
  REQUIRE(child.read_line() == "ready");
  until_asleep(child);
  return child;
}

// ---- the stage -----------------------------------------------------------------------------------------------------------------

inline constexpr std::uint64_t nodes = 3;
inline constexpr std::uint64_t last_lap = (std::uint64_t{1} << 48) - 1;

/// The words of a fresh ring that nobody uses yet, as if `lap` laps had gone by.
void start_in_lap(const std::string& name, std::uint64_t lap);

/// A ring whose head stands `before` messages after the start of lap `lap`, and the survivor's handle.
class Stage {
 public:
  Stage(std::uint64_t lap, int before, const RingOptions& options = {});

  const std::string& name() const { return name_; }
  CircularBuffer& ring() { return *ring_; }

  /// Nothing is in the ring, every node is there, and messages come in order.
  void check_whole();
  /// Every seat but the living ones' is free.
  void check_seats(std::size_t living);

 private:
  NameGuard name_;
  CircularBuffer owner_;
  std::optional<CircularBuffer> ring_;
};

/// Runs `body(stage)` with the head at every node and around the end of the last lap.
template <class Body>
void at_every_position(Body body, const RingOptions& options = {}) {
  for (const std::uint64_t lap : {std::uint64_t{0}, last_lap}) {
    for (int before = 0; before <= static_cast<int>(nodes); ++before) {
      INFO("lap " << lap << ", after " << before << " messages");
      Stage stage(lap, before, options);
      body(stage);
    }
  }
}

/// A survivor that reads or writes one message: in another process, asleep in it since before the death, or in this one after it.
class Survivor {
 public:
  Survivor(Stage& stage, bool asleep, std::string step) : stage_(stage), step_(std::move(step)) {
    if (asleep) child_.emplace(sleeper(stage.name(), {"open", "say=ready", step_}));
  }

  /// "written", the number that was read, or "closed".
  std::string result();

 private:
  Stage& stage_;
  std::string step_;
  std::optional<Child> child_;
};

/// What a read from `ring` gives, waiting as long as it takes; `no more` where there is nothing.
std::string next(CircularBuffer& ring);
std::vector<int> drain(CircularBuffer& ring);

}  // namespace strait::test::crash
