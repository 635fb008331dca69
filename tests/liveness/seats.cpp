// Sitting down, getting up, and the mend of a seat, one thread, the system behind a fake: half-done states are written by hand
// and then repaired. Tests whose names begin with DEATH bear the words of the notes in the library.

#include "support/catch.hpp"

#include <strait/liveness/repair.hpp>
#include <strait/liveness/seats.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

using namespace strait;
using namespace strait::liveness;

namespace {

constexpr int nobody_here = -1;

struct Words {
  std::array<std::atomic<std::uint64_t>, 4> seat{};
  std::array<int, 4> presence{nobody_here, nobody_here, nobody_here, nobody_here};
  std::atomic<std::uint64_t> given_back{0};
  std::string log;  // what happened, in order
};

// One handle's view; `me` is who holds presences.
class Memory {
 public:
  Memory(Words& words, int me) noexcept : words_(&words), me_(me) {}

  Seat seat_count() const noexcept { return 4; }
  std::atomic<std::uint64_t>& seat_word(Seat seat) noexcept { return words_->seat[seat]; }
  std::atomic<std::uint64_t>& given_back() noexcept { return words_->given_back; }
  bool is_dead(Seat seat) const noexcept {
    ++asked;
    return words_->presence[seat] == nobody_here;
  }
  bool try_hold(Seat seat) const noexcept {
    ++asked;
    if (words_->presence[seat] != nobody_here) return false;
    words_->presence[seat] = me_;
    return true;
  }
  void drop(Seat seat) const noexcept {
    if (words_->presence[seat] == me_) words_->presence[seat] = nobody_here;
    words_->log += "drop" + std::to_string(seat) + "(" + (state(seat) == SeatState::free ? "free" : "not free") + ") ";
  }
  void mend_contents(Seat dead) noexcept { words_->log += "mend" + std::to_string(dead) + "(count " + std::to_string(words_->given_back) + ") "; }
  void wake_all() const noexcept { words_->log += "wake(count " + std::to_string(words_->given_back) + ") "; }

  mutable int asked = 0;

 private:
  SeatState state(Seat seat) const noexcept { return SeatWord{words_->seat[seat]}.state(); }
  Words* words_;
  int me_;
};

struct Fixture {
  Words words;
  Memory one{words, 1}, two{words, 2}, three{words, 3};

  SeatWord word(Seat seat) const { return {words.seat[seat].load()}; }
  void set(Seat seat, SeatWord word) { words.seat[seat] = word.bits; }
  // A kill: the system takes the presence, the words stay.
  void kill(Seat seat) { words.presence[seat] = nobody_here; }
};

}  // namespace

TEST_CASE("seats are taken from the first, each with a new generation") {
  Fixture f;
  CHECK(sit(f.one) == Seat{0});
  CHECK(sit(f.two) == Seat{1});
  CHECK(f.word(0) == SeatWord::of(SeatState::occupied, 1));
  leave(f.one, 0);
  CHECK(f.word(0) == SeatWord::of(SeatState::free, 1));
  CHECK(f.words.log == "drop0(free) ");
  CHECK(sit(f.three) == Seat{0});
  CHECK(f.word(0) == SeatWord::of(SeatState::occupied, 2));
}

TEST_CASE("all seats taken by the living are no seat") {
  Fixture f;
  for (Seat seat = 0; seat < 4; ++seat) CHECK(sit(f.one) == seat);
  CHECK(!sit(f.two));
  CHECK(f.words.log.empty());  // and nobody was mended, nothing dropped
}

TEST_CASE("a seat of the dead is taken only when no free one is left, and only mended") {
  Fixture f;
  for (Seat seat = 0; seat < 3; ++seat) REQUIRE(sit(f.one) == seat);
  f.kill(1);
  CHECK(sit(f.two) == Seat{3});
  CHECK(sit(f.three) == Seat{1});
  CHECK(f.word(1) == SeatWord::of(SeatState::occupied, 2));
  CHECK(f.words.log == "mend1(count 0) wake(count 1) ");
}

TEST_CASE("the living are never mended, not even when nobody else asks") {
  Fixture f;
  REQUIRE(sit(f.one) == Seat{0});
  REQUIRE(sit(f.two) == Seat{1});
  CHECK(mend_dead(f.one, 0) == 0);
  CHECK(mend_dead(f.two, 1) == 0);
  CHECK(f.words.given_back == 0);
}

TEST_CASE("the dead are mended once: contents, then the counter, then the wake, then the seat is free") {
  Fixture f;
  REQUIRE(sit(f.one) == Seat{0});
  REQUIRE(sit(f.two) == Seat{1});
  f.kill(1);
  CHECK(mend_dead(f.one, 0) == 1);
  CHECK(f.word(1) == SeatWord::of(SeatState::free, 1));
  CHECK(f.words.log == "mend1(count 0) wake(count 1) ");
  CHECK(mend_dead(f.one, 0) == 0);
  CHECK(f.words.given_back == 1);
}

TEST_CASE("a handle never asks after its own seat") {
  Fixture f;
  REQUIRE(sit(f.one) == Seat{0});
  f.kill(0);  // what a lock query through one's own descriptor answers
  CHECK_FALSE(mend_if_dead(f.one, 0, 0));
  CHECK(mend_dead(f.one, 0) == 0);
  CHECK(f.word(0) == SeatWord::of(SeatState::occupied, 1));
}

TEST_CASE("a seat that a living party mends is left to it") {
  Fixture f;
  REQUIRE(sit(f.one) == Seat{0});
  REQUIRE(sit(f.two) == Seat{1});
  f.set(2, SeatWord::of(SeatState::mending, 5, 1));
  CHECK(mend_dead(f.one, 0) == 0);
  CHECK(f.word(2) == SeatWord::of(SeatState::mending, 5, 1));
}

TEST_CASE("DEATH: the mender dies before, among or after the contents: the next mender of this seat does them again") {
  for (const std::uint64_t counted : {0u, 1u}) {
    Fixture f;
    REQUIRE(sit(f.one) == Seat{0});
    f.set(2, SeatWord::of(SeatState::mending, 5, 1));  // seat 1 died while it mended seat 2
    f.set(1, SeatWord::of(SeatState::occupied, 3));
    f.words.given_back = counted;
    CHECK(mend_dead(f.one, 0) == 2);
    CHECK(f.word(1) == SeatWord::of(SeatState::free, 3));
    CHECK(f.word(2) == SeatWord::of(SeatState::free, 5));
    CHECK(f.words.log.find("mend1") != std::string::npos);
    CHECK(f.words.log.find("mend2") != std::string::npos);
    CHECK(f.words.given_back == counted + 2);
  }
}

TEST_CASE("a mender's own mend hands on what it was mending") {
  Fixture f;
  REQUIRE(sit(f.one) == Seat{0});
  f.set(1, SeatWord::of(SeatState::mending, 5, 2));  // looked at before its mender's own seat
  f.set(2, SeatWord::of(SeatState::occupied, 3));
  f.set(3, SeatWord::of(SeatState::mending, 7, 2));
  CHECK(mend_if_dead(f.one, 2, 0));
  CHECK(f.word(2) == SeatWord::of(SeatState::free, 3));
  CHECK(f.word(1) == SeatWord::of(SeatState::occupied, 5));
  CHECK(f.word(3) == SeatWord::of(SeatState::occupied, 7));
  CHECK(mend_dead(f.one, 0) == 2);
  CHECK(f.word(1) == SeatWord::of(SeatState::free, 5));
  CHECK(f.word(3) == SeatWord::of(SeatState::free, 7));
}

TEST_CASE("a newcomer that dies while it mends its own seat is taken over") {
  Fixture f;
  f.set(0, SeatWord::of(SeatState::mending, 6, 0));
  f.set(1, SeatWord::of(SeatState::occupied, 1));
  f.words.presence[1] = 2;
  CHECK(mend_dead(f.two, 1) == 1);
  CHECK(f.word(0) == SeatWord::of(SeatState::free, 6));

  // By another newcomer, when no other seat is left.
  Fixture g;
  for (Seat seat = 1; seat < 4; ++seat) {
    g.set(seat, SeatWord::of(SeatState::occupied, 1));
    g.words.presence[seat] = 9;
  }
  g.set(0, SeatWord::of(SeatState::mending, 6, 0));
  CHECK(sit(g.one) == Seat{0});
  CHECK(g.word(0) == SeatWord::of(SeatState::occupied, 7));
  CHECK(g.words.log == "mend0(count 0) wake(count 1) ");
}

TEST_CASE("DEATH: the presence goes with us, the seat is as it was") {
  Fixture f;
  REQUIRE(f.one.try_hold(0));  // and killed before it looked at the seat
  f.kill(0);
  CHECK(f.word(0) == SeatWord::of(SeatState::free, 0));
  CHECK(sit(f.two) == Seat{0});

  Fixture g;  // the same over a dead party's seat
  for (Seat seat = 0; seat < 4; ++seat) REQUIRE(sit(g.three) == seat);
  g.kill(2);
  REQUIRE(g.one.try_hold(2));
  g.kill(2);
  CHECK(sit(g.two) == Seat{2});
  CHECK(g.words.log == "mend2(count 0) wake(count 1) ");
}

TEST_CASE("DEATH: the seat is free already: the presence goes with us") {
  Fixture f;
  REQUIRE(sit(f.one) == Seat{0});
  f.set(0, SeatWord::of(SeatState::free, 1));  // leave(), up to the note
  CHECK(sit(f.two) == Seat{1});                // its presence is still held: the next seat
  f.kill(0);
  CHECK(sit(f.three) == Seat{0});
  CHECK(f.words.given_back == 0);  // nothing to mend
}

TEST_CASE("a newcomer that loses its seat to a mender drops the presence and looks on") {
  // The mender asked before the newcomer held the presence, and marks the seat between the newcomer's load and its CAS.
  struct Racing : Memory {
    Racing(Words& words, int me) : Memory(words, me), all(&words) {}
    bool try_hold(Seat seat) const noexcept {
      const bool held = Memory::try_hold(seat);
      if (held && seat == 0 && !raced) {
        raced = true;
        all->seat[0] = SeatWord::of(SeatState::mending, 1, 1).bits;
      }
      return held;
    }
    Words* all;
    mutable bool raced = false;
  };
  Fixture f;
  for (Seat seat = 0; seat < 3; ++seat) REQUIRE(sit(f.one) == seat);
  f.kill(0);
  Racing newcomer(f.words, 2);
  CHECK_FALSE(try_sit(newcomer, 0, true));
  CHECK(f.words.presence[0] == nobody_here);
  CHECK(f.word(0) == SeatWord::of(SeatState::mending, 1, 1));
  CHECK(sit(newcomer) == Seat{3});
}

TEST_CASE("broken words of seats are never mended into use by accident") {
  Fixture f;
  f.set(0, SeatWord{3});  // a state that does not exist
  f.set(1, SeatWord{~std::uint64_t{0}});
  REQUIRE(sit(f.one) == Seat{2});
  CHECK(mend_dead(f.one, 2) == 0);
  CHECK(f.word(0) == SeatWord{3});
}
