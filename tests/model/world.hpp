#pragma once
// The shared words of one segment under the scheduler, and a ledger that judges every change of them. The algorithms run on the
// words; the ledger knows what they cannot: which actor is at work, who is dead, what was written where.
//
// Checked at every change of a word: I1 (claims in order), I2 (positions in their window), I4 (only the holder, or the mender of
// its dead seat, changes a held word), I5 (first takes in order), I6 (a second take only after a give-back), the life of a seat
// word, I11 (a seat is free only when nothing names it).

#include "word.hpp"

#include <strait/layout/control.hpp>
#include <strait/layout/node_word.hpp>
#include <strait/layout/seat.hpp>
#include <strait/liveness/repair.hpp>
#include <strait/liveness/seats.hpp>
#include <strait/lock/rw_lock.hpp>
#include <strait/ring/ring.hpp>
#include <strait/wait/signal.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace strait::model {

using layout::nobody;
using layout::NodeWord;
using layout::Phase;
using layout::Seat;
using layout::SeatState;
using layout::SeatWord;
using layout::SignalName;
using ring::Position;

inline constexpr int nowhere = -1;

class World {
 public:
  static constexpr int max_nodes = 4;
  static constexpr int max_seats = 6;
  static constexpr int max_messages = 24;

  // What is known of the message at one position.
  struct Message {
    int value = -1;               // as published
    bool published = false;       // ... it was, at some time
    bool acknowledged = false;    // write said ok
    bool withdrawn = false;       // an exclusive writer took it back
    bool taken = false;
    int receipts = 0;             // how often its payload was read by somebody
    int permits = 1;              // how often it may be
    int giver = nowhere;          // the party that gave it back and has not counted it yet
    bool given_back = false;      // ... and counted
  };

  World() {
    for (int i = 0; i < max_nodes; ++i) node[index(i)].describe("node", i, text_of_node, node_changed);
    for (int i = 0; i < max_seats; ++i) {
      seat[index(i)].describe("seat", i, text_of_seat, seat_changed);
      readers[index(i)].describe("readers", i, nullptr, count_changed);
    }
    for (int i = 0; i < 4; ++i) signal[index(i)].describe("signal", i, nullptr, nullptr);
    given_back.describe("given_back", 0, nullptr, given_back_changed);
    closed.describe("closed", 0, nullptr, count_changed);
    lock.describe("lock", 0, nullptr, count_changed);
    writer_side.describe("writer_side", 0, nullptr, count_changed);
    reader_side.describe("reader_side", 0, nullptr, count_changed);
  }

  void reset(int nodes, int seats, Position start, bool somebody_closes, bool uses_lock, bool stores_are_late = false) {
    node_count = nodes;
    seat_count = seats;
    start_at = start;
    ring_signals = !uses_lock;
    stores_suffice = stores_are_late;
    const ring::Geometry geometry(static_cast<std::uint64_t>(nodes));
    Position at = start;
    for (int i = 0; i < nodes; ++i, at = geometry.next(at)) {
      node[static_cast<std::size_t>(at.index)].reset(NodeWord::of(at.lap, Phase::free).bits);
    }
    for (int i = 0; i < max_seats; ++i) {
      seat[index(i)].reset(SeatWord::of(SeatState::free, 0).bits);
      readers[index(i)].reset(0);
      presence[index(i)] = occupant[index(i)] = mender[index(i)] = nowhere;
    }
    for (auto& word : signal) word.reset(0);
    given_back.reset(0);
    closed.reset(0, !somebody_closes);
    lock.reset(0);
    writer_side.reset(0);
    reader_side.reset(0);
    payload.fill(-1);
    messages.fill({});
    dead.fill(false);
    party_seat.fill(nobody);
    frontier = 0;
    last_first_take = nowhere;
    somebody_saw_the_end = false;
    exclusive_writer = exclusive_reader = false;
    mend_also = nullptr;
  }

  // ---- parties -------------------------------------------------------------------------------------------------------

  // At the beginning of a schedule, without steps.
  void sit_at_once(int party, Seat where) {
    seat[where].reset(SeatWord::of(SeatState::occupied, 1).bits);
    presence[where] = occupant[where] = party;
    party_seat[index(party)] = where;
  }
  bool is_dead_party(int party) const { return party >= 0 && dead[index(party)]; }
  bool holder_is_dead(Seat where) const {
    const int party = presence[where];
    return party == nowhere || is_dead_party(party);
  }

  // ---- positions, counted from the start -------------------------------------------------------------------------------

  int number(Position at) const {
    auto laps = static_cast<std::int64_t>((at.lap - start_at.lap) & layout::lap_mask);
    if (laps > (std::int64_t{1} << 47)) laps -= std::int64_t{1} << 48;
    return static_cast<int>(laps * node_count + static_cast<std::int64_t>(at.index) - static_cast<std::int64_t>(start_at.index));
  }
  Message& message(Position at) { return message_number(number(at)); }
  Message& message_number(int number) {
    static Message none;
    if (number < 0 || number >= max_messages) {
      scheduler.fail("I2: a position outside the window");
      return none;
    }
    return messages[index(number)];
  }
  NodeWord word(Position at) const { return {node[static_cast<std::size_t>(at.index)].peek()}; }
  bool has(Position at, Phase phase, Seat who = nobody) const { return word(at) == NodeWord::of(at.lap, phase, who); }

  // ---- what actors tell ------------------------------------------------------------------------------------------------

  // The payload of a taken message was read.
  void received(Position at) {
    Message& one = message(at);
    if (one.withdrawn && !exclusive_reader) scheduler.fail("CLOSED: a message that was taken back is received");
    if (payload[static_cast<std::size_t>(at.index)] != one.value) scheduler.fail("EXCLUSION: a payload was overwritten while it was read");
    if (++one.receipts > one.permits) scheduler.fail("I6: a message is received twice, and nobody gave it back");
    if (exclusive_reader && !one.taken) first_take(number(at), one);
  }

  void acknowledge(Position at) {
    Message& one = message(at);
    one.acknowledged = true;
    if (one.withdrawn) scheduler.fail("CLOSED: ok for a message that was taken back");
    if (somebody_saw_the_end && one.receipts == 0 && !one.taken) scheduler.fail("CLOSED: ok for a message after a reader has returned closed");
  }

  // A reader is about to return `closed`.
  void saw_the_end() {
    if (closed.peek() == 0) scheduler.fail("CLOSED: told before it was closed");
    for (int i = 0; i < node_count; ++i) {
      const NodeWord seen = seen_by_actor(i);
      if (seen.phase() != Phase::published) continue;
      const Message& one = message({seen.lap(), static_cast<std::uint64_t>(i)});
      const bool may_be_taken_back = exclusive_writer && !one.acknowledged;
      const bool was_held = one.permits > 1;  // by somebody who then put it back, or died
      if (!may_be_taken_back && !was_held) scheduler.fail("CLOSED: a reader returns closed while a message lies in the ring");
    }
    somebody_saw_the_end = true;
  }

  // I7. Called right after the load that found the ring full.
  void check_full(Position at) {
    const int own = exclusive_writer ? scheduler.own_late_stores() : 0;  // claims that only their writer sees yet
    if (number(at) < frontier || number(at) > frontier + own) scheduler.fail("I7: full, away from the frontier");
    if (has(at, Phase::free) || has(ring::Geometry::lap_back(at), Phase::skipped)) scheduler.fail("I7: full while the oldest position is free");
  }

  // I8. Called right after the load of the counter that ended the walk.
  void check_empty(Position at) {
    for (int i = 0; i < node_count; ++i) {
      const NodeWord seen = seen_by_actor(i);
      const Position where{seen.lap(), static_cast<std::uint64_t>(i)};
      if (seen.phase() == Phase::published && number(where) < number(at) && message(where).given_back) {
        scheduler.fail("I8: empty while a message that was given back lies behind");
      }
    }
  }

  // What is not in the words.
  std::uint64_t digest() const {
    std::uint64_t hash = static_cast<std::uint64_t>(frontier) | static_cast<std::uint64_t>(last_first_take + 1) << 16 |
                         static_cast<std::uint64_t>(somebody_saw_the_end) << 32;
    for (int i = 0; i < seat_count; ++i) {
      hash = mix(hash, static_cast<std::uint64_t>(presence[index(i)] + 1) | static_cast<std::uint64_t>(occupant[index(i)] + 1) << 8 |
                           static_cast<std::uint64_t>(mender[index(i)] + 1) << 16);
    }
    for (int i = 0; i < node_count; ++i) hash = mix(hash, static_cast<std::uint64_t>(payload[index(i)] + 1));
    for (int i = 0; i < frontier && i < max_messages; ++i) {
      const Message& one = messages[index(i)];
      hash = mix(hash, static_cast<std::uint64_t>(one.value + 1) | static_cast<std::uint64_t>(one.published) << 16 |
                           static_cast<std::uint64_t>(one.acknowledged) << 17 | static_cast<std::uint64_t>(one.withdrawn) << 18 |
                           static_cast<std::uint64_t>(one.taken) << 19 | static_cast<std::uint64_t>(one.given_back) << 20 |
                           static_cast<std::uint64_t>(one.receipts) << 24 | static_cast<std::uint64_t>(one.permits) << 32 |
                           static_cast<std::uint64_t>(one.giver + 1) << 40);
    }
    return hash;
  }

  // ---- words (public: the policies hand them to the algorithms) -----------------------------------------------------------

  int node_count = 2;
  int seat_count = 4;
  Position start_at{};
  bool ring_signals = true;
  bool stores_suffice = false;  // layout::FenceMethod::by_sleepers
  std::array<Word<std::uint64_t>, max_nodes> node;
  std::array<Word<std::uint64_t>, max_seats> seat;
  std::array<Word<std::uint32_t>, max_seats> readers;
  std::array<Word<std::uint32_t>, 4> signal;
  Word<std::uint64_t> given_back;
  Word<std::uint32_t> closed, lock, writer_side, reader_side;

  std::array<int, max_nodes> payload{};
  std::array<Message, max_messages> messages{};
  std::array<int, max_seats> presence{};          // which party shows itself at a seat
  std::array<int, max_seats> occupant{};          // which party sat down there last
  std::array<int, max_seats> mender{};            // which party mends it
  std::array<bool, 16> dead{};                    // parties
  std::array<Seat, 16> party_seat{};
  std::array<int, Scheduler::max_actors> party_of{};
  int outside_party = 15;                         // who is at work when no actor is: the check after a schedule
  int frontier = 0;                               // F
  int last_first_take = nowhere;
  bool somebody_saw_the_end = false;
  bool exclusive_writer = false;
  bool exclusive_reader = false;
  void (*mend_also)(Seat dead) = nullptr;  // what the segment holds beside a ring or a lock

  static std::size_t index(int i) { return static_cast<std::size_t>(i); }

 private:
  NodeWord seen_by_actor(int i) const { return {scheduler.forwarded(&node[index(i)], node[index(i)].peek())}; }

  int at_work() const { return scheduler.current() < 0 ? outside_party : party_of[index(scheduler.current())]; }

  // May the actor at work change what `who` holds?
  bool may_touch(Seat who) const {
    if (who >= static_cast<Seat>(max_seats)) return false;
    const int party = at_work();
    if (presence[who] == party) return true;  // its own, or it took the seat of a dead party over
    const SeatWord seen{seat[who].peek()};
    return seen.state() == SeatState::mending && seen.mender() < static_cast<Seat>(max_seats) && mender[who] == party && is_dead_party(occupant[who]);
  }

  void first_take(int number, Message& one) {
    if (number <= last_first_take) scheduler.fail("I5: first takes out of order");
    last_first_take = number;
    one.taken = true;
  }

  void claim(int number) {
    if (number != frontier) scheduler.fail("I1: a claim out of order");
    ++frontier;
    Message& one = message_number(number);
    if (one.published) scheduler.fail("I1: a position is claimed twice");
  }

  void publish(int number, int where) {
    Message& one = message_number(number);
    one.published = true;
    one.value = payload[index(where)];
  }

  void change_node(int where, NodeWord before, NodeWord after) {
    const Position from{before.lap(), static_cast<std::uint64_t>(where)};
    const Position to{after.lap(), static_cast<std::uint64_t>(where)};
    const int p = number(from);
    const bool same_lap = from.lap == to.lap;
    const bool next_lap = number(to) == p + node_count;
    const Phase a = before.phase();
    const Phase b = after.phase();
    if (after.seat() != nobody && b != Phase::claimed && b != Phase::reading) scheduler.fail("I4: a seat in a word that nobody holds");
    if ((b == Phase::claimed || b == Phase::reading) && presence[after.seat()] != at_work()) scheduler.fail("I4: a word names a seat that is not the actor's");

    if (a == Phase::free && b == Phase::claimed && same_lap) {
      claim(p);
    } else if (a == Phase::free && b == Phase::published && same_lap && exclusive_writer) {
      claim(p);
      publish(p, where);
    } else if (a == Phase::skipped && b == Phase::claimed && next_lap) {
      claim(p + node_count);
    } else if (a == Phase::skipped && b == Phase::free && next_lap) {
    } else if (a == Phase::claimed && b == Phase::published && same_lap) {
      if (!may_touch(before.seat())) scheduler.fail("I4: a claimed node was published by somebody else");
      publish(p, where);
    } else if (a == Phase::claimed && b == Phase::skipped && same_lap) {
      if (!may_touch(before.seat())) scheduler.fail("I4: a living writer's node was taken from it");
    } else if (a == Phase::published && b == Phase::reading && same_lap) {
      Message& one = message_number(p);
      if (!one.taken) first_take(p, one);
      one.given_back = false;
      one.giver = nowhere;
    } else if (a == Phase::published && b == Phase::free && next_lap && exclusive_reader) {
    } else if (a == Phase::published && b == Phase::skipped && same_lap && exclusive_writer) {
      message_number(p).withdrawn = true;
    } else if (exclusive_writer && exclusive_reader && a == Phase::skipped && b == Phase::free && next_lap) {
    } else if (exclusive_writer && exclusive_reader && a == Phase::skipped && b == Phase::reading && same_lap) {
      // the one reader had found it before the one writer took it back: delivered although the write said closed
    } else if (a == Phase::reading && b == Phase::published && same_lap) {
      if (!may_touch(before.seat())) scheduler.fail("I4: a living reader's node was taken from it");
      Message& one = message_number(p);
      ++one.permits;
      one.giver = at_work();
    } else if (a == Phase::reading && b == Phase::free && next_lap) {
      if (!may_touch(before.seat())) scheduler.fail("I6: a release of a message that is not the actor's");
    } else {
      scheduler.fail("I4: a change of a node's word that the protocol does not know");
    }
    const int q = number(to);
    if (q < frontier - node_count || q > frontier + node_count - 1) scheduler.fail("I2: a word outside the window");
    if (b != Phase::free && q > frontier - 1) scheduler.fail("I2: a held word beyond the frontier");
    scheduler.progress();
  }

  void change_seat(int where, SeatWord before, SeatWord after) {
    const auto s = static_cast<Seat>(where);
    const int party = at_work();
    const bool mine = presence[s] == party;
    const bool same_generation = before.generation() == after.generation();
    const bool next_generation = before.generation() + 1 == after.generation();
    const auto holds = [&](Seat who) { return who < static_cast<Seat>(max_seats) && presence[who] == party; };
    const SeatState a = before.state();
    const SeatState b = after.state();
    if (a == SeatState::free && b == SeatState::occupied && next_generation && mine) {
      check_clean(s);
      occupant[s] = party;
    } else if (a == SeatState::occupied && b == SeatState::free && same_generation && mine) {
      check_clean(s);
    } else if (a != SeatState::free && b == SeatState::mending && (same_generation || (next_generation && mine)) && holds(after.mender())) {
      // Whether they are dead was asked before: by now a newcomer may hold the presence of their seats.
      if (!is_dead_party(occupant[s])) scheduler.fail("SEAT: a living party is mended");
      if (a == SeatState::mending && !is_dead_party(mender[s])) scheduler.fail("SEAT: a living mender is taken over");
      if (next_generation) occupant[s] = party;
      mender[s] = party;
    } else if (a == SeatState::mending && b == SeatState::free && same_generation && mender[s] == party) {
      check_clean(s);
    } else if (a == SeatState::mending && b == SeatState::occupied && same_generation && before.mender() == s && mine) {
      check_clean(s);
    } else if (a == SeatState::mending && b == SeatState::occupied && same_generation && may_touch(before.mender())) {
      // handed on: the mender died
    } else {
      scheduler.fail("SEAT: a change of a seat's word that the protocol does not know");
    }
    scheduler.progress();
  }

  // I11
  void check_clean(Seat who) {
    for (int i = 0; i < node_count; ++i) {
      if (NodeWord{node[index(i)].peek()}.seat() == who) scheduler.fail("I11: a seat is free while a node names it");
    }
    for (int i = 0; i < seat_count; ++i) {
      const SeatWord seen{seat[index(i)].peek()};
      if (static_cast<Seat>(i) != who && seen.state() == SeatState::mending && seen.mender() == who) scheduler.fail("I11: a seat is free while it mends another");
    }
    if ((lock.peek() & ~layout::lock_abandoned) == who + 1) scheduler.fail("I11: a seat is free while the lock names it");
    if (readers[who].peek() != 0) scheduler.fail("I11: a seat is free while it counts readers");
    if (writer_side.peek() == who + 1 || reader_side.peek() == who + 1) scheduler.fail("I11: a seat is free while it owns a side");
  }

  static std::string text_of_node(std::uint64_t bits);
  static std::string text_of_seat(std::uint64_t bits);
  static void node_changed(int where, std::uint64_t before, std::uint64_t after);
  static void seat_changed(int where, std::uint64_t before, std::uint64_t after);
  static void given_back_changed(int where, std::uint64_t before, std::uint64_t after);
  static void count_changed(int, std::uint32_t before, std::uint32_t after) {
    if (before != after) scheduler.progress();
  }
};

inline World world;

inline std::string World::text_of_node(std::uint64_t bits) {
  static const char* const names[] = {"free", "claimed", "published", "skipped", "reading", "?5", "?6", "?7"};
  const NodeWord word{bits};
  std::string text = names[bits >> layout::seat_bits & 7];
  text += " lap " + std::to_string(static_cast<std::int64_t>(bits) >> 16);  // signed, so that the laps before the wrap are readable
  if (word.seat() != nobody) text += " seat " + std::to_string(word.seat());
  return text;
}
inline std::string World::text_of_seat(std::uint64_t bits) {
  static const char* const names[] = {"free", "occupied", "mending", "?3"};
  const SeatWord word{bits};
  std::string text = std::string(names[bits & 3]) + " gen " + std::to_string(word.generation());
  if (word.state() == SeatState::mending) text += " by " + std::to_string(word.mender());
  return text;
}
inline void World::node_changed(int where, std::uint64_t before, std::uint64_t after) {
  if (before != after) world.change_node(where, {before}, {after});
}
inline void World::seat_changed(int where, std::uint64_t before, std::uint64_t after) {
  if (before != after) world.change_seat(where, {before}, {after});
}
inline void World::given_back_changed(int, std::uint64_t, std::uint64_t) {
  for (Message& one : world.messages) {
    if (one.giver == world.at_work()) {
      one.giver = nowhere;
      one.given_back = true;
    }
  }
  scheduler.progress();
}

// ---- the policies ---------------------------------------------------------------------------------------------------------

struct Nodes {
  template <class T>
  using Atomic = Word<T>;
  std::uint64_t node_count() const noexcept { return static_cast<std::uint64_t>(world.node_count); }
  Word<std::uint64_t>& word(std::uint64_t index) noexcept {
    if (index >= static_cast<std::uint64_t>(world.node_count)) scheduler.fail("a node's index outside the ring");
    return world.node[static_cast<std::size_t>(index)];
  }
  Word<std::uint64_t>& given_back() noexcept { return world.given_back; }
  void hand_on(std::uint64_t index, std::uint64_t bits) noexcept {
    if (world.stores_suffice) {
      word(index).store_late(bits);
    } else {
      word(index).exchange(bits);
    }
  }
  void about_to_write(std::uint64_t) const noexcept {}
  void about_to_read(std::uint64_t, bool) const noexcept {}
};
using ModelRing = ring::Ring<Nodes>;

struct Park {
  bool sleep(Word<std::uint32_t>& word, std::uint32_t announced) const {
    scheduler.step();
    if (scheduler.tracing()) scheduler.note("park");
    return scheduler.park(&word, word.peek() == announced);
  }
  void wake_all(Word<std::uint32_t>& word, std::uint32_t) const {
    scheduler.step();
    if (scheduler.tracing()) scheduler.note("wake all");
    scheduler.wake(&word);
  }
};

// As Session::fence().
inline void fence() {
  if (!world.stores_suffice) return;
  scheduler.step();
  scheduler.saw(1);  // it got past here
  if (scheduler.tracing()) scheduler.note("fence for everybody");
  scheduler.drain_all();
}

inline Word<std::uint32_t>& signal_word(SignalName name) { return world.signal[static_cast<std::size_t>(name)]; }

inline void wake(SignalName name) {
  Park park;
  wait::wake(signal_word(name), park);
}

struct LockWords {
  Word<std::uint32_t>& lock() noexcept { return world.lock; }
  Word<std::uint32_t>& readers(Seat seat) noexcept { return world.readers[seat]; }
  Seat seat_count() const noexcept { return static_cast<Seat>(world.seat_count); }
  void wake(SignalName name) const noexcept { model::wake(name); }
};

// As segment/session.hpp has it for liveness/; the system behind a fake.
class SeatWords {
 public:
  explicit SeatWords(int party) noexcept : party_(party) {}

  Seat seat_count() const noexcept { return static_cast<Seat>(world.seat_count); }
  Word<std::uint64_t>& seat_word(Seat seat) noexcept { return world.seat[seat]; }
  Word<std::uint64_t>& given_back() noexcept { return world.given_back; }

  bool try_hold(Seat seat) const noexcept {
    scheduler.step();
    scheduler.saw(world.holder_is_dead(seat));
    if (!world.holder_is_dead(seat)) return false;
    world.presence[seat] = party_;
    world.party_seat[World::index(party_)] = seat;
    if (scheduler.tracing()) scheduler.note("presence of seat " + std::to_string(seat) + " held");
    return true;
  }
  void drop(Seat seat) const noexcept {
    scheduler.step();
    world.presence[seat] = nowhere;
    world.party_seat[World::index(party_)] = nobody;
    if (scheduler.tracing()) scheduler.note("presence of seat " + std::to_string(seat) + " dropped");
  }
  bool is_dead(Seat seat) const noexcept {
    scheduler.step();
    if (seat >= seat_count()) return true;
    if (world.presence[seat] == party_) scheduler.fail("SEAT: a party asks after its own seat");
    scheduler.saw(world.holder_is_dead(seat));
    return world.holder_is_dead(seat);
  }

  void mend_contents(Seat dead) noexcept {
    if (world.ring_signals) ModelRing(Nodes{}).mend(dead);
    free_lock_and_sides(dead);
  }
  void free_lock_and_sides(Seat seat) noexcept {
    if (world.mend_also != nullptr) world.mend_also(seat);
    if (!world.ring_signals) lock::RwLock<LockWords>(LockWords{}).mend(seat);
    if (world.exclusive_writer) free_side(world.writer_side, seat);
    if (world.exclusive_reader) free_side(world.reader_side, seat);
  }
  void wake_all() const noexcept {
    if (world.ring_signals) {
      wake(SignalName::readers);
      wake(SignalName::writers);
    } else {
      wake(SignalName::lock_freed);
      wake(SignalName::reader_left);
    }
  }

 private:
  static void free_side(Word<std::uint32_t>& side, Seat dead) noexcept {
    auto owner = dead + 1;
    side.compare_exchange_strong(owner, 0);
  }

  int party_;
};

// The blocking call, in the shape of wait/blocking.hpp with no deadline and no spinning (a spin is more attempts): attempt;
// announce, attempt, park, attempt; at the end of a slice mend the dead.
// An actor that waits here has nothing in its hands.
template <class Attempt>
void wait_until(SignalName name, int party, Attempt attempt) {
  if (attempt()) return;
  for (;;) {
    scheduler.forget(1 + static_cast<std::uint64_t>(name));
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

}  // namespace strait::model
