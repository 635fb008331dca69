#pragma once
// The ring: one algorithm for one-to-one and many-to-many, over plain words. No OS call, no waiting, no names.
//
//     free(p) --claim: CAS--> claimed(p, seat) --publish: store--> published(p)
//        ^                        | abandon, or mend of a dead writer
//        |                        v
//        |                   skipped(p)  --a reader steps over it, or a writer one lap on claims it-->
//        |
//        +-- free(p + N) <--release-- reading(p, seat) <--take: CAS-- published(p)
//                                          | put back, or mend of a dead reader
//                                          v
//                                     published(p) again
//
// There are no shared cursors: each node's word is the only truth about it, and a handle walks forward from a private hint.
//
// Invariants (F: the first position nobody has claimed):
//   I1  p is claimed only after p - 1 was: first takes are in the order of claims.
//   I2  every word's position lies in [F - N, F + N - 1], and one that is not free in [F - N, F - 1].
//   I3  every position before a writer's hint was claimed, before a reader's hint taken or skipped, at some time: an old hint is
//       a valid hint, so a word is never more than one lap behind it.
//   I4  only the party named in a word, or the one mender of its seat, changes a held word.
//   I7  "full": at that load the oldest position was not released.
//   I8  "empty": at that load the head was not published, and no message that was completely given back lay behind the hint.
//
// Threads that share a handle share its cursors. Their stores may overtake each other, which by I3 only makes a hint older. What
// must not be lost is the look back after a give-back: `seen` takes the counter's value only when a walk that began a lap
// back, after the counter was read, has ended with nothing found. Whoever then reads the same value knows that somebody has
// looked.
//
// Memory (a policy) owns the words, so that a test can own every interleaving: word(index), given_back(), node_count(),
// hand_on(index, bits) for the two changes that every message pays for, about_to_write(index) and about_to_read(index, in_row) to
// fetch cache lines by, and Atomic<T> for the cursors. Each word offers load, exchange, compare_exchange_strong as std::atomic does.

#include <strait/layout/node_word.hpp>
#include <strait/ring/position.hpp>

#include <atomic>
#include <cstdint>

namespace strait::ring {

using layout::laps_ahead;
using layout::nobody;
using layout::NodeWord;
using layout::one_lap_behind;
using layout::Phase;
using layout::Seat;

enum class Found : std::uint8_t {
  node,       // the position asked for
  none,       // full, or empty with everything before the hint taken or skipped
  unfinished, // empty, but the head is claimed and may yet be published
  contended   // others kept changing the words, or the words make no sense: look at the deadline and try again
};

struct Attempt {
  Found found;
  Position at;
};

template <class Memory>
struct WriterCursor {
  typename Memory::template Atomic<std::uint64_t> hint;
};

template <class Memory>
struct ReaderCursor {
  typename Memory::template Atomic<std::uint64_t> hint;
  typename Memory::template Atomic<std::uint64_t> seen;
};

template <class Memory>
class Ring {
 public:
  explicit Ring(Memory memory) noexcept : memory_(memory), geometry_(memory.node_count()) {}

  const Geometry& geometry() const noexcept { return geometry_; }
  Memory& memory() noexcept { return memory_; }

  // ---- newcomers -----------------------------------------------------------------------------------------------------

  // Starts a lap (a reader two) behind node 0's word, which by I2 is behind everything; the walk to the frontier takes 2N steps.
  void start(WriterCursor<Memory>& cursor) noexcept { cursor.hint.store(geometry_.pack(geometry_.next({(node_0_lap() - 1) & layout::lap_mask, 0})), std::memory_order_relaxed); }

  void start(ReaderCursor<Memory>& cursor) noexcept {
    // SYNC given-back: read before the first walk, so that whatever is given back later is looked for again.
    cursor.seen.store(memory_.given_back().load(std::memory_order_seq_cst), std::memory_order_relaxed);
    cursor.hint.store(geometry_.pack(geometry_.next({(node_0_lap() - 2) & layout::lap_mask, 0})), std::memory_order_relaxed);
  }

  // ---- writers -------------------------------------------------------------------------------------------------------

  // Any thread, any process. The word at the hint says one of:
  //   case 1  free, this lap: claim it by CAS.
  //   case 2  another phase, this lap: somebody claimed it; step.
  //   case 3  newer by d laps: free(p) proves that p - N and all before were claimed, any other phase that p was; jump.
  //   case 4  skipped, one lap behind: nobody will read it; claim it by CAS.
  //   case 5  anything else one lap behind: not released yet, and by I1 nothing younger can be claimed: full.
  Attempt try_claim(WriterCursor<Memory>& cursor, Seat me) noexcept {
    const Attempt first = claim_at_hint(cursor, me);
    if (first.found == Found::node) return first;
    return walk_to_free(cursor, [&](auto& word, NodeWord seen, Position at) {
      // SYNC reuse: acquires the release of this node. SYNC close: seq_cst against the load of `closed` that follows a claim.
      return word.compare_exchange_strong(seen.bits, NodeWord::of(at.lap, Phase::claimed, me).bits, std::memory_order_seq_cst,
                                          std::memory_order_relaxed)
                 ? Step::taken
                 : Step::reload;
    });
  }

  // Case 1 or nothing: small enough to be inlined into every write.
  Attempt claim_at_hint(WriterCursor<Memory>& cursor, Seat me) noexcept {
    const Position at = load(cursor.hint);
    memory_.about_to_write(at.index);
    auto& node = word(at);
    auto free = NodeWord::of(at.lap, Phase::free).bits;
    // SYNC reuse, close: as in the walk.
    if (node.load(std::memory_order_seq_cst) != free ||
        !node.compare_exchange_strong(free, NodeWord::of(at.lap, Phase::claimed, me).bits, std::memory_order_seq_cst, std::memory_order_relaxed))
        [[unlikely]] {
      return {Found::contended, at};
    }
    store(cursor.hint, geometry_.next(at));
    return {Found::node, at};
  }

  // The one writer of an exclusive side: finds the same node, but nobody else can claim it, so nothing is stored.
  Attempt find_free(WriterCursor<Memory>& cursor) noexcept {
    const Attempt first = free_at_hint(cursor);
    if (first.found == Found::node) return first;
    return walk_to_free(cursor, [&](auto& word, NodeWord seen, Position at) {
      if (seen.phase() == Phase::free) return Step::taken;
      // SYNC reuse: skipped, one lap behind; whoever skipped it is done with its bytes.
      word.compare_exchange_strong(seen.bits, NodeWord::of(at.lap, Phase::free).bits, std::memory_order_seq_cst, std::memory_order_relaxed);
      return Step::reload;
    });
  }

  Attempt free_at_hint(WriterCursor<Memory>& cursor) noexcept {
    const Position at = load(cursor.hint);
    memory_.about_to_write(at.index);
    // SYNC reuse: acquires the release of this node.
    if (word(at).load(std::memory_order_seq_cst) != NodeWord::of(at.lap, Phase::free).bits) [[unlikely]] return {Found::contended, at};
    store(cursor.hint, geometry_.next(at));
    return {Found::node, at};
  }

  // Where the next claim will look first.
  Position next_claim(const WriterCursor<Memory>& cursor) const noexcept { return load(cursor.hint); }

  // The one writer claims a further node: the one it found without a store must be visibly its own first.
  void mark_claimed(Position at, Seat me) noexcept {
    // SYNC reuse: no reader looks at the payload of a claimed node; the order is that of every change of a word.
    word(at).exchange(NodeWord::of(at.lap, Phase::claimed, me).bits, std::memory_order_seq_cst);
  }

  // Wake readers afterwards.
  void publish(Position at) noexcept {
    memory_.hand_on(at.index, NodeWord::of(at.lap, Phase::published).bits);
  }

  // Wake readers and writers afterwards.
  void abandon(Position at) noexcept {
    // SYNC reuse: the next writer of this node starts after our last store into it. SYNC sleep: a look at the signals follows.
    word(at).exchange(NodeWord::of(at.lap, Phase::skipped).bits, std::memory_order_seq_cst);
  }

  // The one writer of an exclusive side found the ring closed after publishing: true if nobody had taken the message.
  bool withdraw(Position at) noexcept {
    auto expected = NodeWord::of(at.lap, Phase::published).bits;
    // SYNC close: either this or a reader's take comes first in the word's own order.
    return word(at).compare_exchange_strong(expected, NodeWord::of(at.lap, Phase::skipped).bits, std::memory_order_seq_cst,
                                            std::memory_order_relaxed);
  }

  // ---- readers -------------------------------------------------------------------------------------------------------

  // Any thread, any process. The word at the hint says one of:
  //   case 1  published, this lap: take it by CAS.
  //   case 2  reading, this lap: another reader's; step.
  //   case 3  skipped, this lap: free it for the next lap; whether we or a writer does is the same.
  //   case 4  newer by d laps: jump, two laps short, so that no node that is not released is jumped over.
  //   case 5  free or claimed, this lap, or one lap behind: the head is not published. Something was given back since the last
  //           look: walk the last lap again, oldest first. Otherwise empty.
  Attempt try_take(ReaderCursor<Memory>& cursor, Seat me) noexcept {
    const Attempt first = take_at_hint(cursor, me);
    if (first.found == Found::node) return first;
    return walk_to_published(cursor, [&](auto& word, NodeWord seen, Position at) {
      // SYNC payload: acquires what the writer stored before it published.
      return word.compare_exchange_strong(seen.bits, NodeWord::of(at.lap, Phase::reading, me).bits, std::memory_order_acquire,
                                          std::memory_order_relaxed)
                 ? Step::taken
                 : Step::reload;
    });
  }

  // Case 1 or nothing: small enough to be inlined into every read. `in_row`: is the node likely there? A hint for the memory.
  Attempt take_at_hint(ReaderCursor<Memory>& cursor, Seat me, bool in_row = false) noexcept {
    const Position at = load(cursor.hint);
    memory_.about_to_read(at.index, in_row);
    auto& node = word(at);
    auto published = NodeWord::of(at.lap, Phase::published).bits;
    // SYNC payload: as in the walk.
    if (node.load(std::memory_order_seq_cst) != published ||
        !node.compare_exchange_strong(published, NodeWord::of(at.lap, Phase::reading, me).bits, std::memory_order_acquire, std::memory_order_relaxed))
        [[unlikely]] {
      return {Found::contended, at};
    }
    store(cursor.hint, geometry_.next(at));
    return {Found::node, at};
  }

  // The one reader of an exclusive side: nobody else can take it, so nothing is stored.
  Attempt find_published(ReaderCursor<Memory>& cursor) noexcept {
    const Attempt first = published_at_hint(cursor);
    if (first.found == Found::node) return first;
    return walk_to_published(cursor, [](auto&, NodeWord, Position) { return Step::taken; });
  }

  Attempt published_at_hint(ReaderCursor<Memory>& cursor, bool in_row = false) noexcept {
    const Position at = load(cursor.hint);
    memory_.about_to_read(at.index, in_row);
    // SYNC payload: acquires what the writer stored before it published.
    if (word(at).load(std::memory_order_seq_cst) != NodeWord::of(at.lap, Phase::published).bits) [[unlikely]] return {Found::contended, at};
    store(cursor.hint, geometry_.next(at));
    return {Found::node, at};
  }

  // Is there one that try_take would take? It stays where it is.
  Found look(ReaderCursor<Memory>& cursor) noexcept {
    return walk_to_published(cursor, [](auto&, NodeWord, Position) { return Step::seen; }).found;
  }

  // A look that moves nothing, for a ring whose messages are never given back: false only where the head is neither published nor
  // skipped nor past the hint.
  bool may_have_message(const ReaderCursor<Memory>& cursor) noexcept {
    const Position at = load(cursor.hint);
    // SYNC sleep: seq_cst, because the last look before sleeping follows the announcement.
    const NodeWord seen{word(at).load(std::memory_order_seq_cst)};
    if (laps_ahead(seen.lap(), at.lap) == one_lap_behind) return false;
    return seen.lap() != at.lap || (seen.phase() != Phase::free && seen.phase() != Phase::claimed);
  }

  // The one reader takes a further message: the one it found without a store must be visibly its own first.
  void mark_reading(Position at, Seat me) noexcept {
    // SYNC payload: only the owner of the side reads it; the order is that of every change of a word.
    word(at).exchange(NodeWord::of(at.lap, Phase::reading, me).bits, std::memory_order_seq_cst);
  }

  // Wake writers afterwards.
  void release(Position at) noexcept {
    memory_.hand_on(at.index, NodeWord::of(at.lap + 1, Phase::free).bits);
  }

  // Wake readers afterwards. The message is the next one that this handle takes; others find it when they see the ring empty.
  void put_back(ReaderCursor<Memory>& cursor, Position at) noexcept {
    // SYNC payload: the next reader acquires what we acquired.
    word(at).exchange(NodeWord::of(at.lap, Phase::published).bits, std::memory_order_seq_cst);
    look_back(cursor, at);
    // SYNC given-back: counted after the word is published again (the other way round loses it: a reader looks too early).
    memory_.given_back().fetch_add(1, std::memory_order_seq_cst);
  }

  // The one reader of an exclusive side puts back what it took without a store: only the hint moves.
  void look_back(ReaderCursor<Memory>& cursor, Position at) noexcept {
    if (geometry_.past(load(cursor.hint), at)) store(cursor.hint, at);
  }

  // The one writer gives up what it found without a store: only the hint moves.
  void look_back(WriterCursor<Memory>& cursor, Position at) noexcept { store(cursor.hint, at); }

  // ---- the mend of a dead seat: only by the one mender of that seat (I4). Returns how many messages were given back. -----

  std::uint32_t mend(Seat dead) noexcept {
    std::uint32_t given_back = 0;
    for (std::uint64_t index = 0; index < geometry_.node_count(); ++index) {
      auto& word = memory_.word(index);
      // relaxed: the mender learned of the death from the system, which orders what the dead wrote before this load.
      NodeWord seen{word.load(std::memory_order_relaxed)};
      if (seen.seat() != dead) continue;
      if (seen.phase() == Phase::claimed) {
        // SYNC reuse: a half-written payload is finished with.
        word.compare_exchange_strong(seen.bits, NodeWord::of(seen.lap(), Phase::skipped).bits, std::memory_order_seq_cst, std::memory_order_relaxed);
      } else if (seen.phase() == Phase::reading) {
        // SYNC payload: the next reader acquires what the dead one had acquired.
        given_back += word.compare_exchange_strong(seen.bits, NodeWord::of(seen.lap(), Phase::published).bits, std::memory_order_seq_cst,
                                                   std::memory_order_relaxed);
      }
    }
    return given_back;
  }

  // ---- looking, for statistics -----------------------------------------------------------------------------------------

  // Published and not taken: a count that may be stale before it is returned.
  std::uint64_t approximate_size() noexcept {
    std::uint64_t size = 0;
    for (std::uint64_t index = 0; index < geometry_.node_count(); ++index) {
      const NodeWord seen{memory_.word(index).load(std::memory_order_relaxed)};  // relaxed: nothing is concluded from it
      size += seen.phase() == Phase::published;
    }
    return size;
  }

 private:
  enum class Step : std::uint8_t { taken, seen, reload };

  template <class TryNode>
  Attempt walk_to_free(WriterCursor<Memory>& cursor, TryNode try_node) noexcept {
    Position at = load(cursor.hint);
    for (std::uint64_t steps = 0; steps < most_steps(); ++steps) {
      auto& word = memory_.word(at.index);
      // SYNC reuse, sleep: seq_cst, because the re-check before sleeping must come after the announcement.
      const NodeWord seen{word.load(std::memory_order_seq_cst)};
      const auto ahead = laps_ahead(seen.lap(), at.lap);
      const bool is_free = seen.phase() == Phase::free;
      if (ahead == 0 ? is_free : ahead == one_lap_behind && seen.phase() == Phase::skipped) {  // cases 1 and 4
        if (try_node(word, seen, at) == Step::taken) {
          store(cursor.hint, geometry_.next(at));
          return {Found::node, at};
        }
      } else if (ahead == 0) {  // case 2
        at = geometry_.next(at);
      } else if (ahead != one_lap_behind) {  // case 3
        at = geometry_.next(Geometry::laps_on(at, is_free ? ahead - 1 : ahead));
      } else {  // case 5
        store(cursor.hint, at);
        return {Found::none, at};
      }
    }
    return {Found::contended, at};
  }

  template <class TryNode>
  Attempt walk_to_published(ReaderCursor<Memory>& cursor, TryNode try_node) noexcept {
    Position at = load(cursor.hint);
    bool looked_back = false;
    std::uint64_t counted = 0;
    for (std::uint64_t steps = 0; steps < most_steps(); ++steps) {
      auto& word = memory_.word(at.index);
      // SYNC payload: an exclusive reader takes by this load. SYNC sleep: seq_cst, because the re-check follows the announcement.
      NodeWord seen{word.load(std::memory_order_seq_cst)};
      const auto ahead = laps_ahead(seen.lap(), at.lap);
      if (ahead == 0 && seen.phase() == Phase::published) {  // case 1
        const Step step = try_node(word, seen, at);
        if (step != Step::reload) {
          store(cursor.hint, step == Step::taken ? geometry_.next(at) : at);
          return {Found::node, at};
        }
      } else if (ahead == 0 && seen.phase() == Phase::reading) {  // case 2
        at = geometry_.next(at);
      } else if (ahead == 0 && seen.phase() == Phase::skipped) {  // case 3
        // relaxed: nothing was read from this node; the next writer acquires from whoever skipped it, through the word's own order.
        word.compare_exchange_strong(seen.bits, NodeWord::of(at.lap + 1, Phase::free).bits, std::memory_order_relaxed, std::memory_order_relaxed);
      } else if (ahead != 0 && ahead != one_lap_behind) {  // case 4
        at = geometry_.next(Geometry::laps_on(at, ahead > 2 ? ahead - 2 : 0));
      } else {  // case 5
        // SYNC given-back: whoever gave back published the word before it counted.
        const auto count = memory_.given_back().load(std::memory_order_seq_cst);
        // SYNC looked-back: another thread of this handle stored it after its walk found nothing.
        if (count != (looked_back ? counted : cursor.seen.load(std::memory_order_acquire))) {
          looked_back = true;
          counted = count;
          at = Geometry::lap_back(at);
          continue;
        }
        // SYNC looked-back: stored after the loads of the walk that found nothing.
        if (looked_back) cursor.seen.store(counted, std::memory_order_release);
        store(cursor.hint, at);
        return {ahead == 0 && seen.phase() == Phase::claimed ? Found::unfinished : Found::none, at};
      }
    }
    return {Found::contended, at};
  }

  // Far more than any walk among honest parties takes; an end for words that somebody keeps scribbling over.
  std::uint64_t most_steps() const noexcept { return 16 * geometry_.node_count() + 4096; }

  auto& word(Position at) noexcept { return memory_.word(at.index); }
  // relaxed: a starting point for a walk that finds out where it is
  std::uint64_t node_0_lap() noexcept { return NodeWord{memory_.word(0).load(std::memory_order_relaxed)}.lap(); }

  // SYNC hint: a thread that continues from another's hint must see the words at least as that thread saw them.
  Position load(const typename Memory::template Atomic<std::uint64_t>& hint) const noexcept { return geometry_.unpack(hint.load(std::memory_order_acquire)); }
  // SYNC hint: released after the words that justify it.
  void store(typename Memory::template Atomic<std::uint64_t>& hint, Position at) noexcept { hint.store(geometry_.pack(at), std::memory_order_release); }

  Memory memory_;
  Geometry geometry_;
};

}  // namespace strait::ring
