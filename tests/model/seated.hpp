#pragma once
// Threads of parties that have seats, and follow scripts, a letter for each thing they do. Two letters mean the same in all of these
// models: n, which comes first: open the handle; l, the last: leave.

#include "world.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

struct SeatedActor {
  int party;
  std::string_view script;
  bool may_die = false;
};

struct SeatedScenario {
  std::string name;
  std::vector<SeatedActor> actors;
  int deaths = 0;
  int seats = 0;  // 0: enough for everybody
};

template <class Scenario>
class SeatedModel : public Model {
 public:
  explicit SeatedModel(const Scenario& scenario) : scenario_(scenario) {
    for (const SeatedActor& actor : scenario.actors) parties_ = std::max(parties_, actor.party + 1);
  }

  int actor_count() const override { return static_cast<int>(scenario_.actors.size()); }
  int party_of(int actor) const override { return of(actor).party; }
  bool may_die(int actor) const override { return of(actor).may_die; }

 protected:
  const SeatedActor& of(int actor) const { return scenario_.actors[World::index(actor)]; }
  static Seat seat_of(int party) { return world.party_seat[World::index(party)]; }

  // The lock's words, and everybody in a seat but those who open first.
  void reset_world() {
    scheduler.wake_only_one(false);
    world.reset(2, scenario_.seats != 0 ? scenario_.seats : parties_ + 1, {0, 0}, false, true);
    for (int actor = 0; actor < actor_count(); ++actor) {
      world.party_of[World::index(actor)] = of(actor).party;
      if (of(actor).script.front() != 'n') world.sit_at_once(of(actor).party, static_cast<Seat>(of(actor).party));
    }
  }

  // False: all seats are taken.
  static bool open(int party) {
    SeatWords words(party);
    if (!liveness::sit(words)) return false;
    liveness::mend_dead(words, seat_of(party));
    return true;
  }

  static void leave(int party) {
    SeatWords words(party);
    words.free_lock_and_sides(seat_of(party));
    words.wake_all();
    liveness::leave(words, seat_of(party));
  }

  bool somebody_is_parked() const {
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (scheduler.state(actor) == Scheduler::State::parked) return true;
    }
    return false;
  }

  // Everybody is gone, and somebody comes, who mends what they left. Nothing: no seat is left, and that is told.
  std::optional<Seat> newcomer() const {
    for (int party = 0; party < parties_; ++party) world.dead[World::index(party)] = true;
    SeatWords words(world.outside_party);
    const auto seat = liveness::sit(words);
    if (seat) {
      liveness::mend_dead(words, *seat);
    } else {
      scheduler.fail("I11: no seat is left");
    }
    return seat;
  }

  const Scenario& scenario_;

 private:
  int parties_ = 0;
};

}  // namespace strait::model
