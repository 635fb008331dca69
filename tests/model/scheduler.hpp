#pragma once
// A scheduler that owns every interleaving of the atomics of an algorithm, and a search through all of them.
//
// Actors run on stacks of their own and stop before every operation on a Word. What happens next is a decision: go on, let
// another actor go on instead (a preemption), or die here. A schedule is the list of its decisions; running the list again
// gives the same schedule. The search is depth first over all schedules with at most so many preemptions; giving way because
// one is parked or finished is no preemption and costs nothing. Beyond that, schedules are drawn at random from a seed.
//
// Two schedules that lead to the same state need not both be continued. What an actor has on its stack follows from what its
// operations returned, so the state is: the words, what each actor has seen since it last had nothing in its hands, who is
// parked or dead, and what the model adds (its ledger). A state is a 64-bit hash of these; it is cut off where it was reached
// before with as many preemptions left. That makes most searches without any bound feasible.
//
// Stores may be late: what an actor has stored by delay() only it sees, until it is drained: at once, or at any later step of
// anybody if the search has paid a preemption for holding it back. Stores of one actor are drained in order, and before any of its
// operations that reads and writes a word at once; a dead actor's are drained when it dies. That is a processor's store buffer.
//
// Park: an actor parked on a word runs again when somebody wakes that word or, once somebody has died, at any time (its slice
// ends; this counts as a preemption unless nobody else can run). A dead actor is never resumed.

#include "fiber.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace strait::model {

inline constexpr int unbounded = 1000;

// The constant keeps equal numbers, and zeros, from mixing to a zero that swallows all that follows.
constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0xff51afd7ed558ccdull + 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 32;
}

struct Limits {
  int preemptions = 3;
  int deaths = 0;
  int steps = 20000;  // of one schedule; more means that it does not end
};

// What is explored: actors 0 .. actor_count() - 1, reset before every schedule and checked after it.
class Model {
 public:
  virtual ~Model() = default;
  virtual int actor_count() const = 0;
  virtual int party_of(int actor) const = 0;  // actors of one party die together
  virtual bool may_die(int actor) const = 0;
  virtual void reset() = 0;
  virtual void run(int actor) = 0;
  virtual void died(int party) = 0;
  virtual std::uint64_t digest() const = 0;  // of everything that matters and is neither a word nor on a stack
  virtual void finish() = 0;  // everybody is done, dead, or parked with nobody left to wake them
};

class Scheduler {
 public:
  static constexpr int max_actors = 6;
  enum class State : std::uint8_t { ready, parked, done, dead };

  // ---- for the words -------------------------------------------------------------------------------------------------

  // Before every operation that another actor can notice.
  void step() {
    if (current_ < 0) return;
    if (++steps_ > limits_.steps) fail("PROGRESS: a schedule does not end");
    if (late_stores_ > 0) drain_some();
    std::array<int, max_actors> options;
    int count = 1;
    if (random_ || preemptions_ < limits_.preemptions) {
      for (int actor = 0; actor < actors_; ++actor) {
        if (actor != current_ && (state_[at(actor)] == State::ready || (deaths_ > 0 && state_[at(actor)] == State::parked))) {
          options[at(count++)] = actor;
        }
      }
    }
    const bool can_die = deaths_ < limits_.deaths && model_->may_die(current_);
    if (count == 1 && !can_die) return;
    deciding_ = 1;
    const int choice = choose(count, can_die, true);
    deciding_ = 0;
    if (choice == 0) return;
    if (choice == count) die();
    ++preemptions_;
    go_on_with(options[at(choice)]);
  }

  // What an operation told the actor that made it.
  void saw(std::uint64_t value) {
    if (current_ >= 0) history_[at(current_)] = mix(history_[at(current_)], value);
  }
  // The actor's stack holds nothing but where it is: what it has seen before no longer matters.
  void forget(std::uint64_t within = 0) {
    if (current_ >= 0) history_[at(current_)] = mix(mix(1, place_[at(current_)]), within);
  }
  void begin(std::uint64_t place) {
    if (current_ < 0) return;
    place_[at(current_)] = place;
    forget();
  }
  void changed(const void* word, std::uint64_t before, std::uint64_t after) {
    const auto id = reinterpret_cast<std::uintptr_t>(word);
    words_ ^= mix(id * 0x9e3779b97f4a7c15ull, before) ^ mix(id * 0x9e3779b97f4a7c15ull, after);
  }

  // Anybody who is ready may go on here, at no cost.
  void give_turn() {
    if (current_ < 0) return;
    const int next = somebody();
    if (next != current_) go_on_with(next);
  }

  // True: somebody woke the word, or it is not as announced. False: the slice ended.
  bool park(const void* word, bool as_announced) {
    if (!as_announced) return true;
    const int me = current_;
    state_[at(me)] = State::parked;
    parked_on_[at(me)] = word;
    woken_[at(me)] = false;
    give_way();
    saw(woken_[at(me)]);
    return woken_[at(me)];
  }

  void wake(const void* word) {
    for (int actor = 0; actor < actors_; ++actor) {
      if (state_[at(actor)] == State::parked && parked_on_[at(actor)] == word) {
        state_[at(actor)] = State::ready;
        woken_[at(actor)] = true;
        if (wake_one_) return;
      }
    }
  }

  // A shared word other than a signal changed: those whose slices ended may end again.
  void progress() { sliced_ = 0; }

  // ---- late stores ---------------------------------------------------------------------------------------------------

  using Apply = void (*)(void* word, std::uint64_t value);

  void delay(void* word, std::uint64_t value, Apply apply) {
    if (current_ < 0) return apply(word, value);
    buffer_[at(current_)].push_back({word, value, apply, false});
    ++late_stores_;
  }
  // What the actor at work sees in a word that holds `value`.
  std::uint64_t forwarded(const void* word, std::uint64_t value) const {
    if (current_ < 0) return value;
    for (const Late& one : buffer_[at(current_)]) {
      if (one.word == word) value = one.value;
    }
    return value;
  }
  int own_late_stores() const { return current_ < 0 ? 0 : static_cast<int>(buffer_[at(current_)].size()); }

  void drain_own() {
    if (current_ >= 0) drain(current_);
  }
  void drain_all() {
    for (int actor = 0; actor < actors_; ++actor) drain(actor);
  }

  // `what` is a string literal: the stack it is called from is dropped.
  void fail(const char* what) {
    if (failure_.empty()) failure_ = what;
    if (current_ < 0) return;
    const int me = current_;
    current_ = -1;
    Fiber::go(fibers_[at(me)], main_);
  }

  int current() const { return current_; }
  State state(int actor) const { return state_[at(actor)]; }
  int deaths() const { return deaths_; }
  bool tracing() const { return tracing_; }
  void note(const std::string& line) { trace_.push_back("  " + (current_ < 0 ? std::string("  ") : "p" + std::to_string(current_)) + "  " + line); }
  void wake_only_one(bool yes) { wake_one_ = yes; }

  // ---- the search ----------------------------------------------------------------------------------------------------

  struct Report {
    std::uint64_t schedules = 0;
    std::uint64_t states = 0;
    int preemptions = 0;    // the largest number for which the search is complete
    bool complete = true;   // every schedule within the limits was run
    std::string failure;    // empty: all is well
    std::string replay;     // how to get the failing schedule again
    std::string trace;
  };

  // All schedules with at most 0, 1, ... `limits.preemptions` preemptions, then all there are where that is `unbounded`; at most
  // `most` of each number.
  Report explore(Model& model, const Limits& limits, std::uint64_t most) {
    Report report;
    report.preemptions = -1;
    for (int bound = 0; bound <= limits.preemptions; bound = bound < 2 || limits.preemptions != unbounded ? bound + 1 : unbounded) {
      if (bound > limits.preemptions) break;
      Limits now = limits;
      now.preemptions = bound;
      path_.clear();
      random_ = false;
      known_.clear();
      merge_ = bound >= 1;  // the first without: so that a loop among the same states is seen not to end
      std::uint64_t done = 0;
      do {
        if (done++ == most) {
          report.complete = false;
          return report;
        }
        ++report.schedules;
        if (!run_once(model, now)) {
          report.replay = "decisions";
          for (const Decision& decision : path_) report.replay += " " + std::to_string(decision.taken);
          retrace(model, now, report);
          return report;
        }
      } while (next_path());
      report.states = known_.size();
      report.preemptions = bound;
      if (bound == unbounded) break;
    }
    return report;
  }

  // `count` random schedules; number i is the one that `seed + i` alone gives.
  Report sample(Model& model, const Limits& limits, std::uint64_t count, std::uint64_t seed) {
    Report report;
    report.complete = false;
    for (std::uint64_t i = 0; i < count; ++i) {
      random_ = true;
      merge_ = false;
      rng_ = seed_ = seed + i;
      ++report.schedules;
      if (!run_once(model, limits)) {
        report.replay = "seed " + std::to_string(seed_);
        retrace(model, limits, report);
        return report;
      }
    }
    return report;
  }

 private:
  // States that were reached, with the most preemptions that were left then.
  class Known {
   public:
    void clear() {
      if (used_ == 0) return;
      std::fill(slots_.begin(), slots_.end(), Slot{});
      used_ = 0;
    }
    std::uint64_t size() const { return used_; }
    bool reached(std::uint64_t hash, int left) {
      if (hash == 0) hash = 1;
      if (2 * used_ >= slots_.size()) grow();
      Slot& slot = find(hash);
      if (slot.hash == hash) {
        if (slot.left >= left) return true;
        slot.left = left;
        return false;
      }
      slot = {hash, left};
      ++used_;
      return false;
    }

   private:
    struct Slot {
      std::uint64_t hash = 0;
      int left = 0;
    };
    Slot& find(std::uint64_t hash) {
      std::size_t i = hash & (slots_.size() - 1);
      while (slots_[i].hash != 0 && slots_[i].hash != hash) i = (i + 1) & (slots_.size() - 1);
      return slots_[i];
    }
    void grow() {
      std::vector<Slot> old(slots_.empty() ? 1u << 12 : 2 * slots_.size());
      old.swap(slots_);
      for (const Slot& slot : old) {
        if (slot.hash != 0) find(slot.hash) = slot;
      }
    }
    std::vector<Slot> slots_;
    std::size_t used_ = 0;
  };

  struct Decision {
    std::uint8_t taken;
    std::uint8_t count;
  };

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  struct Late {
    void* word;
    std::uint64_t value;
    Apply apply;
    bool held;  // not drained at the first opportunity: a preemption
  };

  void drain_oldest(int actor) {
    auto& late = buffer_[at(actor)];
    const Late one = late.front();
    late.erase(late.begin());
    --late_stores_;
    const int at_work = current_;
    current_ = actor;  // the ledger judges whose change it is
    one.apply(one.word, one.value);
    current_ = at_work;
  }
  void drain(int actor) {
    while (!buffer_[at(actor)].empty()) drain_oldest(actor);
  }

  void drain_some() {
    for (int actor = 0; actor < actors_; ++actor) {
      while (!buffer_[at(actor)].empty()) {
        Late& oldest = buffer_[at(actor)].front();
        const bool may_hold = oldest.held || random_ || preemptions_ < limits_.preemptions;
        deciding_ = 2 + 2 * actor + (oldest.held ? 1 : 0);
        const int choice = may_hold ? choose(2, false, true) : 0;
        deciding_ = 0;
        if (oldest.held ? choice == 0 : choice == 1) {
          if (!oldest.held) ++preemptions_;
          oldest.held = true;
          break;
        }
        drain_oldest(actor);
      }
    }
  }

  bool run_once(Model& model, const Limits& limits) {
    model_ = &model;
    limits_ = limits;
    actors_ = model.actor_count();
    position_ = 0;
    steps_ = preemptions_ = deaths_ = 0;
    sliced_ = 0;
    failure_.clear();
    cut_off_ = false;
    current_ = -1;
    words_ = 0;
    late_stores_ = 0;
    for (auto& late : buffer_) late.clear();
    model.reset();
    for (int actor = 0; actor < actors_; ++actor) {
      state_[at(actor)] = State::ready;
      woken_[at(actor)] = false;
      parked_on_[at(actor)] = nullptr;
      history_[at(actor)] = place_[at(actor)] = 0;
      fibers_[at(actor)].start(&entry);
    }
    start_somebody();
    current_ = -1;
    while (failure_.empty() && !cut_off_ && late_stores_ > 0) {  // nobody can go on before they are drained
      sliced_ = 0;
      drain_all();
      start_somebody();
      current_ = -1;
    }
    if (failure_.empty() && !cut_off_) model.finish();
    return failure_.empty();
  }

  void retrace(Model& model, const Limits& limits, Report& report) {
    report.failure = failure_;
    tracing_ = true;
    merge_ = false;
    trace_.clear();
    rng_ = seed_;
    run_once(model, limits);
    tracing_ = false;
    for (const std::string& line : trace_) report.trace += line + "\n";
    trace_.clear();
  }

  static void entry();

  void body() {
    model_->run(current_);
    step();  // somebody may die after the last operation
    state_[at(current_)] = State::done;
    history_[at(current_)] = 0;
    give_way();
  }

  void die() {
    const int party = model_->party_of(current_);
    if (tracing_) note("DIES");
    for (int actor = 0; actor < actors_; ++actor) {
      if (model_->party_of(actor) != party) continue;
      drain(actor);
      state_[at(actor)] = State::dead;
      history_[at(actor)] = 0;
      woken_[at(actor)] = false;
    }
    ++deaths_;
    sliced_ = 0;
    model_->died(party);
    give_way();
  }

  void go_on_with(int actor) {
    const int me = current_;
    resume(actor);
    Fiber::go(fibers_[at(me)], fibers_[at(actor)]);
  }

  void resume(int actor) {
    if (state_[at(actor)] == State::parked) {
      state_[at(actor)] = State::ready;
      woken_[at(actor)] = false;
      sliced_ |= 1u << actor;
    }
    current_ = actor;
  }

  // Who runs when the current actor cannot: -1 nobody.
  int somebody() {
    std::array<int, 2 * max_actors> options;
    int count = 0;
    for (int actor = 0; actor < actors_; ++actor) {
      if (state_[at(actor)] == State::ready) options[at(count++)] = actor;
    }
    if (deaths_ > 0) {
      const int free_ones = count;
      const bool may_preempt = random_ || preemptions_ < limits_.preemptions;
      for (int actor = 0; actor < actors_; ++actor) {
        if (state_[at(actor)] != State::parked) continue;
        if (free_ones == 0 ? (sliced_ >> actor & 1u) == 0 : may_preempt) options[at(count++)] = actor;
      }
      if (count == 0) return -1;
      const int choice = count == 1 ? 0 : choose(count, false, false);
      if (free_ones != 0 && choice >= free_ones) ++preemptions_;
      return options[at(choice)];
    }
    if (count == 0) return -1;
    return options[at(count == 1 ? 0 : choose(count, false, false))];
  }

  void give_way() {
    const int me = current_;
    const int next = somebody();
    if (next < 0) {
      current_ = -1;
      Fiber::go(fibers_[at(me)], main_);
      return;
    }
    if (next == me) {  // its own slice ends
      resume(me);
      return;
    }
    go_on_with(next);
  }

  void start_somebody() {
    const int first = somebody();
    if (first < 0) return;
    resume(first);
    Fiber::go(main_, fibers_[at(first)]);
  }

  // One of `count` options, or `count` itself where `can_die`. With `prefer_first`, random schedules mostly go on.
  int choose(int count, bool can_die, bool prefer_first) {
    const int all = count + (can_die ? 1 : 0);
    if (random_) {
      const std::uint64_t draw = next_random();
      if (!prefer_first) return static_cast<int>(draw % static_cast<std::uint64_t>(all));
      if (can_die && draw % 64 == 0) return count;
      if (count == 1 || (draw >> 8) % 4 != 0) return 0;
      return 1 + static_cast<int>((draw >> 16) % static_cast<std::uint64_t>(count - 1));
    }
    if (position_ < path_.size()) return path_[position_++].taken;
    if (merge_ && is_known()) {
      cut_off_ = true;
      const int me = current_;
      current_ = -1;
      if (me >= 0) Fiber::go(fibers_[at(me)], main_);
      return 0;
    }
    path_.push_back({0, static_cast<std::uint8_t>(all)});
    ++position_;
    return 0;
  }

  // The state at a decision: was it reached before with as many preemptions left?
  bool is_known() {
    std::uint64_t hash = mix(words_, model_->digest());
    for (int actor = 0; actor < actors_; ++actor) {
      hash = mix(hash, history_[at(actor)]);
      hash = mix(hash, static_cast<std::uint64_t>(state_[at(actor)]) | (woken_[at(actor)] ? 8u : 0u));
      if (state_[at(actor)] == State::parked) hash = mix(hash, reinterpret_cast<std::uintptr_t>(parked_on_[at(actor)]));
      for (const Late& one : buffer_[at(actor)]) hash = mix(hash, mix(reinterpret_cast<std::uintptr_t>(one.word) + one.held, one.value));
    }
    // A schedule's first decisions among those who are ready happen with nobody at work.
    hash = mix(hash, static_cast<std::uint64_t>(current_ + 1) | static_cast<std::uint64_t>(deaths_) << 8 | std::uint64_t{sliced_} << 16 |
                         static_cast<std::uint64_t>(deciding_) << 32);
    return known_.reached(hash, limits_.preemptions - preemptions_);
  }

  bool next_path() {
    path_.resize(position_);
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }

  std::uint64_t next_random() {  // splitmix64, a public-domain generator by Sebastiano Vigna
    std::uint64_t x = rng_ += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
  }

  Model* model_ = nullptr;
  Limits limits_;
  int actors_ = 0;
  int current_ = -1;
  int steps_ = 0;
  int preemptions_ = 0;
  int deaths_ = 0;
  std::uint32_t sliced_ = 0;  // whose slice ended since something last changed
  std::array<State, max_actors> state_{};
  std::array<const void*, max_actors> parked_on_{};
  std::array<bool, max_actors> woken_{};
  std::array<Fiber, max_actors> fibers_;
  Fiber main_;

  std::array<std::uint64_t, max_actors> history_{};
  std::array<std::uint64_t, max_actors> place_{};
  std::uint64_t words_ = 0;
  int deciding_ = 0;  // 0 who runs, 1 whether to be preempted, otherwise about a late store
  int late_stores_ = 0;
  std::array<std::vector<Late>, max_actors> buffer_;
  bool merge_ = false;
  bool cut_off_ = false;
  Known known_;

  bool random_ = false;
  bool wake_one_ = false;
  std::uint64_t rng_ = 0;
  std::uint64_t seed_ = 0;
  std::vector<Decision> path_;
  std::size_t position_ = 0;

  std::string failure_;
  bool tracing_ = false;
  std::vector<std::string> trace_;
};

inline Scheduler scheduler;

inline void Scheduler::entry() { scheduler.body(); }

}  // namespace strait::model
