#pragma once
// Parties that write and read a ring of the C# library's layout under the scheduler, as dotnet/ring_end.hpp does it: dotnet/ring.hpp's
// steps, a turn for each side, and the wait of dotnet/waiting.hpp on an event that lets one sleeper go for each set. Nobody dies, so no
// slice ends: whoever sleeps must be woken.
//
// Scripts:   w  write a message, waiting for room     r  read one, waiting for it     p  write, if there is room
//            t  read, if there is one                 o  reserve a node, write a second message inside, then post the first

#include "scheduler.hpp"
#include "word.hpp"

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/ring.hpp>
#include <strait/dotnet/waiting.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

struct DotnetActor {
  std::string_view script;
};

struct DotnetScenario {
  std::string name;
  int nodes = 2;
  std::vector<DotnetActor> actors;
  bool takes_turns = true;  // false: as C# peers do, which is not safe
  int started_at = 0;       // where the cursors begin
  int deaths = 0;
  int preemptions = 2;
  bool never_refuses = false;  // there is always room: who polls is never told otherwise
};

class DotnetModel final : public Model {
 public:
  explicit DotnetModel(const DotnetScenario& scenario) : scenario_(scenario) {
    it = this;
    const auto moved = [](int, auto before, auto after) {
      if (before != after) scheduler.progress();
    };
    const char* const names[] = {"read_end", "read_start", "write_end", "write_start"};
    for (int i = 0; i < 4; ++i) cursors_[at(i)].describe(names[i], i, nullptr, moved);
    for (int i = 0; i < most_nodes; ++i) {
      done_read_[at(i)].describe("done_read", i, nullptr, moved);
      done_write_[at(i)].describe("done_write", i, nullptr, moved);
      amount_[at(i)].describe("amount", i, nullptr, nullptr);
    }
    for (int i = 0; i < 2; ++i) {
      events_[at(i)].word.describe(i == 0 ? "data_exists" : "node_available", i, nullptr, moved);
      turns_[at(i)].describe(i == 0 ? "writers' turn" : "readers' turn", i, nullptr, moved);
    }
  }

  int actor_count() const override { return static_cast<int>(scenario_.actors.size()); }
  int party_of(int actor) const override { return actor; }
  bool may_die(int) const override { return false; }

  void reset() override {
    it = this;
    scheduler.wake_only_one(true);
    for (auto& cursor : cursors_) cursor.reset(scenario_.started_at);
    for (int i = 0; i < most_nodes; ++i) {
      done_read_[at(i)].reset(0);
      done_write_[at(i)].reset(0);
      amount_[at(i)].reset(0);
      payload_[at(i)] = 0;
      holder_[at(i)] = -1;
    }
    for (auto& event : events_) event.word.reset(0);
    for (auto& turn : turns_) turn.reset(0);
    written_.clear();
    read_.clear();
    next_message_ = 1;
    tried_ = 0;
    for (auto& last : last_of_) last.fill(0);
  }

  void run(int actor) override {
    std::uint64_t place = 0;
    for (const char letter : scenario_.actors[at(actor)].script) {
      scheduler.begin(++place);
      switch (letter) {
        case 'w': write(true); break;
        case 'p': write(false); break;
        case 'r': read(true); break;
        case 't': read(false); break;
        default: write_within();
      }
    }
  }

  void died(int) override {}

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(static_cast<std::uint64_t>(next_message_), tried_);
    for (const int one : payload_) hash = mix(hash, static_cast<std::uint64_t>(one));
    for (const int one : holder_) hash = mix(hash, static_cast<std::uint64_t>(one + 1));
    for (const auto& last : last_of_) {
      for (const int one : last) hash = mix(hash, static_cast<std::uint64_t>(one));
    }
    for (const int one : written_) hash = mix(hash, static_cast<std::uint64_t>(one));
    for (const int one : read_) hash = mix(hash, static_cast<std::uint64_t>(one));
    return hash;
  }

  void finish() override {
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (scheduler.state(actor) == Scheduler::State::parked) return scheduler.fail("PROGRESS: somebody sleeps for ever");
    }
    if (scenario_.never_refuses && tried_ != 0) return scheduler.fail("R4: a ring with room was taken for full");
    // What was written and not read is in the ring, in its order, and every node is there again.
    std::vector<int> all = read_;
    Ring ring{Words{}};
    for (;;) {
      const auto found = ring.reserve_for_reading([](std::int32_t) { return true; });
      if (found.what != Ring::Found::What::reserved) break;
      if (ring.amount(found.node) != 8) return scheduler.fail("R2: the length of a message is gone");
      all.push_back(payload_[at(found.node)]);
      ring.give_back(found.node);
    }
    if (all.size() != written_.size()) return scheduler.fail("a message is lost, or stuck in the ring");
    std::vector<bool> seen(written_.size() + 1);
    for (const int message : all) {
      if (message < 1 || seen[at(message)]) return scheduler.fail("a message came twice");
      seen[at(message)] = true;
    }
    for (int i = 0; i + 1 < scenario_.nodes; ++i) {
      const auto node = ring.reserve_for_writing();
      if (!node) return scheduler.fail("a node is lost");
      ring.post(*node, 8);
    }
    if (ring.reserve_for_writing()) scheduler.fail("the ring holds more than N - 1 messages");
  }

 private:
  static constexpr int most_nodes = 4;
  using Int = Word<std::int32_t>;

  static inline DotnetModel* it = nullptr;

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  struct Words {
    dotnet::Index count() const noexcept { return it->scenario_.nodes; }
    Int& read_end() const noexcept { return it->cursors_[0]; }
    Int& read_start() const noexcept { return it->cursors_[1]; }
    Int& write_end() const noexcept { return it->cursors_[2]; }
    Int& write_start() const noexcept { return it->cursors_[3]; }
    Int& done_read(dotnet::Index i) const noexcept { return it->done_read_[at(i)]; }
    Int& done_write(dotnet::Index i) const noexcept { return it->done_write_[at(i)]; }
    Int& amount(dotnet::Index i) const noexcept { return it->amount_[at(i)]; }
    dotnet::Index checked(dotnet::Index i) const {
      if (i < 0 || i >= count()) scheduler.fail("a cursor is no index");
      return i;
    }
  };
  using Ring = dotnet::Ring<Words>;

  // Auto-reset: a set lets one sleeper go, or the next one who comes.
  struct Event {
    Word<std::uint32_t> word;
    void set() {
      word.store(1);
      scheduler.wake(&word);
    }
    Status wait(Timeout) {
      for (;;) {
        std::uint32_t set = 1;
        if (word.compare_exchange_strong(set, 0)) return Status::ok;
        scheduler.park(&word, word.peek() == 0);
      }
    }
  };

  // A mutex, as far as it matters here.
  struct Turn {
    explicit Turn(Word<std::uint32_t>& word) : word_(it->scenario_.takes_turns ? &word : nullptr) {
      std::uint32_t free = 0;
      while (word_ != nullptr && !word_->compare_exchange_strong(free, 1)) {
        scheduler.park(word_, word_->peek() == 1);
        free = 0;
      }
    }
    ~Turn() {
      if (word_ == nullptr) return;
      word_->store(0);
      scheduler.wake(word_);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Word<std::uint32_t>* word_;
  };

  static constexpr WaitPolicy at_once{std::chrono::nanoseconds(0), true};

  std::optional<dotnet::Index> try_reserve_for_writing() {
    if (ring_.seems_full()) return std::nullopt;
    const Turn turn(turns_[0]);
    return ring_.reserve_for_writing();
  }

  std::optional<dotnet::Index> reserve(bool waits) {
    std::optional<dotnet::Index> node;
    const auto attempt = [&] { return (node = try_reserve_for_writing()).has_value(); };
    const auto nobody_closes = []() -> std::optional<Status> { return std::nullopt; };
    static_cast<void>(dotnet::wait_on(events_[1], at_once, waits ? forever : no_wait, attempt, nobody_closes, [&] { return !ring_.seems_full(); }));
    if (node) {
      // R: nobody else has it, and what was in it was read.
      if (holder_[at(*node)] != -1) scheduler.fail("B13: a node that somebody has was reserved for writing");
      if (payload_[at(*node)] != 0) scheduler.fail("B13: a message that nobody has read is written over");
      holder_[at(*node)] = scheduler.current();
      scheduler.progress();
    }
    return node;
  }

  // Numbers in the order of the reservations.
  void fill(dotnet::Index node) {
    payload_[at(node)] = next_message_++;
    written_.push_back(scheduler.current());
  }

  void post(dotnet::Index node) {
    holder_[at(node)] = -1;
    ring_.post(node, 8);
    events_[0].set();
  }

  void write(bool waits) {
    const auto node = reserve(waits);
    if (!node) {
      ++tried_;
      return;
    }
    fill(*node);
    post(*node);
  }

  void write_within() {
    const auto first = reserve(true);
    fill(*first);
    write(true);
    post(*first);
  }

  void read(bool waits) {
    Ring::Found found{};
    const auto attempt = [&] {
      if (ring_.seems_empty()) return false;
      const Turn turn(turns_[1]);
      found = ring_.reserve_for_reading([](std::int32_t) { return true; });
      return found.what == Ring::Found::What::reserved;
    };
    const auto nobody_closes = []() -> std::optional<Status> { return std::nullopt; };
    const auto status = dotnet::wait_on(events_[0], at_once, waits ? forever : no_wait, attempt, nobody_closes, [&] { return !ring_.seems_empty(); });
    if (status != Status::ok) {
      ++tried_;
      return;
    }
    const int node = found.node;
    if (holder_[at(node)] != -1) return scheduler.fail("B13: a node that somebody has was reserved for reading");
    if (payload_[at(node)] == 0) return scheduler.fail("B13: a node without a message was read");
    holder_[at(node)] = scheduler.current();
    if (ring_.amount(node) != 8) return scheduler.fail("R2: the length of a message is gone");
    read_.push_back(payload_[at(node)]);
    // First in, first out: of each writer, for each reader.
    auto& last = last_of_[at(scheduler.current())][at(written_[at(payload_[at(node)] - 1)])];
    if (payload_[at(node)] < last) return scheduler.fail("a reader got messages out of order");
    last = payload_[at(node)];
    payload_[at(node)] = 0;
    holder_[at(node)] = -1;
    ring_.give_back(node);
    events_[1].set();
  }

  const DotnetScenario& scenario_;
  std::array<Int, 4> cursors_;
  std::array<Int, most_nodes> done_read_;
  std::array<Int, most_nodes> done_write_;
  std::array<Int, most_nodes> amount_;
  std::array<Event, 2> events_;
  std::array<Word<std::uint32_t>, 2> turns_;
  Ring ring_{Words{}};

  std::array<int, most_nodes> payload_{};
  std::array<int, most_nodes> holder_{};
  std::vector<int> written_;  // by whom
  std::vector<int> read_;
  std::array<std::array<int, Scheduler::max_actors>, Scheduler::max_actors> last_of_{};
  int next_message_ = 1;
  std::uint64_t tried_ = 0;
};

inline std::vector<DotnetScenario> dotnet_scenarios() {
  return {
      {"2 nodes, 1 writer, 1 reader", 2, {{"www"}, {"rrr"}}, true, 0, 0, 4},
      {"3 nodes, 1 writer, 1 reader", 3, {{"www"}, {"rrr"}}, true, 0, 0, 4},
      {"2 nodes, 2 writers, 1 reader", 2, {{"w"}, {"w"}, {"rr"}}, true, 0, 0, 3},
      {"3 nodes, 2 writers of one message, 1 reader", 3, {{"w"}, {"w"}, {"rr"}}, true, 0, 0, 4},
      {"3 nodes, 1 writer, 2 readers of one message", 3, {{"wwww"}, {"r"}, {"r"}}, true, 0, 0, 3},
      {"3 nodes, 2 writers, 1 reader", 3, {{"ww"}, {"w"}, {"rrr"}}},
      {"2 nodes, 1 writer, 2 readers", 2, {{"ww"}, {"r"}, {"r"}}},
      {"3 nodes, 1 writer, 2 readers", 3, {{"www"}, {"rr"}, {"r"}}, true, 2},
      {"3 nodes, 2 writers, 2 readers", 3, {{"w"}, {"w"}, {"r"}, {"r"}}},
      {"2 nodes, 2 writers, 2 readers, a lap and a half", 2, {{"ww"}, {"w"}, {"rr"}, {"r"}}},
      {"4 nodes, a message posted inside another, 1 reader", 4, {{"o"}, {"w"}, {"rrr"}}},
      {"4 nodes, 2 post out of turn, 2 read", 4, {{"o"}, {"w"}, {"rr"}, {"r"}}, true, 3},
      {"2 nodes, polling", 2, {{"pp"}, {"p"}, {"tt"}, {"t"}}},
      {"4 nodes, never full: polling writers are not told otherwise", 4, {{"p"}, {"pp"}, {"r"}}, true, 0, 0, 3, true},
      {"4 nodes, 2 asleep, 2 messages, somebody who sneaks in", 4, {{"ww"}, {"r"}, {"r"}, {"wt"}}},
  };
}

// For schedules at random.
inline std::vector<DotnetScenario> dotnet_crowds() {
  return {
      {"3 nodes, a poster is overtaken by a lap", 3, {{"w"}, {"www"}, {"w"}, {"rrrrr"}}},
      {"3 nodes, 3 writers, 1 reader", 3, {{"www"}, {"www"}, {"www"}, {"rrrrrrrrr"}}},
      {"4 nodes, 3 writers, 2 readers", 4, {{"wwww"}, {"www"}, {"www"}, {"rrrrr"}, {"rrrrr"}}},
      {"3 nodes, 1 writer, 3 readers", 3, {{"wwwwwwwww"}, {"rrr"}, {"rrr"}, {"rrr"}}},
  };
}

// C# peers do not take turns. Less than a lap is safe all the same.
inline std::vector<DotnetScenario> dotnet_less_than_a_lap() {
  return {
      {"without turns, less than a lap: 4 nodes, 2 writers, 1 reader", 4, {{"w"}, {"www"}, {"r"}}, false},
      {"without turns, less than a lap: 4 nodes, 1 writer, 2 readers", 4, {{"ww"}, {"r"}, {"r"}}, false},
  };
}

// What C# peers do among themselves, for the model's own honesty: B13 must be found.
inline std::vector<DotnetScenario> dotnet_without_turns() {
  return {
      {"without turns: 2 nodes, 2 writers, 1 reader", 2, {{"ww"}, {"w"}, {"rrr"}}, false},
      {"without turns: 2 nodes, 1 writer, 2 readers", 2, {{"www"}, {"rr"}, {"r"}}, false},
  };
}

}  // namespace strait::model
