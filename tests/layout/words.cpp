// Encodings of the words: golden values, and round trips over every field.

#include "support/catch.hpp"

#include <strait/layout/node_word.hpp>
#include <strait/layout/seat.hpp>

#include <cstdint>

using namespace strait::layout;

TEST_CASE("a node's word is lap, phase and seat, from the top") {
  CHECK(NodeWord::of(0, Phase::free).bits == 0x0000'0000'0000'1FFFull);
  CHECK(NodeWord::of(1, Phase::free).bits == 0x0000'0000'0001'1FFFull);
  CHECK(NodeWord::of(0, Phase::claimed, 0).bits == 0x2000);
  CHECK(NodeWord::of(0, Phase::published).bits == 0x5FFF);
  CHECK(NodeWord::of(0, Phase::skipped).bits == 0x7FFF);
  CHECK(NodeWord::of(2, Phase::reading, 5).bits == 0x0000'0000'0002'8005ull);
  CHECK(NodeWord::of(lap_mask, Phase::reading, 8189).bits == 0xFFFF'FFFF'FFFF'9FFDull);
  CHECK(NodeWord::of(lap_mask + 1, Phase::free) == NodeWord::of(0, Phase::free));
}

TEST_CASE("a node's word gives back what was put in") {
  for (const std::uint64_t lap : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x123456789abc}, lap_mask - 1, lap_mask}) {
    for (const Phase phase : {Phase::free, Phase::claimed, Phase::published, Phase::skipped, Phase::reading}) {
      for (const Seat seat : {Seat{0}, Seat{1}, Seat{4095}, max_seats - 1, nobody}) {
        const NodeWord word = NodeWord::of(lap, phase, seat);
        CHECK(word.lap() == lap);
        CHECK(word.phase() == phase);
        CHECK(word.seat() == seat);
      }
    }
  }
}

TEST_CASE("laps are the same, one behind, or ahead by so many, also across the wrap") {
  CHECK(laps_ahead(7, 7) == 0);
  CHECK(laps_ahead(6, 7) == one_lap_behind);
  CHECK(laps_ahead(9, 7) == 2);
  CHECK(laps_ahead(0, lap_mask) == 1);
  CHECK(laps_ahead(1, lap_mask - 1) == 3);
  CHECK(laps_ahead(lap_mask, 0) == one_lap_behind);
}

TEST_CASE("a seat's word is generation, mender and state, from the top") {
  CHECK(SeatWord::of(SeatState::free, 0).bits == 0);
  CHECK(SeatWord::of(SeatState::occupied, 1).bits == 0x8001);
  CHECK(SeatWord::of(SeatState::mending, 1, 3).bits == 0x800E);
  for (const std::uint64_t generation : {std::uint64_t{0}, std::uint64_t{1}, (std::uint64_t{1} << 49) - 1}) {
    for (const Seat mender : {Seat{0}, Seat{7}, max_seats - 1}) {
      const SeatWord word = SeatWord::of(SeatState::mending, generation, mender);
      CHECK(word.state() == SeatState::mending);
      CHECK(word.generation() == generation);
      CHECK(word.mender() == mender);
    }
    // Only a seat that is being mended has a mender: words that mean the same are the same.
    CHECK(SeatWord::of(SeatState::occupied, generation, 5) == SeatWord::of(SeatState::occupied, generation));
  }
}

TEST_CASE("there are as many seats as the word can name, less nobody") {
  CHECK(nobody == 8191);
  CHECK(max_seats == 8191);
}
