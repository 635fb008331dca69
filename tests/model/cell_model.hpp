#pragma once
// Parties that change one value of two words and read it under the scheduler, as handle/cell_handle.hpp does it: cell/cell.hpp's steps
// in the same order, under lock/mutex.hpp's lock, with the mend in the same place. Each word of the value and of the journals is a
// step of its own.
//
// Scripts:   w  change: both words     p  change: the first word     r  read     v  wait until the version is no longer 0, read
//            n  first: open the handle     l  last: leave

#include "mutex_model.hpp"
#include "seated.hpp"

#include <strait/cell/cell.hpp>
#include <strait/layout/cell.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

using layout::CellState;
using Pair = std::array<std::uint64_t, 2>;

struct CellWords {
  Word<std::uint64_t> state;
  std::array<Word<std::uint64_t>, 2> value;
  std::array<std::array<Word<std::uint64_t>, 2>, 2> journal;
};
inline CellWords cell_words;

struct CellBytes {
  Word<std::uint64_t>& state() noexcept { return cell_words.state; }
  void keep(unsigned journal) noexcept {
    for (std::size_t i = 0; i < 2; ++i) cell_words.journal[journal][i].store(cell_words.value[i].load());
  }
  std::uint64_t settled(std::uint64_t bits) noexcept { return bits; }  // no time passes
  void put_back(unsigned journal) noexcept {
    for (std::size_t i = 0; i < 2; ++i) cell_words.value[i].store(cell_words.journal[journal][i].load());
  }
};

struct CellScenario {
  std::string name;
  std::vector<SeatedActor> actors;
  int deaths = 0;
  int seats = 0;         // 0: enough for everybody
  bool at_wrap = false;  // both counts begin just before they start again
};

class CellModel final : public SeatedModel<CellScenario> {
 public:
  explicit CellModel(const CellScenario& scenario) : SeatedModel(scenario) {
    it = this;
    const auto moved = [](int, std::uint64_t before, std::uint64_t after) {
      if (before != after) scheduler.progress();
    };
    first_word.describe("first", 0, nullptr, moved);
    cell_words.state.describe("state", 0, text_of_state, changed_state);
    for (int i = 0; i < 2; ++i) {
      cell_words.value[World::index(i)].describe("value", i, nullptr, moved);
      for (int j = 0; j < 2; ++j)
        cell_words.journal[World::index(j)][World::index(i)].describe("journal", 2 * j + i, nullptr, nullptr);
    }
  }

  void reset() override {
    it = this;
    reset_world();
    world.mend_also = [](Seat dead) {
      if ((world.lock.peek() & ~layout::lock_abandoned) == dead + 1) cell::Cell<CellBytes>(CellBytes{}).mend();
      lock::Mutex<MutexWords>(MutexWords{}).mend(dead);
    };
    first_word.reset(0);
    began_ = scenario_.at_wrap ? (std::uint64_t{1} << 50) - 2 : 0;
    cell_words.state.reset(CellState::of(began_, scenario_.at_wrap ? CellState::put_back_mask : 0, false).bits);
    for (std::size_t i = 0; i < 2; ++i) {
      cell_words.value[i].reset(1);
      for (auto& journal : cell_words.journal) journal[i].reset(0);
    }
    was_.fill({1, 1});
    next_.fill({0, 0});
    changes_ = 0;
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
        case 'l':
          leave(party);
          break;
        case 'r':
          read();
          break;
        case 'v':
          wait_until(SignalName::reader_left, party,
                     [] { return cell::Cell<CellBytes>(CellBytes{}).version_after_announcement() != it->began_; });
          read();
          break;
        default:
          change(actor, place, letter == 'p');
      }
    }
  }

  void died(int party) override { world.dead[World::index(party)] = true; }

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(world.digest(), changes_);
    for (std::size_t i = 0; i <= changes_; ++i) hash = mix(mix(hash, was_[i][0]), was_[i][1]);
    for (const Pair& one : next_) hash = mix(mix(hash, one[0]), one[1]);
    return hash;
  }

  void finish() override {
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (scheduler.state(actor) != Scheduler::State::parked) continue;
      if (of(actor).script.find('v') != std::string_view::npos && changes_ == 0) continue;  // nobody lived to change anything
      return scheduler.fail("PROGRESS: somebody waits for ever");
    }
    if (!newcomer()) return;
    if (CellState{cell_words.state.peek()}.is_writing())
      return scheduler.fail("C3: a dead writer's change is neither done nor undone");
    const Pair now{cell_words.value[0].peek(), cell_words.value[1].peek()};
    if (now != was_[changes_]) return scheduler.fail("C3: the value in the end is not that of the last change");
  }

 private:
  using Cell = cell::Cell<CellBytes>;

  static inline CellModel* it = nullptr;

  // C3, and the ledger of what each version was.
  static void changed_state(int, std::uint64_t before, std::uint64_t after) {
    if (before == after) return;
    scheduler.progress();
    const CellState a{before};
    const CellState b{after};
    if (b == a.begun() && !a.is_writing()) return;
    if (!a.is_writing()) return scheduler.fail("C3: a change ends that has not begun");
    if (b == a.undone()) return;
    if (b != a.finished()) return scheduler.fail("C3: a version was jumped over");
    if (it->changes_ + 1 >= it->was_.size()) return scheduler.fail("too many changes for the ledger");
    it->was_[++it->changes_] = it->next_[World::index(scheduler.current())];
  }

  static std::string text_of_state(std::uint64_t bits) {
    const CellState state{bits};
    return std::to_string(state.version()) + "/" + std::to_string(state.put_back()) + (state.is_writing() ? " writing" : "");
  }

  void read() {
    const auto changes_before = changes_;
    scheduler.saw(mix(77, changes_before));  // what the checks below depend on
    std::size_t copies = 0;
    Pair copy{};
    const auto version = Cell(CellBytes{}).read([&](cell::Place place) {
      ++copies;
      for (std::size_t i = 0; i < 2; ++i) {
        copy[i] = place == cell::Place::value ? cell_words.value[i].load()
                                              : cell_words.journal[static_cast<std::size_t>(place)][i].load();
      }
    });
    const std::uint64_t number = (version - began_) & ((std::uint64_t{1} << 50) - 1);
    if (number > changes_ || number < changes_before) return scheduler.fail("C1: a version that was not there during the read");
    if (copy != was_[number]) return scheduler.fail(copy[0] == copy[1] ? "C1: not the value of that version" : "C1: a torn read");
    // At most two copies for each change that ended meanwhile, and for the one under way.
    if (copies > 2 * (changes_ - changes_before + static_cast<std::size_t>(scheduler.deaths()) + 1))
      scheduler.fail("C2: a reader began again without a change");
  }

  void change(int actor, std::uint64_t place, bool only_first) {
    lock::Mutex<MutexWords> mutex{MutexWords{}};
    const int party = of(actor).party;
    const Seat seat = seat_of(party);
    const auto me = FirstInLine::of(seat, static_cast<std::uint32_t>(actor));
    wait_until(SignalName::lock_freed, party, [&] { return mutex.try_lock(me, seat); });
    Cell cell(CellBytes{});
    const std::uint64_t fresh = 10 * (static_cast<std::uint64_t>(actor) + 1) + place;
    Pair next{fresh, only_first ? cell_words.value[1].load() : fresh};
    next_[World::index(actor)] = next;
    const auto version = cell.next_version();
    cell.begin();
    cell_words.value[0].store(next[0]);
    if (!only_first) cell_words.value[1].store(next[1]);
    cell.finish();
    if (cell.next_version() == version) scheduler.fail("C3: the version did not grow");
    wake(SignalName::reader_left);
    mutex.unlock();
  }

  std::uint64_t began_ = 0;
  std::size_t changes_ = 0;
  std::array<Pair, 12> was_{};                      // the value of each version
  std::array<Pair, Scheduler::max_actors> next_{};  // what each writer is about to finish
};

inline std::vector<CellScenario> cell_scenarios() {
  constexpr bool dies = true;
  return {
      {"1 writer, 1 reader", {{0, "wp"}, {1, "rr"}}},
      {"1 writer of three changes, 1 reader", {{0, "www"}, {1, "r"}}},
      {"2 writers, 1 reader", {{0, "w"}, {1, "pw"}, {2, "r"}}},
      {"2 writers, 2 readers", {{0, "w"}, {1, "w"}, {2, "r"}, {3, "r"}}},
      {"2 wait for a change", {{0, "w"}, {1, "v"}, {2, "v"}}},
      {"where both counts begin again", {{0, "www"}, {1, "r"}}, 0, 0, true},
      {"the writer dies", {{0, "w", dies}, {1, "wr"}, {2, "r"}}, 1},
      {"a writer dies, another goes on, 1 reader", {{0, "wp", dies}, {1, "ww"}, {2, "r"}}, 1},
      {"a writer dies where both counts begin again", {{0, "ww", dies}, {1, "w"}, {2, "rr"}}, 1, 0, true},
      {"a writer dies, who waits is told of the next", {{0, "w", dies}, {1, "w"}, {2, "v"}}, 1},
      {"a newcomer takes the seat of the dead writer", {{0, "w", dies}, {1, "r"}, {2, "nwl"}}, 1, 2},
      {"a writer dies, and its mender", {{0, "w", dies}, {1, "w", dies}, {2, "wr"}}, 2},
      {"a writer dies, and the newcomer in its seat", {{0, "w", dies}, {1, "n", dies}, {2, "r"}, {3, "nr"}}, 2},
  };
}

}  // namespace strait::model
