#pragma once
// The ring of the C# library, over plain words: no OS call, no waiting, no names. Each message goes to one reader.
//
//     read_end    <=  read_start  <=  write_end   <=  write_start       (round the ring; a ring of N nodes holds N - 1 messages)
//     returned        being read      published       being written
//
//     writer:  reserve: CAS write_start to the next node      fill, amount      post: done_write = 1, then move write_end on
//     reader:  reserve: CAS read_start to the next node       copy              return: amount = 0, done_read = 1, then move read_end on
//
// Nodes that are finished out of turn keep their flag; whoever finishes the oldest one moves the cursor over all of them.
//
// What C# gets wrong and this does not:
//   R1  the flag is set with a full fence before the cursor is looked at, else of two that finish at once neither moves the cursor;
//   R2  the length is cleared before the node is given back, else it wipes out the length of the next message;
//   R3  a flag that was taken for a cursor that has meanwhile gone round is put back, else the node is never published or returned;
//   R4  "full" and "empty" are believed only of a cursor that has not moved meanwhile.
// What the indices cannot tell is a cursor that has gone round exactly once between a look and the compare-and-swap: a writer would
// then reserve a node of a full ring, a reader one of an empty ring. So of our own writers, and of our own readers, one at a time
// reserves (ring_end.hpp). C# peers do not wait for this turn: with several writers or readers among them the danger is theirs and ours.
//
// A flag belongs to whoever cleared it. A process that dies with a node reserved, or between a flag and its cursor, stops the
// ring for good: the format tells nobody whose it was.
//
// Words (a policy): count(), read_end(), read_start(), write_end(), write_start(), done_read(i), done_write(i), amount(i),
// checked(index) -> the index, or throws: what another process wrote is never used unchecked.

#include <strait/dotnet/layout.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace strait::dotnet {

template <class Words>
class Ring {
 public:
  explicit Ring(Words words) noexcept : words_(words) {}

  // ---- writers -------------------------------------------------------------------------------------------------------

  bool seems_full() {
    for (std::uint64_t tries = 0; tries < most_tries(); ++tries) {
      const Index here = at(words_.write_start());
      if (next(here) != at(words_.read_end())) return false;
      if (at(words_.write_start()) == here) return true;  // R4
    }
    return true;
  }

  // Nothing: full. One of our writers at a time.
  std::optional<Index> reserve_for_writing() {
    for (std::uint64_t tries = 0; tries < most_tries(); ++tries) {
      const Index here = at(words_.write_start());
      if (next(here) != at(words_.read_end())) {
        if (move(words_.write_start(), here)) return here;
      } else if (at(words_.write_start()) == here) {  // R4
        break;
      }
    }
    return std::nullopt;
  }

  // The node is filled. Set the event afterwards, whatever this did.
  void post(Index node, std::int32_t amount) {
    words_.amount(node).store(amount, std::memory_order_relaxed);  // relaxed: published with the flag
    finish(
        node, [this](Index i) -> auto& { return words_.done_write(i); }, words_.write_end());
  }

  // ---- readers -------------------------------------------------------------------------------------------------------

  bool seems_empty() {
    for (std::uint64_t tries = 0; tries < most_tries(); ++tries) {
      const Index here = at(words_.read_start());
      if (here != at(words_.write_end())) return false;
      if (at(words_.read_start()) == here) return true;  // R4
    }
    return true;
  }

  struct Found {
    enum class What : std::uint8_t { empty, reserved, refused } what;
    Index node;
  };

  // `accept(amount)`: a message that it refuses stays. One of our readers at a time.
  template <class Accept>
  Found reserve_for_reading(Accept accept) {
    for (std::uint64_t tries = 0; tries < most_tries(); ++tries) {
      const Index here = at(words_.read_start());
      if (here == at(words_.write_end())) {
        if (at(words_.read_start()) == here) break;  // R4
        continue;
      }
      if (!accept(amount(here))) {
        if (at(words_.read_start()) == here) return {Found::What::refused, here};
        continue;
      }
      if (move(words_.read_start(), here)) return {Found::What::reserved, here};
    }
    return {Found::What::empty, 0};
  }

  // Another process's number: check it.
  std::int32_t amount(Index node) { return words_.amount(node).load(std::memory_order_relaxed); }  // relaxed: published with the cursor

  // The message is read. Set the event afterwards, whatever this did.
  void give_back(Index node) {
    words_.amount(node).store(0, std::memory_order_relaxed);  // R2. relaxed: ordered by the flag
    finish(
        node, [this](Index i) -> auto& { return words_.done_read(i); }, words_.read_end());
  }

 private:
  // Of any loop: each further try is another party's success, and there are never so many; a peer that scribbles could keep us here for ever.
  std::uint64_t most_tries() const noexcept { return 16 * static_cast<std::uint64_t>(words_.count()) + 4096; }

  Index next(Index index) const noexcept { return index + 1 == words_.count() ? 0 : index + 1; }

  template <class Word>
  Index at(Word& cursor) {
    // SYNC dotnet-ring: acquires what was done before the cursor came here; seq_cst against the flags.
    return words_.checked(cursor.load(std::memory_order_seq_cst));
  }

  template <class Word>
  bool move(Word& cursor, Index from) {
    // SYNC dotnet-ring: releases what was done before.
    return cursor.compare_exchange_strong(from, next(from), std::memory_order_seq_cst, std::memory_order_seq_cst);
  }

  template <class Flag, class Cursor>
  void finish(Index node, Flag flag, Cursor& cursor) {
    // The oldest one, as nearly always: nobody else can move the cursor on, and the flag is not needed.
    if (at(cursor) != node || !move(cursor, node)) {
      // SYNC dotnet-ring: R1: releases the node, and is a full fence before the look at the cursor.
      flag(node).exchange(1, std::memory_order_seq_cst);
    }
    for (std::uint64_t tries = 0; tries < most_tries(); ++tries) {
      const Index end = at(cursor);
      // case 1: an older node is not finished, or somebody is just moving the cursor and looks here afterwards.
      // SYNC dotnet-ring: after our flag, or our move.
      if (flag(end).load(std::memory_order_seq_cst) == 0) return;
      std::int32_t done = 1;
      // SYNC dotnet-ring: acquires the node that another one finished.
      if (!flag(end).compare_exchange_strong(done, 0, std::memory_order_seq_cst, std::memory_order_seq_cst)) return;
      // case 2: the flag is ours, and so is the move.
      if (move(cursor, end)) continue;
      // case 3, R3: the cursor has gone round since we looked: the flag is about another lap, and its time has not come.
      // SYNC dotnet-ring: as above.
      flag(end).exchange(1, std::memory_order_seq_cst);
    }
  }

  Words words_;
};

}  // namespace strait::dotnet
