#pragma once
// Parties that set one event and wait for it under the scheduler, as handle/segment_event.hpp does it: event/event.hpp's steps in
// the same order, the same waits.
//
// Scripts, automatic:   e  first: has waited since before anything else happened; is let go      a  comes and waits
//                       t  comes, and gives up instead of sleeping    s  set     r  reset
//          manual:      m  waits     b  first: has waited since before     S  set     R  reset     n  first: open     l  last: leave
//
// A set is judged when it ends: a thread that waited since before it began may still be waiting only if another was let go.

#include "seated.hpp"

#include <strait/event/event.hpp>
#include <strait/layout/event.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

using layout::EntryState;
using layout::event_is_set;
using layout::EventEntry;

inline constexpr std::uint32_t event_entries = 4;

struct EventState {
  Word<std::uint64_t> state;
  Word<std::uint64_t> orders;
  Word<std::uint32_t> used;
  std::array<Word<std::uint64_t>, event_entries> entry;
};
inline EventState event_state;

struct EventWords {
  Word<std::uint64_t>& state() noexcept { return event_state.state; }
  Word<std::uint64_t>& orders() noexcept { return event_state.orders; }
  Word<std::uint32_t>& entry_used() noexcept { return event_state.used; }
  Word<std::uint64_t>& entry(std::uint32_t index) noexcept { return event_state.entry[index]; }
  std::uint32_t entry_count() const noexcept { return event_entries; }
  void wake() const noexcept { model::wake(SignalName::lock_freed); }
};

struct EventScenario {
  std::string name;
  std::vector<SeatedActor> actors;
  bool all_are_let_go = true;  // everybody who lives; otherwise sets may have met nobody and counted once
  int deaths = 0;
  int seats = 0;
};

class EventModel final : public SeatedModel<EventScenario> {
 public:
  explicit EventModel(const EventScenario& scenario) : SeatedModel(scenario) {
    const auto moved = [](int, std::uint64_t before, std::uint64_t after) {
      if (before != after) scheduler.progress();
    };
    event_state.state.describe("state", 0, nullptr, changed_state);
    event_state.orders.describe("orders", 0, nullptr, moved);
    event_state.used.describe("used", 0, nullptr, nullptr);
    for (std::uint32_t i = 0; i < event_entries; ++i)
      event_state.entry[i].describe("entry", static_cast<int>(i), nullptr, changed_entry);
    it = this;
  }

  void reset() override {
    reset_world();
    world.mend_also = [](Seat dead) {
      const auto mender = World::index(scheduler.current() + 1);
      it->mends_[mender] = true;
      it->given_on_[mender] = 0;
      event::Event<EventWords>(EventWords{}).mend(dead);
      it->mends_[mender] = false;
      // What met a set event counts once with it.
      if ((event_state.state.peek() & event_is_set) != 0 && mender != 0) it->made_ += std::min(0, it->given_on_[mender]);
    };
    it = this;
    event_state.state.reset(0);
    event_state.orders.reset(0);
    event_state.used.reset(0);
    for (auto& entry : event_state.entry) entry.reset(0);
    let_go_ = 0;
    made_ = 0;
    effect_.fill(false);
    hold_.fill(0);
    mends_.fill(false);
    std::uint32_t waiting = 0;
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (of(actor).script.front() != 'e') continue;
      early_[World::index(actor)] = {waiting, EventEntry::of(EntryState::waiting, waiting, static_cast<Seat>(of(actor).party))};
      event_state.entry[waiting].reset(early_[World::index(actor)].entry.bits);
      ++waiting;
    }
    event_state.orders.reset(waiting);
    event_state.used.reset(waiting);
  }

  void run(int actor) override {
    const int party = of(actor).party;
    Event event{EventWords{}};
    std::uint64_t place = 0;
    for (const char letter : of(actor).script) {
      scheduler.begin(++place);
      switch (letter) {
        case 'n':
          if (!open(party)) return;
          break;
        case 'l':
          leave(party);
          break;
        case 's':
          set(event, actor);
          break;
        case 'S':
          event.set_manual();
          break;
        case 'r':
        case 'R':
          event.reset();
          hold_[World::index(actor)] = 0;
          break;
        case 'b':
          wait_manual(event, party, 0);
          break;
        case 'm':
          wait_manual(event, party, event.state());
          break;
        case 'e':
          wait_automatic(event, actor, early_[World::index(actor)], letter);
          break;
        default:
          if (event.take()) {
            went(actor);
            break;
          }
          if (const auto entered = event.enter(seat_of(party))) {
            wait_automatic(event, actor, *entered, letter);
          } else {
            scheduler.fail("ENTRIES: too few for the scenario");
          }
      }
    }
  }

  void died(int party) override {
    world.dead[World::index(party)] = true;
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (of(actor).party != party) continue;
      let_go_ += hold_[World::index(actor)];  // it was about to go on
      hold_[World::index(actor)] = 0;
      mends_[World::index(actor + 1)] = false;
    }
  }

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(world.digest(), static_cast<std::uint64_t>(let_go_) | static_cast<std::uint64_t>(made_) << 16);
    for (const bool one : effect_) hash = mix(hash, one);
    for (const int one : hold_) hash = mix(hash, static_cast<std::uint64_t>(one));
    for (const int one : given_on_) hash = mix(hash, static_cast<std::uint64_t>(one + 8));
    for (const bool one : mends_) hash = mix(hash, one);
    return hash;
  }

  void finish() override {
    const bool is_set = (event_state.state.peek() & layout::event_is_set) != 0;
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (scheduler.state(actor) != Scheduler::State::parked) continue;
      if (scenario_.all_are_let_go) return scheduler.fail("PROGRESS: a set is lost: somebody waits for ever");
      if (is_set) return scheduler.fail("PROGRESS: somebody sleeps although the event is set");
    }
    for (const auto& entry : event_state.entry) {
      const EventEntry seen{entry.peek()};
      if (seen.state() == EntryState::released && !world.is_dead_party(world.occupant[seen.seat()])) {
        return scheduler.fail("PROGRESS: a released thread was not told");
      }
    }
    // E1, E2, E3: each set that had an effect has let one go, or is still there; a mender that died may have given one on twice.
    int there = is_set ? 1 : 0;
    for (const auto& entry : event_state.entry) there += EventEntry{entry.peek()}.state() == EntryState::released ? 1 : 0;
    if (counted() && (scheduler.deaths() < 2 ? let_go_ + there != made_ : let_go_ + there < made_)) {
      return scheduler.fail("E1, E2, E3: sets and threads let go do not agree");
    }
    if (!newcomer()) return;
    for (const auto& entry : event_state.entry) {
      if (entry.peek() != 0) return scheduler.fail("E3: the entry of a dead thread is left");
    }
  }

 private:
  using Event = event::Event<EventWords>;
  using Place = Event::Place;

  static inline EventModel* it = nullptr;

  // Manual events and resets are not counted.
  bool counted() const {
    for (const SeatedActor& actor : scenario_.actors) {
      if (actor.script.find_first_of("rRSmb") != std::string_view::npos) return false;
    }
    return true;
  }

  void effect() {
    const int actor = scheduler.current();
    if (mends_[World::index(actor + 1)]) {
      ++given_on_[World::index(actor + 1)];
      return;
    }
    if (actor >= 0 && hold_[World::index(actor)] > 0) {
      --hold_[World::index(actor)];  // given back: it had the bit and its entry was released as well
      return;
    }
    ++made_;
    if (actor >= 0) effect_[World::index(actor)] = true;
  }
  void took() {
    const int actor = scheduler.current();
    if (mends_[World::index(actor + 1)]) {
      --given_on_[World::index(actor + 1)];
    } else if (actor >= 0) {
      ++hold_[World::index(actor)];
    }
  }
  void went(int actor) {
    ++let_go_;
    auto& hold = hold_[World::index(actor)];
    if (hold == 0) scheduler.fail("E1: let go without a set");
    made_ -= hold - 1;  // what it gave back met a set event: they count once
    hold = 0;
  }
  static void changed_state(int, std::uint64_t before, std::uint64_t after) {
    if (before == after) return;
    scheduler.progress();
    if ((after & layout::event_is_set) > (before & layout::event_is_set)) it->effect();
    if ((after & layout::event_is_set) < (before & layout::event_is_set)) it->took();
  }
  static void changed_entry(int, std::uint64_t before, std::uint64_t after) {
    if (before == after) return;
    scheduler.progress();
    const EntryState a = EventEntry{before}.state();
    const EntryState b = EventEntry{after}.state();
    if (a == EntryState::waiting && b == EntryState::released) it->effect();
    if (a == EntryState::released && b == EntryState::free) it->took();
    if (a == EntryState::free && b == EntryState::released) scheduler.fail("E1: an entry is released in which nobody waits");
  }

  void set(Event& event, int actor) {
    auto& effect = effect_[World::index(actor)];
    effect = false;
    std::array<std::uint64_t, event_entries> before{};
    for (std::uint32_t i = 0; i < event_entries; ++i) before[i] = event_state.entry[i].peek();
    event.set_automatic();
    for (std::uint32_t i = 0; i < event_entries && !effect; ++i) {
      if (EventEntry{before[i]}.state() == EntryState::waiting && event_state.entry[i].peek() == before[i]) {
        scheduler.fail("E1: a set without effect passes a waiting thread over");
      }
    }
    effect = false;
  }

  void wait_automatic(Event& event, int actor, Place place, char letter) {
    const auto attempt = [&] { return event.try_leave(place); };
    if (wait(of(actor).party, 1000 + place.index + 16 * place.entry.order(), letter == 't', attempt)) {
      went(actor);
    } else if (event.leave(place)) {
      went(actor);
    }
  }

  void wait_manual(Event& event, int party, std::uint64_t since) {
    static_cast<void>(wait(party, 500 + since, false, [&] { return event.is_let_go(since); }));
  }

  // `what` is what the actor holds in its hands while it waits.
  template <class Attempt>
  bool wait(int party, std::uint64_t what, bool gives_up, Attempt attempt) {
    if (attempt()) return true;
    for (;;) {
      scheduler.forget(what);
      const std::uint32_t announced = wait::announce(signal_word(SignalName::lock_freed));
      if (attempt()) return true;
      if (gives_up) return false;
      const bool woken = Park{}.sleep(signal_word(SignalName::lock_freed), announced);
      if (attempt()) return true;
      if (woken) continue;
      SeatWords words(party);
      liveness::mend_dead(words, seat_of(party));
    }
  }

  int let_go_ = 0;
  int made_ = 0;  // sets that had an effect
  std::array<bool, Scheduler::max_actors> effect_{};
  std::array<bool, Scheduler::max_actors + 1> mends_{};    // by actor, the first for nobody
  std::array<int, Scheduler::max_actors + 1> given_on_{};  // by a mend under way, less what it freed
  std::array<int, Scheduler::max_actors> hold_{};          // bits taken and releases used by a thread that has not gone on yet
  std::array<Place, Scheduler::max_actors> early_{};
};

inline std::vector<EventScenario> event_scenarios() {
  constexpr bool dies = true;
  return {
      {"2 wait, 2 sets by one", {{0, "e"}, {1, "e"}, {2, "ss"}}},
      {"2 wait, 2 sets by two", {{0, "e"}, {1, "e"}, {2, "s"}, {3, "s"}}},
      {"2 wait, 2 sets, a third comes", {{0, "e"}, {1, "e"}, {2, "ss"}, {3, "t"}}},
      {"1 waits again and again, another waits, 2 sets", {{0, "et"}, {1, "e"}, {2, "ss"}}},
      {"they come and go, 2 sets", {{0, "a"}, {1, "t"}, {2, "ss"}}, false},
      {"threads of one handle", {{0, "e"}, {0, "e"}, {1, "s"}, {1, "s"}}},
      {"one gives up, sets count once", {{0, "t"}, {1, "a"}, {2, "s"}}, false},
      {"2 come, sets by two", {{0, "a"}, {1, "a"}, {2, "s"}, {3, "s"}}, false},
      {"set and reset", {{0, "a"}, {1, "sr"}, {2, "s"}}, false},
      {"manual: 2 wait, set and reset at once", {{0, "b"}, {1, "b"}, {2, "SR"}}},
      {"manual: they come, set by two", {{0, "m"}, {1, "mm"}, {2, "S"}, {3, "S"}}},
      {"manual: set, reset, set", {{0, "b"}, {1, "m"}, {2, "SRS"}}},
      // Who dies may take no set with it: the other one is let go.
      {"2 wait, one of them dies, 2 sets", {{0, "e", dies}, {1, "e"}, {2, "ss"}}, true, 1},
      {"3 wait, one of them dies, 3 sets by two", {{0, "e", dies}, {1, "e"}, {2, "e"}, {3, "ss"}, {4, "s"}}, true, 1},
      {"1 comes and dies, another waits, 2 sets", {{0, "a", dies}, {1, "e"}, {2, "ss"}}, true, 1},
      {"the one who is released dies, another waits", {{0, "e", dies}, {1, "e"}, {2, "s"}}, false, 1},
      {"one comes and may die, 1 set", {{0, "a", dies}, {1, "a"}, {2, "s"}}, false, 1},
      {"a setter dies, another goes on", {{0, "e"}, {1, "e"}, {2, "ss", dies}, {3, "ss"}}, true, 1},
      {"a newcomer takes the seat of the dead", {{0, "e", dies}, {1, "e"}, {2, "ss"}, {3, "nl"}}, true, 1, 3},
      {"manual: anybody dies", {{0, "b", dies}, {1, "b"}, {2, "SR"}}, true, 1},
      {"a waiter dies, and its mender", {{0, "e", dies}, {1, "e", dies}, {2, "e"}, {3, "sss"}}, true, 2},
  };
}

}  // namespace strait::model
