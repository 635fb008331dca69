#pragma once
// Parties that take one mutex under the scheduler, as handle/mutex_handle.hpp does it: lock/mutex.hpp's steps in the same order,
// the same wait. Patience is a letter instead of a time.
//
// Scripts:   w  lock, unlock      i  the same, by one who makes itself first as soon as it may      g  first, and gives up
//            n  first: open the handle       l  last: leave

#include "seated.hpp"

#include <strait/layout/mutex.hpp>
#include <strait/lock/mutex.hpp>

#include <array>
#include <vector>

namespace strait::model {

using layout::FirstInLine;

inline Word<std::uint64_t> first_word;

struct MutexWords {
  Word<std::uint32_t>& lock() noexcept { return world.lock; }
  Word<std::uint64_t>& first() noexcept { return first_word; }
  void wake(SignalName name) const noexcept { model::wake(name); }
};

class MutexModel final : public SeatedModel<SeatedScenario> {
 public:
  explicit MutexModel(const SeatedScenario& scenario) : SeatedModel(scenario) {
    first_word.describe("first", 0, nullptr, [](int, std::uint64_t before, std::uint64_t after) {
      if (before != after) scheduler.progress();
    });
  }

  void reset() override {
    reset_world();
    world.mend_also = [](Seat dead) { lock::Mutex<MutexWords>(MutexWords{}).mend(dead); };
    first_word.reset(0);
    inside_ = -1;
    owed_ = false;
    overtook_.fill(0);
  }

  void run(int actor) override {
    const int party = of(actor).party;
    std::uint64_t place = 0;
    for (const char letter : of(actor).script) {
      scheduler.begin(++place);
      switch (letter) {
        case 'n':
          if (!open(party)) return;
          break;
        case 'l': leave(party); break;
        default: lock_and_unlock(actor, letter);
      }
    }
  }

  void died(int party) override {
    world.dead[World::index(party)] = true;
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (of(actor).party != party) continue;
      if (inside_ == actor) inside_ = -1;
      overtook_[World::index(actor)] = 0;
    }
    const Seat seat = seat_of(party);
    if (seat != nobody && (world.lock.peek() & ~layout::lock_abandoned) == seat + 1) owed_ = true;
  }

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(world.digest(), static_cast<std::uint64_t>(inside_ + 1) << 1 | (owed_ ? 1u : 0u));
    for (const std::uint32_t one : overtook_) hash = mix(hash, one);
    return hash;
  }

  void finish() override {
    if (somebody_is_parked()) return scheduler.fail("PROGRESS: somebody waits for the mutex for ever");
    const auto seat = newcomer();
    if (!seat) return;
    if (first_word.peek() != 0) return scheduler.fail("LOST: somebody dead is first");
    Mutex mutex{MutexWords{}};
    if (!mutex.try_lock(FirstInLine::of(*seat, 99), *seat)) return scheduler.fail("LOST: the mutex is lost");
    if (mutex.is_abandoned() != owed_) return scheduler.fail("ABANDONED: the bit is wrong in the end");
  }

 private:
  using Mutex = lock::Mutex<MutexWords>;

  void lock_and_unlock(int actor, char letter) {
    Mutex mutex{MutexWords{}};
    const Seat seat = seat_of(of(actor).party);
    const auto me = FirstInLine::of(seat, static_cast<std::uint32_t>(actor));
    if (!mutex.try_lock(me, seat) && !wait(mutex, actor, me, seat, letter)) return;
    entered(actor);
    if (inside_ >= 0) scheduler.fail("L1: two hold the mutex");
    if (owed_ != mutex.is_abandoned())
      scheduler.fail(owed_ ? "ABANDONED: a holder was not told" : "ABANDONED: told without a death");
    inside_ = actor;
    scheduler.step();  // in the section
    inside_ = -1;
    owed_ = false;
    mutex.unlock();
  }

  bool wait(Mutex& mutex, int actor, FirstInLine me, Seat seat, char letter) {
    bool is_first = false;
    const auto attempt = [&] {
      if (mutex.try_lock(me, seat)) return true;
      if (is_first || letter == 'w') return false;
      is_first = mutex.become_first(me);
      if (is_first) overtook_[World::index(actor)] = 0;
      return is_first && mutex.try_lock(me, seat);
    };
    for (;;) {
      scheduler.forget(is_first ? 200 : 100);
      const std::uint32_t announced = wait::announce(signal_word(SignalName::lock_freed));
      if (attempt()) return true;
      if (letter == 'g' && is_first) {
        mutex.give_up_first(me);
        return false;
      }
      const bool woken = Park{}.sleep(signal_word(SignalName::lock_freed), announced);
      if (attempt()) return true;
      if (woken) continue;
      SeatWords words(of(actor).party);
      liveness::mend_dead(words, seat);
    }
  }

  // Whoever is first is overtaken at most once by each other thread, which had looked before.
  void entered(int who) {
    const FirstInLine first{first_word.peek()};
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (actor == who || first != FirstInLine::of(seat_of(of(actor).party), static_cast<std::uint32_t>(actor))) continue;
      auto& overtook = overtook_[World::index(actor)];
      if ((overtook >> who & 1u) != 0) scheduler.fail("FAIR: the first in line is overtaken twice by the same thread");
      overtook |= 1u << who;
    }
  }

  int inside_ = -1;
  bool owed_ = false;                                            // an owner of the word died since one last unlocked
  std::array<std::uint32_t, Scheduler::max_actors> overtook_{};  // who took the mutex while this one was first
};

inline std::vector<SeatedScenario> mutex_scenarios() {
  constexpr bool dies = true;
  return {
      {"2 threads", {{0, "ww"}, {1, "ww"}}},
      {"3 threads, one impatient", {{0, "ww"}, {1, "w"}, {2, "i"}}},
      {"3 impatient threads", {{0, "i"}, {1, "ii"}, {2, "i"}}},
      {"the first gives up", {{0, "w"}, {1, "g"}, {2, "w"}}},
      {"the first gives up, another is impatient", {{0, "ww"}, {1, "gw"}, {2, "i"}}},
      {"threads share a seat", {{0, "wi"}, {0, "i"}, {1, "w"}}},
      {"anybody dies", {{0, "w", dies}, {1, "i", dies}, {2, "w"}}, 1},
      {"the first dies, or gives up", {{0, "w"}, {1, "g", dies}, {2, "i", dies}}, 1},
      {"a handle of two threads dies", {{0, "i", dies}, {0, "w", dies}, {1, "i"}}, 1},
      {"a holder dies, a newcomer takes its place", {{0, "w", dies}, {1, "nil"}, {2, "i"}}, 1},
      {"the newcomer finds only the seat of the dead", {{0, "i", dies}, {1, "w"}, {2, "ni"}}, 1, 2},
      {"the first dies, and its mender", {{0, "i", dies}, {1, "i", dies}, {2, "w"}}, 2},
  };
}

}  // namespace strait::model
