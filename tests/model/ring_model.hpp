#pragma once
// Parties that write to and read from one ring under the scheduler, as handle/ring_writer.hpp and handle/ring_end.hpp do it: the same calls of
// ring/ring.hpp in the same order, the same looks at `closed`, the same wakes. That header cannot be compiled over model words,
// because it opens a segment; whoever changes it changes this one.
//
// What an actor does is a script, one letter each:
//     writer   w  claim, publish                         a  claim, abandon
//              d  claim two, publish the second first    D  claim two, abandon the first, publish the second
//              t  claim three, publish 2, 3, 1           c  claim if there is room at once, publish
//     reader   r  take, release                          b  take, put back
//              d  take two, release the second first     B  take two, put back the first, release the second
//              t  take three, release 3, put back 1, release 2            *  take and release until the end
//              h  take, let others go on, put back                        H  the same with two messages
//     closer   C  close for everybody
//     any      n  first: open the handle (sit, mend, start)              l  last: leave

#include "world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

using ring::Attempt;
using ring::Found;

enum class Role : std::uint8_t { writer, reader, closer };

struct Actor {
  int party;
  Role role;
  std::string_view script;
  bool may_die = false;
};

struct RingScenario {
  std::string name;
  int nodes = 2;
  bool one_writer = false;
  bool one_reader = false;
  std::vector<Actor> actors;
  int deaths = 0;
  int seats = 0;        // 0: enough for everybody
  int preemptions = 3;  // searched to the end by default
  bool late_stores = false;
};

// What an exclusive side has in its hands.
class Side {
 public:
  bool is_empty() const { return outstanding_ == 0; }
  bool is_unmarked(Position at) const { return unmarked_ && at == unmarked_at_; }
  bool has_unmarked() const { return unmarked_; }
  Position unmarked_at() const { return unmarked_at_; }
  int outstanding() const { return outstanding_; }
  void marked() { unmarked_ = false; }
  void began_unmarked(Position at) {
    outstanding_ = 1;
    unmarked_ = true;
    unmarked_at_ = at;
  }
  void began_marked() { ++outstanding_; }
  void finished(Position at) {
    if (is_unmarked(at)) unmarked_ = false;
    --outstanding_;
  }
  bool is_mine = false;

 private:
  int outstanding_ = 0;
  bool unmarked_ = false;
  Position unmarked_at_{};
};

class RingParty {
 public:
  void reset(int id, bool one_writer, bool one_reader, bool threads_share_it) {
    id_ = id;
    one_writer_ = one_writer;
    one_reader_ = one_reader;
    shared_ = threads_share_it;
    ring_.emplace(Nodes{});
    writer_side_ = {};
    reader_side_ = {};
    set_cursors(world.start_at);
  }

  // False: all seats are taken.
  bool open() {
    SeatWords words(id_);
    if (!liveness::sit(words)) return false;
    liveness::mend_dead(words, seat());
    ring_->start(writer_);
    ring_->start(reader_);
    return true;
  }

  void leave() {
    SeatWords words(id_);
    words.free_lock_and_sides(seat());
    words.wake_all();
    liveness::leave(words, seat());
  }

  // ---- writing -------------------------------------------------------------------------------------------------------

  enum class Verdict : std::uint8_t { ok, full_or_empty, closed, refused };

  Verdict claim(Position& at, bool may_wait) {
    if (one_writer_) return claim_exclusive(at, may_wait);
    if (is_closed()) return Verdict::closed;
    return claim_node(at, may_wait, false);
  }

  Verdict publish(Position at, int value) {
    world.payload[static_cast<std::size_t>(at.index)] = value;
    ring_->publish(at);
    wake(SignalName::readers);
    if (!one_writer_) {
      world.acknowledge(at);
      return Verdict::ok;
    }
    writer_side_.finished(at);
    if (!is_closed() || !ring_->withdraw(at)) {
      world.acknowledge(at);
      return Verdict::ok;
    }
    return Verdict::closed;
  }

  void abandon(Position at) {
    if (one_writer_ && writer_side_.is_unmarked(at)) {
      ring_->look_back(writer_, at);
    } else {
      ring_->abandon(at);
      wake(SignalName::readers);
      wake(SignalName::writers);
    }
    if (one_writer_) writer_side_.finished(at);
  }

  // ---- reading -------------------------------------------------------------------------------------------------------

  Verdict take(Position& at, bool may_wait) {
    if (one_reader_) return take_exclusive(at, may_wait);
    return take_node(at, may_wait, false);
  }

  void release(Position at) {
    ring_->release(at);
    wake(SignalName::writers);
    if (one_reader_) reader_side_.finished(at);
  }

  void put_back(Position at) {
    if (one_reader_ && reader_side_.is_unmarked(at)) {
      ++world.message(at).permits;
      ring_->look_back(reader_, at);
    } else {
      ring_->put_back(reader_, at);
      wake(SignalName::readers);
    }
    if (one_reader_) reader_side_.finished(at);
  }

  // What an exclusive reader held without a mark is nobody's after its death: the next reader gets it (again).
  void died() {
    if (reader_side_.has_unmarked()) ++world.message(reader_side_.unmarked_at()).permits;
  }

  std::uint64_t digest() const {
    if (world.is_dead_party(id_)) return 1;
    std::uint64_t hash = mix(mix(writer_.hint.peek(), reader_.hint.peek()), reader_.seen.peek());
    for (const Side* side : {&writer_side_, &reader_side_}) {
      hash = mix(hash, static_cast<std::uint64_t>(side->is_mine) | static_cast<std::uint64_t>(side->has_unmarked()) << 1 |
                           static_cast<std::uint64_t>(side->outstanding()) << 2);
      if (side->has_unmarked()) hash = mix(hash, ring_->geometry().pack(side->unmarked_at()));
    }
    return hash;
  }

  void close_for_everybody() {
    world.closed.store(1);
    SeatWords(id_).wake_all();
  }

 private:
  void set_cursors(Position start) {
    writer_.hint.describe("writer hint", id_, nullptr, nullptr);
    reader_.hint.describe("reader hint", id_, nullptr, nullptr);
    reader_.seen.describe("seen", id_, nullptr, nullptr);
    writer_.hint.reset(ring_->geometry().pack(start), !shared_);
    reader_.hint.reset(ring_->geometry().pack(start), !shared_);
    reader_.seen.reset(0, !shared_);
  }

  Seat seat() const { return world.party_seat[World::index(id_)]; }
  static bool is_closed() { return world.closed.load() != 0; }

  // The verdicts are judged at the step that gave them; where threads share cursors, the cursor's store came in between.
  Attempt try_claim() { return judged_full(ring_->try_claim(writer_, seat())); }
  Attempt find_free() { return judged_full(ring_->find_free(writer_)); }
  Attempt try_take() { return judged_empty(ring_->try_take(reader_, seat())); }
  Attempt find_published() { return judged_empty(ring_->find_published(reader_)); }

  Attempt judged_full(Attempt attempt) const {
    if (attempt.found == Found::contended) scheduler.fail("contended: a walk went on for ever");
    if (attempt.found == Found::none && !shared_) world.check_full(attempt.at);
    return attempt;
  }
  Attempt judged_empty(Attempt attempt) const {
    if (attempt.found == Found::contended) scheduler.fail("contended: a walk went on for ever");
    if (attempt.found != Found::node && !shared_) world.check_empty(attempt.at);
    return attempt;
  }

  Verdict keep_unless_closed(Position at) {
    if (!is_closed()) return Verdict::ok;
    ring_->abandon(at);
    wake(SignalName::readers);
    wake(SignalName::writers);
    return Verdict::closed;
  }

  Verdict claim_node(Position& at, bool may_wait, bool exclusive) {
    const auto try_once = [&] { return exclusive ? find_free() : try_claim(); };
    const Attempt first = try_once();
    if (first.found == Found::node) {
      at = first.at;
      return exclusive ? Verdict::ok : keep_unless_closed(at);
    }
    Verdict verdict = Verdict::full_or_empty;
    const auto attempt = [&] {
      if (is_closed()) {
        verdict = Verdict::closed;
        return true;
      }
      const Attempt found = try_once();
      if (found.found != Found::node) return false;
      at = found.at;
      verdict = one_writer_ ? Verdict::ok : keep_unless_closed(at);
      return true;
    };
    if (may_wait) {
      wait_until(SignalName::writers, id_, attempt);
    } else {
      attempt();
    }
    return verdict;
  }

  Verdict take_node(Position& at, bool may_wait, bool exclusive) {
    const auto try_once = [&] { return exclusive ? find_published() : try_take(); };
    const Attempt first = try_once();
    if (first.found == Found::node) {
      at = first.at;
      return Verdict::ok;
    }
    Verdict verdict = Verdict::full_or_empty;
    const auto attempt = [&] {
      const bool closed = is_closed();  // before the walk that may end in `closed`
      if (closed) fence();
      const Attempt found = try_once();
      if (found.found == Found::node) {
        at = found.at;
        verdict = Verdict::ok;
        return true;
      }
      if (!closed || found.found != Found::none) return false;
      verdict = Verdict::closed;
      world.saw_the_end();
      return true;
    };
    if (may_wait) {
      wait_until(SignalName::readers, id_, attempt);
    } else {
      attempt();
    }
    return verdict;
  }

  // False: refused, which a handle tells as too_many_participants.
  bool own(Side& side, Word<std::uint32_t>& owner) {
    if (side.is_mine) return true;
    for (const bool last_try : {false, true}) {
      std::uint32_t nobodys = 0;
      if (owner.compare_exchange_strong(nobodys, seat() + 1)) {
        side.is_mine = true;
        return true;
      }
      SeatWords words(id_);
      if (!last_try) liveness::mend_dead(words, seat());
    }
    return false;
  }

  Verdict claim_exclusive(Position& at, bool may_wait) {
    if (!own(writer_side_, world.writer_side)) return Verdict::refused;
    if (is_closed()) return Verdict::closed;
    if (!writer_side_.is_empty()) {
      if (writer_side_.has_unmarked()) {
        ring_->mark_claimed(writer_side_.unmarked_at(), seat());
        writer_side_.marked();
      }
      const Attempt further = try_claim();
      if (further.found != Found::node) return is_closed() ? Verdict::closed : Verdict::full_or_empty;
      at = further.at;
      const Verdict verdict = keep_unless_closed(at);
      if (verdict == Verdict::ok) writer_side_.began_marked();
      return verdict;
    }
    const Verdict verdict = claim_node(at, may_wait, true);
    if (verdict == Verdict::ok) writer_side_.began_unmarked(at);
    return verdict;
  }

  Verdict take_exclusive(Position& at, bool may_wait) {
    if (!own(reader_side_, world.reader_side)) return Verdict::refused;
    if (reader_side_.is_empty()) {
      const Verdict verdict = take_node(at, may_wait, true);
      if (verdict == Verdict::ok) reader_side_.began_unmarked(at);
      return verdict;
    }
    if (reader_side_.has_unmarked()) {
      ring_->mark_reading(reader_side_.unmarked_at(), seat());
      reader_side_.marked();
    }
    const Verdict verdict = take_node(at, may_wait, false);
    if (verdict == Verdict::ok) reader_side_.began_marked();
    return verdict;
  }

  int id_ = 0;
  bool one_writer_ = false;
  bool one_reader_ = false;
  bool shared_ = false;
  std::optional<ModelRing> ring_;
  ring::WriterCursor<Nodes> writer_;
  ring::ReaderCursor<Nodes> reader_;
  Side writer_side_;
  Side reader_side_;
};

class RingModel final : public Model {
 public:
  RingModel(const RingScenario& scenario, Position start) : scenario_(scenario), start_(start) {
    for (const Actor& actor : scenario.actors) parties_count_ = std::max(parties_count_, actor.party + 1);
  }

  int actor_count() const override { return static_cast<int>(scenario_.actors.size()); }
  int party_of(int actor) const override { return of(actor).party; }
  bool may_die(int actor) const override { return of(actor).may_die; }

  void reset() override {
    bool closes = false;
    std::array<int, max_parties> threads{};
    for (const Actor& actor : scenario_.actors) {
      closes = closes || actor.role == Role::closer;
      ++threads[World::index(actor.party)];
    }
    scheduler.wake_only_one(false);
    world.reset(scenario_.nodes, scenario_.seats != 0 ? scenario_.seats : parties_count_ + 1, start_, closes, false, scenario_.late_stores);
    world.exclusive_writer = scenario_.one_writer;
    world.exclusive_reader = scenario_.one_reader;
    values_.fill(0);
    for (int party = 0; party < parties_count_; ++party) {
      parties_[World::index(party)].reset(party, scenario_.one_writer, scenario_.one_reader, threads[World::index(party)] > 1);
    }
    for (int actor = 0; actor < actor_count(); ++actor) {
      world.party_of[World::index(actor)] = of(actor).party;
      if (of(actor).script.front() != 'n') world.sit_at_once(of(actor).party, static_cast<Seat>(of(actor).party));
    }
  }

  void run(int actor) override {
    RingParty& party = parties_[World::index(of(actor).party)];
    std::uint64_t place = 0;
    for (const char letter : of(actor).script) {
      scheduler.begin(++place);
      if (letter == 'n') {
        if (!party.open()) return;
      } else if (letter == 'l') {
        party.leave();
      } else if (of(actor).role == Role::writer) {
        write(party, letter);
      } else if (of(actor).role == Role::reader) {
        read(party, letter);
      } else {
        party.close_for_everybody();
      }
    }
  }

  std::uint64_t digest() const override {
    std::uint64_t hash = world.digest();
    for (const int value : values_) hash = mix(hash, static_cast<std::uint64_t>(value));
    for (int party = 0; party < parties_count_; ++party) hash = mix(hash, parties_[World::index(party)].digest());
    return hash;
  }

  void died(int party) override {
    world.dead[World::index(party)] = true;
    parties_[World::index(party)].died();
  }

  void finish() override {
    bool reader_waits = false;
    bool somebody_waits = false;
    for (int actor = 0; actor < actor_count(); ++actor) {
      const auto state = scheduler.state(actor);
      const bool waits = state == Scheduler::State::parked;
      somebody_waits = somebody_waits || waits;
      reader_waits = reader_waits || (waits && of(actor).role == Role::reader);
      if (waits && world.closed.peek() != 0) return scheduler.fail("PROGRESS: closed, and somebody sleeps for ever");
    }
    // What is left is looked at by a newcomer: it mends, reads what there is, and then uses every node once more.
    for (int actor = 0; actor < actor_count(); ++actor) {
      if (of(actor).role != Role::reader && scheduler.state(actor) == Scheduler::State::parked && (reader_waits || !is_full())) {
        return scheduler.fail("PROGRESS: a writer sleeps for ever");
      }
    }
    if (reader_waits) {
      for (int i = 0; i < world.node_count; ++i) {
        if (NodeWord{world.node[World::index(i)].peek()}.phase() == Phase::published) {
          return scheduler.fail("I9: a message is left while a reader sleeps");
        }
      }
    }
    if (somebody_waits) {
      for (int i = 0; i < world.seat_count; ++i) {
        const SeatWord seen{world.seat[World::index(i)].peek()};
        if (seen.state() == SeatState::mending || (seen.state() == SeatState::occupied && world.holder_is_dead(static_cast<Seat>(i)))) {
          return scheduler.fail("a dead party's seat is left while somebody waits");
        }
      }
    }
    look_after_everything();
  }

 private:
  static constexpr int max_parties = 8;

  const Actor& of(int actor) const { return scenario_.actors[World::index(actor)]; }

  bool is_full() const {
    const auto geometry = ring::Geometry(static_cast<std::uint64_t>(world.node_count));
    Position at = start_;
    for (int i = 0; i < world.frontier; ++i) at = geometry.next(at);
    return !world.has(at, Phase::free) && !world.has(ring::Geometry::lap_back(at), Phase::skipped);
  }

  int next_value() {
    const int actor = scheduler.current();
    return actor * 100 + values_[World::index(actor)]++;
  }

  void write_one(RingParty& party, bool may_wait) {
    Position at{};
    if (party.claim(at, may_wait) == RingParty::Verdict::ok) static_cast<void>(party.publish(at, next_value()));
  }

  void write(RingParty& party, char letter) {
    using Verdict = RingParty::Verdict;
    Position one{}, two{}, three{};
    switch (letter) {
      case 'w': return write_one(party, true);
      case 'c': return write_one(party, false);
      case 'a':
        if (party.claim(one, true) == Verdict::ok) party.abandon(one);
        return;
      case 'd':
      case 'D': {
        if (party.claim(one, true) != Verdict::ok) return;
        const bool both = party.claim(two, false) == Verdict::ok;
        if (both && letter == 'd') static_cast<void>(party.publish(two, next_value()));
        if (letter == 'd') {
          static_cast<void>(party.publish(one, next_value()));
        } else {
          party.abandon(one);
        }
        if (both && letter == 'D') static_cast<void>(party.publish(two, next_value()));
        return;
      }
      case 't': {
        if (party.claim(one, true) != Verdict::ok) return;
        const bool second = party.claim(two, false) == Verdict::ok;
        const bool third = second && party.claim(three, false) == Verdict::ok;
        if (second) static_cast<void>(party.publish(two, next_value()));
        if (third) static_cast<void>(party.publish(three, next_value()));
        static_cast<void>(party.publish(one, next_value()));
        return;
      }
      default: scheduler.fail("an unknown letter in a writer's script");
    }
  }

  void read(RingParty& party, char letter) {
    using Verdict = RingParty::Verdict;
    Position one{}, two{}, three{};
    switch (letter) {
      case '*':
        while (party.take(one, true) == Verdict::ok) {
          world.received(one);
          party.release(one);
          scheduler.forget();
        }
        return;
      case 'r':
      case 'b':
        if (party.take(one, true) != Verdict::ok) return;
        world.received(one);
        if (letter == 'r') {
          party.release(one);
        } else {
          party.put_back(one);
        }
        return;
      case 'h':
      case 'H': {
        if (party.take(one, true) != Verdict::ok) return;
        world.received(one);
        const bool both = letter == 'H' && party.take(two, false) == Verdict::ok;
        if (both) world.received(two);
        scheduler.give_turn();
        party.put_back(one);
        if (both) party.put_back(two);
        return;
      }
      case 'd':
      case 'B':
      case 't': {
        if (party.take(one, true) != Verdict::ok) return;
        world.received(one);
        const bool both = party.take(two, false) == Verdict::ok;
        if (both) world.received(two);
        const bool all = letter == 't' && both && party.take(three, false) == Verdict::ok;
        if (all) {
          world.received(three);
          party.release(three);
        }
        if (both && letter == 'd') party.release(two);
        if (letter == 'd') {
          party.release(one);
        } else {
          party.put_back(one);
        }
        if (both && letter != 'd') party.release(two);
        return;
      }
      default: scheduler.fail("an unknown letter in a reader's script");
    }
  }

  // No actor is at work: operations take no steps here.
  void look_after_everything() {
    for (int actor = 0; actor < actor_count(); ++actor) {  // those who sleep would hold nothing: let them go
      world.dead[World::index(of(actor).party)] = true;
    }
    SeatWords words(world.outside_party);
    const auto seat = liveness::sit(words);
    if (!seat) return scheduler.fail("I11: no seat is left");
    liveness::mend_dead(words, *seat);
    for (int i = 0; i < world.seat_count; ++i) {
      if (static_cast<Seat>(i) != *seat && SeatWord{world.seat[World::index(i)].peek()}.state() != SeatState::free) {
        return scheduler.fail("I11: a seat is lost");
      }
    }
    ModelRing ring{Nodes{}};
    ring::ReaderCursor<Nodes> reader;
    ring::WriterCursor<Nodes> writer;
    ring.start(reader);
    for (;;) {
      const Attempt attempt = ring.try_take(reader, *seat);
      if (attempt.found != Found::node) {
        if (attempt.found != Found::none) return scheduler.fail("I10: a node is neither free nor skipped after everything");
        break;
      }
      world.received(attempt.at);
      ring.release(attempt.at);
    }
    for (const World::Message& one : world.messages) {
      if (one.acknowledged && one.receipts == 0) return scheduler.fail("LOST: a message whose write said ok was never received");
      if (one.published && !one.withdrawn && one.receipts == 0) return scheduler.fail("LOST: a published message was never received");
    }
    ring.start(writer);
    std::array<Position, World::max_nodes> all{};
    for (int i = 0; i < world.node_count; ++i) {
      const Attempt attempt = ring.try_claim(writer, *seat);
      if (attempt.found != Found::node) return scheduler.fail("LOST: a node is lost");
      all[World::index(i)] = attempt.at;
    }
    if (ring.try_claim(writer, *seat).found != Found::none) return scheduler.fail("LOST: there are more nodes than there should be");
  }

  const RingScenario& scenario_;
  Position start_;
  int parties_count_ = 0;
  std::array<int, Scheduler::max_actors> values_{};  // how many messages each actor has named
  std::array<RingParty, max_parties> parties_;
};

}  // namespace strait::model
