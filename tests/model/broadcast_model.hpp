#pragma once
// One publisher and its subscribers under the scheduler, as handle/broadcast_end.hpp and handle/broadcast_source.hpp do it: the steps of
// broadcast/writer.hpp and reader.hpp in the same order, with the waits and wakes between them. Each part of a message is one word.
//
// Scripts of the publisher (party 0):  1 2  publish a message of so many parts   l  take a loan   f  finish the oldest loan   s  finish the
//                                      youngest   g  give up the oldest   w  wait for the first subscriber   e  end: close
// Scripts of a subscriber:             j  join   r  receive a message, or find the end   R  receive until the end   x  leave
//                                      n  first: take a seat, mending who died there

#include "world.hpp"

#include <strait/broadcast/reader.hpp>
#include <strait/broadcast/writer.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

using layout::BroadcastPhase;
using layout::BroadcastWord;
using layout::LineState;

struct BroadcastWords {
  static constexpr std::size_t most_nodes = 4;
  static constexpr std::size_t most_lines = 4;
  Word<std::uint64_t> claimed, messages, limit;
  Word<std::uint32_t> used;
  std::array<Word<std::uint64_t>, most_lines> position;
  std::array<Word<std::uint32_t>, most_lines> state, connected;
  std::array<Word<std::uint64_t>, most_nodes> word, message, total, content;
  std::array<Word<std::uint32_t>, most_nodes> size, flags;
  int nodes = 2;
};
inline BroadcastWords broadcast_words;

struct BroadcastMemory {
  std::uint64_t node_count() const noexcept { return static_cast<std::uint64_t>(broadcast_words.nodes); }
  std::uint32_t line_count() const noexcept { return BroadcastWords::most_lines; }
  Word<std::uint64_t>& claimed() noexcept { return broadcast_words.claimed; }
  Word<std::uint64_t>& messages() noexcept { return broadcast_words.messages; }
  Word<std::uint64_t>& limit() noexcept { return broadcast_words.limit; }
  Word<std::uint32_t>& used() noexcept { return broadcast_words.used; }
  Word<std::uint64_t>& position(std::uint32_t line) noexcept { return broadcast_words.position[line]; }
  Word<std::uint32_t>& state(std::uint32_t line) noexcept { return broadcast_words.state[line]; }
  Word<std::uint64_t>& word(std::uint64_t i) noexcept { return broadcast_words.word[i]; }
  Word<std::uint64_t>& message(std::uint64_t i) noexcept { return broadcast_words.message[i]; }
  Word<std::uint64_t>& total(std::uint64_t i) noexcept { return broadcast_words.total[i]; }
  Word<std::uint32_t>& size(std::uint64_t i) noexcept { return broadcast_words.size[i]; }
  Word<std::uint32_t>& flags(std::uint64_t i) noexcept { return broadcast_words.flags[i]; }
  void hand_on(std::uint64_t i, std::uint64_t bits) noexcept { change(word(i), bits); }
  void move_on(std::uint32_t line, std::uint64_t at) noexcept { change(position(line), at); }
  void begin_writing() const noexcept {}
  void finished_reading() const noexcept {}
  void about_to_read(std::uint64_t) const noexcept {}

 private:
  static void change(Word<std::uint64_t>& word, std::uint64_t value) noexcept {
    if (world.stores_suffice) {
      word.store_late(value);
    } else {
      word.exchange(value);
    }
  }
};

struct BroadcastActor {
  std::string_view script;
  LineState delivery = LineState::lossless;  // of a subscriber
  bool may_die = false;
};

struct BroadcastScenario {
  std::string name;
  std::vector<BroadcastActor> actors;  // the first is the publisher
  int nodes = 2;
  int deaths = 0;
  std::uint64_t history = 0;
  int seats = 0;  // 0: enough for everybody
  bool late = false;
};

class BroadcastModel final : public Model {
 public:
  explicit BroadcastModel(const BroadcastScenario& scenario) : scenario_(scenario) {
    it = this;
    const auto moved = [](int, std::uint64_t before, std::uint64_t after) {
      if (before != after) scheduler.progress();
    };
    const auto moved_small = [](int, std::uint32_t before, std::uint32_t after) {
      if (before != after) scheduler.progress();
    };
    auto& words = broadcast_words;
    words.claimed.describe("claimed", 0, nullptr, nullptr);
    words.messages.describe("messages", 0, nullptr, nullptr);
    words.limit.describe("limit", 0, nullptr, nullptr);
    words.used.describe("used", 0, nullptr, nullptr);
    for (int i = 0; i < static_cast<int>(BroadcastWords::most_lines); ++i) {
      words.position[World::index(i)].describe("position", i, nullptr, moved);
      words.state[World::index(i)].describe("state", i, nullptr, moved_small);
      words.connected[World::index(i)].describe("connected", i, nullptr, moved_small);
    }
    for (int i = 0; i < static_cast<int>(BroadcastWords::most_nodes); ++i) {
      const auto at = World::index(i);
      words.word[at].describe("word", i, text_of_word, shown);
      words.message[at].describe("message", i, nullptr, nullptr);
      words.total[at].describe("total", i, nullptr, nullptr);
      words.content[at].describe("content", i, nullptr, nullptr);
      words.size[at].describe("size", i, nullptr, nullptr);
      words.flags[at].describe("flags", i, nullptr, nullptr);
    }
  }

  int actor_count() const override { return static_cast<int>(scenario_.actors.size()); }
  int party_of(int actor) const override { return actor; }
  bool may_die(int actor) const override { return of(actor).may_die; }

  void reset() override {
    it = this;
    scheduler.wake_only_one(false);
    world.reset(2, scenario_.seats != 0 ? scenario_.seats : actor_count() + 1, {0, 0}, true, true, scenario_.late);
    world.mend_also = [](Seat dead) {
      broadcast_words.state[dead].store(static_cast<std::uint32_t>(LineState::none));
    };
    auto& words = broadcast_words;
    words.nodes = scenario_.nodes;
    words.claimed.reset(0);
    words.messages.reset(0);
    words.limit.reset(0);
    words.used.reset(0);
    for (auto& one : words.position) one.reset(0);
    for (auto& one : words.state) one.reset(0);
    for (auto& one : words.connected) one.reset(0);
    for (std::size_t i = 0; i < BroadcastWords::most_nodes; ++i) {
      words.word[i].reset(0);
      words.message[i].reset(0);
      words.content[i].reset(0);
      words.flags[i].reset(0);
      words.total[i].reset(0, true);
      words.size[i].reset(0, true);
    }
    claims_.clear();
    wanted_from_ = BroadcastWords::most_nodes * 100;
    loans_.clear();
    writer_.emplace(BroadcastMemory{}, scenario_.history);
    readers_.clear();
    for (int actor = 0; actor < actor_count(); ++actor) {
      readers_.emplace_back();
      world.party_of[World::index(actor)] = actor;
      if (of(actor).script.front() != 'n') world.sit_at_once(actor, static_cast<Seat>(actor));
    }
  }

  void run(int actor) override {
    for (const char letter : of(actor).script) {
      if (actor == 0) {
        publisher_step(letter);
      } else {
        subscriber_step(actor, letter);
      }
    }
  }

  void died(int party) override { world.dead[World::index(party)] = true; }

  std::uint64_t digest() const override {
    std::uint64_t hash = world.digest();
    for (const Claim& claim : claims_) hash = mix(hash, claim.at * 64 + claim.parts * 8 + static_cast<std::uint64_t>(claim.state));
    for (const Subscribed& one : readers_) {
      hash = mix(mix(hash, one.next), one.told * 4 + (one.has_first ? 2u : 0u) + (one.at_end ? 1u : 0u));
      hash = mix(mix(hash, one.shown_before), one.shown_after);
    }
    return hash;
  }

  void finish() override {
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (scheduler.state(actor) == Scheduler::State::parked) return scheduler.fail("PROGRESS: somebody waits for ever");
    }
    for (int actor = 1; actor < actor_count(); ++actor) {
      const Subscribed& one = readers_[World::index(actor)];
      if (!one.at_end || !one.reader) continue;
      const std::uint64_t all = complete_before(claims_.size());
      const std::uint64_t missed = one.reader->missed();
      if (of(actor).delivery == LineState::lossless && missed != 0) return scheduler.fail("B5: a lossless subscriber missed something");
      if (one.has_first) {
        if (one.next + missed - one.told != all) return scheduler.fail("B5: at the end the numbers do not make up all messages");
      } else if (all > std::min(oldest_due(one), actor == 1 ? wanted_from_ : claims_.size()) + missed) {
        return scheduler.fail("B5: messages that were published after the join came not at all");
      }
    }
  }

 private:
  using Writer = broadcast::Writer<BroadcastMemory>;
  using Reader = broadcast::Reader<BroadcastMemory>;
  static constexpr SignalName room = SignalName::lock_freed;
  static constexpr SignalName news = SignalName::reader_left;

  enum class State : std::uint8_t { open, kept, shown, given_up };
  struct Claim {
    std::uint64_t at;
    std::uint64_t parts;
    State state;
  };

  struct Subscribed {
    std::optional<Reader> reader;
    std::uint64_t shown_before = 0;  // messages that everybody could see when the join began
    std::uint64_t shown_after = 0;   // and when it had ended
    std::uint64_t next = 0;          // the ordinal of the next message, if none is missed
    std::uint64_t told = 0;          // missed, of which was told
    bool has_first = false;
    bool at_end = false;
  };

  static inline BroadcastModel* it = nullptr;

  const BroadcastActor& of(int actor) const { return scenario_.actors[World::index(actor)]; }

  // ---- the ledger ----------------------------------------------------------------------------------------------------------

  static std::string text_of_word(std::uint64_t bits) {
    static const char* const names[] = {"empty", "published", "skipped", "kept"};
    return std::string(names[bits & 3]) + "(" + std::to_string(bits >> 2) + ")";
  }

  // B1: in this very moment others may see it.
  static void shown(int index, std::uint64_t before, std::uint64_t after) {
    if (before == after) return;
    scheduler.progress();
    const BroadcastWord word{after};
    if (word.position() % static_cast<std::uint64_t>(it->scenario_.nodes) != static_cast<std::uint64_t>(index)) return scheduler.fail("B1: a position in another's node");
    for (std::size_t i = 0; i < it->claims_.size(); ++i) {
      Claim& claim = it->claims_[i];
      if (word.position() < claim.at || word.position() >= claim.at + claim.parts) continue;
      if (word.phase() == BroadcastPhase::skipped) return;
      if (broadcast_words.content[World::index(index)].peek() != content_of(i, word.position() - claim.at)) return scheduler.fail("B1: a word shows what is not there");
      if (word.phase() == BroadcastPhase::published) {
        for (std::size_t older = 0; older < i; ++older) {
          if (it->claims_[older].state == State::open) return scheduler.fail("B1: shown before an older one");
        }
        if (broadcast_words.message[World::index(index)].peek() != it->complete_before(i)) return scheduler.fail("B3: a wrong number");
      }
      if (word.position() + 1 == claim.at + claim.parts) claim.state = word.phase() == BroadcastPhase::kept ? State::kept : State::shown;
      return;
    }
    scheduler.fail("B1: a position that nobody claimed");
  }

  static std::uint64_t content_of(std::size_t claim, std::uint64_t part) { return (claim + 1) * 10 + part; }

  std::uint64_t complete_before(std::size_t claim) const {
    return static_cast<std::uint64_t>(std::count_if(claims_.begin(), claims_.begin() + static_cast<std::ptrdiff_t>(claim),
                                                    [](const Claim& one) { return one.state == State::kept || one.state == State::shown; }));
  }

  // Messages that everybody can see, whatever happens.
  std::uint64_t visible() const {
    const auto open = std::find_if(claims_.begin(), claims_.end(), [](const Claim& one) { return one.state == State::open || one.state == State::kept; });
    return complete_before(static_cast<std::size_t>(open - claims_.begin()));
  }

  // The ordinal up to which the first message must be.
  std::uint64_t oldest_due(const Subscribed& one) const {
    return one.shown_after - std::min(one.shown_after, scenario_.history);
  }

  // ---- waiting, as in wait/blocking.hpp ---------------------------------------------------------------------------------------

  template <class Attempt>
  static void wait(SignalName name, int party, Attempt attempt) {
    if (attempt()) return;
    for (;;) {
      const std::uint32_t announced = wait::announce(signal_word(name));
      fence();
      if (attempt()) return;
      const bool woken = Park{}.sleep(signal_word(name), announced);
      if (attempt()) return;
      if (woken) continue;
      SeatWords words(party);
      liveness::mend_dead(words, world.party_seat[World::index(party)]);
    }
  }

  // ---- the publisher -----------------------------------------------------------------------------------------------------------

  std::uint64_t claim(std::uint64_t parts) {
    wait(room, 0, [&] { return writer_->has_room(parts); });
    claims_.push_back({0, parts, State::open});  // B4: before the first step of the claim
    const std::uint64_t at = next_position_of(claims_.size() - 1);
    claims_.back().at = at;
    if (writer_->claim(parts) != at) scheduler.fail("a claim out of order");
    return at;
  }

  std::uint64_t next_position_of(std::size_t claim) const { return claim == 0 ? 0 : claims_[claim - 1].at + claims_[claim - 1].parts; }

  void publisher_step(char letter) {
    const auto nodes = static_cast<std::uint64_t>(scenario_.nodes);
    switch (letter) {
      case '1':
      case '2': {
        const auto parts = static_cast<std::uint64_t>(letter - '0');
        const std::uint64_t at = claim(parts);
        const std::size_t number = claims_.size() - 1;
        const bool direct = writer_->is_direct();
        if (!direct) writer_->open(at, parts);
        for (std::uint64_t part = 0; part < parts; ++part) {
          const std::uint64_t index = (at + part) % nodes;
          broadcast_words.content[index].store(content_of(number, part));
          const broadcast::Part header{parts, 1, (part == 0 ? layout::first_part : 0u) | (part + 1 == parts ? layout::last_part : 0u)};
          if (direct) {
            writer_->show(at + part, index, header);
          } else {
            writer_->keep(at + part, index, header);
          }
          wake(news);
        }
        if (direct) {
          writer_->finish(at, parts);
        } else if (writer_->settle(at, true) != 0) {
          wake(news);
        }
        break;
      }
      case 'l': {
        const std::uint64_t at = claim(1);
        writer_->open(at, 1);
        loans_.push_back(claims_.size() - 1);
        break;
      }
      case 'w':
        wait(room, 0, [&] { return broadcast_words.connected[1].load() != 0; });
        wanted_from_ = visible();
        break;
      case 'e':
        world.closed.store(1);
        SeatWords(0).wake_all();
        break;
      default: {
        const std::size_t number = letter == 's' ? loans_.back() : loans_.front();
        loans_.erase(letter == 's' ? loans_.end() - 1 : loans_.begin());
        const std::uint64_t at = claims_[number].at;
        if (letter == 'g') {
          claims_[number].state = State::given_up;
        } else {
          broadcast_words.content[at % nodes].store(content_of(number, 0));
          const broadcast::Part header{1, 1, layout::first_part | layout::last_part};
          if (writer_->is_oldest(at)) {
            writer_->fill(at % nodes, header);
          } else {
            writer_->keep(at, at % nodes, header);
          }
        }
        if (writer_->settle(at, letter != 'g') != 0 || letter == 'g') wake(news);
      }
    }
  }

  // ---- a subscriber ------------------------------------------------------------------------------------------------------------

  void subscriber_step(int actor, char letter) {
    Subscribed& one = readers_[World::index(actor)];
    const LineState delivery = of(actor).delivery;
    SeatWords words(actor);
    switch (letter) {
      case 'n':
        while (!liveness::sit(words)) scheduler.give_turn();
        break;
      case 'j': {
        const Seat line = world.party_seat[World::index(actor)];
        broadcast_words.connected[line].store(0);
        one.reader.emplace(BroadcastMemory{});
        one.shown_before = visible();
        one.reader->join(line, delivery, scenario_.history);
        one.shown_after = visible();
        broadcast_words.connected[line].store(1);
        wake(room);
        break;
      }
      case 'x': {
        BroadcastMemory memory;
        Reader::leave(memory, world.party_seat[World::index(actor)]);
        wake(room);
        one.reader.reset();
        words.free_lock_and_sides(world.party_seat[World::index(actor)]);
        words.wake_all();
        liveness::leave(words, world.party_seat[World::index(actor)]);
        break;
      }
      case 'r':
        receive(actor, one);
        break;
      default:
        while (!one.at_end) receive(actor, one);
    }
  }

  void receive(int actor, Subscribed& one) {
    if (one.at_end) return;
    std::vector<std::uint64_t> parts;
    wait(news, actor, [&] { return look(actor, one, parts); });
  }

  bool is_over() const {
    const bool dead = world.dead[0];
    scheduler.saw(dead ? 91 : 92);
    return world.closed.load() != 0 || dead;
  }

  // As BroadcastSource::look, and the use of the message.
  bool look(int actor, Subscribed& one, std::vector<std::uint64_t>& parts) {
    Reader& reader = *one.reader;
    const bool lossless = of(actor).delivery == LineState::lossless;
    const auto move_on = [&] {
      reader.advance();
      if (lossless) wake(room);
    };
    bool ended = false;
    for (;;) {
      const auto look = reader.look(ended);
      if (look == broadcast::Look::none) {
        if (ended || !is_over()) return false;
        ended = true;
        continue;
      }
      if (look == broadcast::Look::end) return one.at_end = true;
      if (look == broadcast::Look::overrun) {
        if (lossless) scheduler.fail("B2: a lossless subscriber was overrun");
        reader.jump(ended);
        continue;
      }
      const broadcast::Part part = reader.part();
      if (!reader.is_whole()) {
        reader.jump(ended);
        continue;
      }
      const broadcast::Use use = reader.use(part);
      if (use == broadcast::Use::ignore) {
        move_on();
        continue;
      }
      if (use == broadcast::Use::begin) parts.clear();
      const auto content = broadcast_words.content[reader.index()].load();
      if (!reader.is_whole()) {
        reader.jump(ended);
        continue;
      }
      if (lossless && broadcast_words.content[reader.index()].load() != content) scheduler.fail("B2: written over while it was read");
      parts.push_back(content);
      const bool is_last = (part.flags & layout::last_part) != 0;
      if (is_last) judge(actor, one, parts);
      if (is_last) reader.got_message();
      move_on();
      if (is_last) return true;
    }
  }

  void judge(int actor, Subscribed& one, const std::vector<std::uint64_t>& parts) {
    const std::size_t number = parts.front() / 10 - 1;
    if (parts.front() < 10 || number >= claims_.size()) return scheduler.fail("B1: a message that nobody published");
    const Claim& claim = claims_[number];
    if (parts.size() != claim.parts || claim.state == State::open || claim.state == State::given_up) return scheduler.fail("B1: half a message");
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (parts[part] != content_of(number, part)) return scheduler.fail("B1: a torn message");
    }
    const std::uint64_t ordinal = complete_before(number);
    const std::uint64_t missed = one.reader->missed() - one.told;
    one.told = one.reader->missed();
    if (of(actor).delivery == LineState::lossless && missed != 0) return scheduler.fail("B5: a lossless subscriber missed something");
    if (!one.has_first) {
      one.has_first = true;
      if (ordinal - missed > std::min(oldest_due(one), actor == 1 ? wanted_from_ : claims_.size())) return scheduler.fail("B5: the first message came too late");
      if (ordinal + scenario_.history + 1 < one.shown_before) return scheduler.fail("B5: an old message that nobody asked for");
    } else if (ordinal != one.next + missed) {
      return scheduler.fail("B5: out of order, or not counted");
    }
    one.next = ordinal + 1;
  }

  const BroadcastScenario& scenario_;
  std::vector<Claim> claims_;
  std::vector<std::size_t> loans_;
  std::uint64_t wanted_from_ = 0;  // the first message that the publisher knows subscriber 1 to get
  std::optional<Writer> writer_;
  std::vector<Subscribed> readers_;
};

inline std::vector<BroadcastScenario> broadcast_scenarios() {
  constexpr bool dies = true;
  constexpr auto lossless = LineState::lossless;
  constexpr auto lossy = LineState::lossy;
  std::vector<BroadcastScenario> all{
      {"1 lossless subscriber, 2 nodes", {{"111e"}, {"jR"}}},
      {"the publisher waits for its subscriber", {{"w11e"}, {"jR"}}},
      {"the publisher waits for its lossy subscriber", {{"w111e"}, {"jR", lossy}}},
      {"1 lossy subscriber, 2 nodes", {{"1111e"}, {"jR", lossy}}},
      {"1 lossy subscriber, 3 nodes, long messages", {{"2121e"}, {"jR", lossy}}, 3},
      {"1 lossy subscriber, 4 nodes, messages of half the ring", {{"2222e"}, {"jR", lossy}}, 4},
      {"1 lossless subscriber, 4 nodes, long messages", {{"212e"}, {"jR"}}, 4},
      {"one of each", {{"111e"}, {"jR"}, {"jR", lossy}}},
      {"2 lossless subscribers, one leaves", {{"111e"}, {"jR"}, {"jrx"}}},
      {"a history of one", {{"111e"}, {"jR"}}, 3, 0, 1},
      {"a history of two, one of each joins", {{"111e"}, {"jR"}, {"jR", lossy}}, 4, 0, 2},
      {"loans finished in order", {{"ll1ffe"}, {"jR"}}, 4},
      {"loans finished in reverse", {{"llsse"}, {"jR"}}, 3},
      {"loans given up", {{"l1lgf1e"}, {"jR"}}, 4},
      {"loans and a lossy subscriber", {{"l1f11e"}, {"jR", lossy}}, 2},
      {"the publisher dies, lossless subscriber", {{"121e", lossless, dies}, {"jR"}}, 4, 1},
      {"the publisher dies, lossy subscriber", {{"1211e", lossless, dies}, {"jR", lossy}}, 3, 1},
      {"the publisher dies with a loan and a message behind it", {{"l21e", lossless, dies}, {"jR"}}, 4, 1},
      {"the publisher dies with a loan, lossy subscriber", {{"1l1f1e", lossless, dies}, {"jR", lossy}}, 2, 1},
      {"a lossless subscriber dies", {{"111e"}, {"jR", lossless, dies}, {"jR"}}, 2, 1},
      {"a lossless subscriber dies, alone", {{"1111e"}, {"jR", lossless, dies}}, 2, 1},
      {"a subscriber dies and another takes its seat", {{"111e"}, {"jr", lossless, dies}, {"njR"}}, 2, 1, 0, 3},
      {"publisher and subscriber die", {{"111e", lossless, dies}, {"jr", lossless, dies}, {"jR"}}, 2, 2},
  };
  const auto count = all.size();
  for (std::size_t i = 0; i < count; ++i) {
    BroadcastScenario late = all[i];
    late.name += ", late stores";
    late.late = true;
    all.push_back(late);
  }
  return all;
}

}  // namespace strait::model
