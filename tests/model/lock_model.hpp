#pragma once
// Parties that take one reader-writer lock under the scheduler, as handle/lock_handle.hpp does it: lock/rw_lock.hpp's steps in
// the same order, the same waits. What that header adds for threads (who holds what) is not modelled; the courtesy to
// readers only delays a call.
//
// Scripts:   r  read lock, unlock            w  write lock, unlock           g  write lock, given up if a reader is inside
//            k  write lock, unlock keeping the mark (part of the data)       x  write lock, and the thread exits with it
//            n  first: open the handle       l  last: leave

#include "seated.hpp"

#include <array>
#include <vector>

namespace strait::model {

class LockModel final : public SeatedModel<SeatedScenario> {
 public:
  using SeatedModel::SeatedModel;

  void reset() override {
    reset_world();
    inside_.fill(Inside::neither);
    owed_ = false;
  }

  void run(int actor) override {
    const int party = of(actor).party;
    Lock lock{LockWords{}};
    std::uint64_t place = 0;
    for (const char letter : of(actor).script) {
      scheduler.begin(++place);
      switch (letter) {
        case 'n':
          if (!open(party)) return;
          break;
        case 'l': leave(party); break;
        case 'r': read(lock, actor, party, seat_of(party)); break;
        default: write(lock, actor, party, seat_of(party), letter);
      }
    }
  }

  void died(int party) override {
    world.dead[World::index(party)] = true;
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (of(actor).party == party) inside_[World::index(actor)] = Inside::neither;
    }
    if (names(party)) owed_ = true;
  }

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(world.digest(), owed_);
    for (const Inside one : inside_) hash = mix(hash, static_cast<std::uint64_t>(one));
    return hash;
  }

  void finish() override {
    if (somebody_is_parked()) return scheduler.fail("PROGRESS: somebody waits for a lock for ever");
    const auto seat = newcomer();
    if (!seat) return;
    Lock lock{LockWords{}};
    if (!lock.try_take_word(*seat)) return scheduler.fail("LOST: the lock's word is lost");
    if (lock.next_reader(0) != SeatWords(world.outside_party).seat_count()) return scheduler.fail("LOST: a reader's count is lost");
    if (lock.is_abandoned() != owed_) return scheduler.fail("ABANDONED: the bit is wrong in the end");
    lock.unlock();
  }

 private:
  using Lock = lock::RwLock<LockWords>;
  enum class Inside : std::uint8_t { neither, reader, writer };

  bool names(int party) const {
    const Seat seat = seat_of(party);
    return seat != nobody && (world.lock.peek() & ~layout::lock_abandoned) == seat + 1;
  }

  void enter(int actor, Inside as) {
    for (int other = 0; other < actor_count(); ++other) {
      const Inside one = inside_[World::index(other)];
      if (one == Inside::writer || (one == Inside::reader && as == Inside::writer)) scheduler.fail("L1: a writer is not alone");
    }
    inside_[World::index(actor)] = as;
    scheduler.step();  // in the section
    inside_[World::index(actor)] = Inside::neither;
  }

  void read(Lock& lock, int actor, int party, Seat seat) {
    wait_until(SignalName::lock_freed, party, [&] { return lock.try_lock_shared(seat); });
    enter(actor, Inside::reader);
    lock.unlock_shared(seat);
  }

  void write(Lock& lock, int actor, int party, Seat seat, char letter) {
    wait_until(SignalName::lock_freed, party, [&] { return lock.try_take_word(seat); });
    Seat next = 0;
    const auto all_left = [&] {
      next = lock.next_reader(next);
      return next == static_cast<Seat>(world.seat_count);
    };
    if (letter == 'g') {
      if (!all_left()) return lock.unlock_keeping_mark();
    } else {
      wait_for_readers(lock, party, next, all_left);
    }
    if (owed_ != lock.is_abandoned()) scheduler.fail(owed_ ? "ABANDONED: a writer was not told" : "ABANDONED: told without a death");
    enter(actor, Inside::writer);
    switch (letter) {
      case 'k': return lock.unlock_keeping_mark();
      case 'x': owed_ = true; return lock.unlock_abandoned();
      default: owed_ = false; return lock.unlock();
    }
  }

  // `next` is remembered across sleeps; an actor's place must say so, or states would be merged that differ.
  template <class AllLeft>
  void wait_for_readers(Lock&, int party, Seat& next, AllLeft all_left) {
    if (all_left()) return;
    for (;;) {
      scheduler.forget(100 + next);
      const std::uint32_t announced = wait::announce(signal_word(SignalName::reader_left));
      if (all_left()) return;
      const bool woken = Park{}.sleep(signal_word(SignalName::reader_left), announced);
      if (all_left()) return;
      if (woken) continue;
      SeatWords words(party);
      liveness::mend_dead(words, world.party_seat[World::index(party)]);
    }
  }

  bool owed_ = false;  // an owner of the word died, or exited, since a writer last unlocked
  std::array<Inside, Scheduler::max_actors> inside_{};
};

inline std::vector<SeatedScenario> lock_scenarios() {
  constexpr bool dies = true;
  return {
      {"2 readers, 1 writer", {{0, "rr"}, {1, "r"}, {2, "ww"}}},
      {"1 reader, 2 writers, one gives up", {{0, "r"}, {1, "gw"}, {2, "w"}}},
      {"2 readers, 2 writers", {{0, "r"}, {1, "r"}, {2, "w"}, {3, "w"}}},
      {"threads share a seat: reader and writer, and two others", {{0, "r"}, {0, "w"}, {1, "r"}, {2, "w"}}},
      {"a thread exits with the lock", {{0, "xr"}, {1, "kw"}, {2, "r"}}},
      {"anybody dies: 1 reader, 2 writers", {{0, "r", dies}, {1, "w", dies}, {2, "w"}, }, 1},
      {"anybody dies: 2 readers, 2 writers", {{0, "r", dies}, {1, "r"}, {2, "w", dies}, {3, "w"}}, 1},
      {"writers die, give up, keep the mark", {{0, "gw", dies}, {1, "kw", dies}, {2, "w"}}, 1},
      {"a handle of two threads dies, reader and writer", {{0, "r", dies}, {0, "w", dies}, {1, "w"}, {2, "r"}}, 1},
      {"a writer dies, a newcomer takes its place", {{0, "w", dies}, {1, "nwl"}, {2, "rw"}}, 1},
      {"a newcomer dies at any step", {{0, "nrwl", dies}, {1, "w"}, {2, "nr"}}, 1},
      {"the newcomer finds only the seat of a dead writer", {{0, "w", dies}, {1, "w"}, {2, "nw"}}, 1, 2},
      {"a writer dies, and its mender", {{0, "w", dies}, {1, "w", dies}, {2, "w"}, {3, "r"}}, 2},
      {"a writer dies, and the newcomer in its seat", {{0, "w", dies}, {1, "nw", dies}, {2, "nw"}}, 2},
  };
}

}  // namespace strait::model
