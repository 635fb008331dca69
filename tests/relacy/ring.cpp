// The ring's own source under weak memory orders. Payloads are plain variables to Relacy: reading one without a happens-before
// from its writer is reported as a race. Then each order is weakened in turn, and the race must show.

#include "weak.hpp"

#include <array>
#include <type_traits>

namespace {

using namespace strait;
using namespace strait::weak;
using ring::Found;
using ring::Position;

// W writers of M messages each, R readers. The first writer abandons `Abandons` times, the first reader puts back `PutsBack`
// times; exclusive sides find without a store, and take or claim a further node if `Twice`. Threads of one handle if `Shared`.
template <int W, int R, int M, bool OneWriter, bool OneReader, int Abandons, int PutsBack, bool Twice = false, bool Shared = false>
struct RingTest : rl::test_suite<RingTest<W, R, M, OneWriter, OneReader, Abandons, PutsBack, Twice, Shared>, W + R> {
  using Ring = ring::Ring<Memory<Shared>>;
  using WriterCursor = ring::WriterCursor<Memory<Shared>>;
  using ReaderCursor = ring::ReaderCursor<Memory<Shared>>;

  Words words;
  rl::var<int> payload[Words::nodes];
  rl::atomic<int> taken;
  std::array<int, W * M> got{};
  WriterCursor shared_writer;
  ReaderCursor shared_reader;

  void before() {
    words.reset();
    for (auto& one : payload) one($) = -1;
    taken.store(0, rl::mo_relaxed, $);
    got.fill(0);
    if constexpr (Shared) {
      Ring ring{Memory<Shared>(words)};
      ring.start(shared_writer);
      ring.start(shared_reader);
    }
  }

  void write(Ring& ring, WriterCursor& cursor, Seat me) {
    int abandons = me == 0 ? Abandons : 0;
    Word::is_reader = false;
    for (int done = 0; done < M;) {
      Word::is_reader = false;
      const auto attempt = OneWriter ? ring.find_free(cursor) : ring.try_claim(cursor, me);
      Word::is_reader = false;
      if (attempt.found != Found::node) {
        rl::yield(1, $);
        continue;
      }
      const Position at = attempt.at;
      if constexpr (OneWriter && Twice) {
        if (done + 2 <= M) {
          ring.mark_claimed(at, me);
          const auto further = ring.try_claim(cursor, me);
          Word::is_reader = false;
          if (further.found == Found::node) publish(ring, further.at, static_cast<int>(me) * M + done++);
        }
      }
      if (abandons > 0) {
        --abandons;
        payload[at.index]($) = -2;
        if (OneWriter && !Twice) {
          ring.look_back(cursor, at);
        } else {
          Word::is_reader = false;
          ring.abandon(at);
        }
        continue;
      }
      publish(ring, at, static_cast<int>(me) * M + done++);
    }
  }

  void publish(Ring& ring, Position at, int value) {
    payload[at.index]($) = value;
    Word::is_reader = false;
    ring.publish(at);
  }

  int read_payload(Position at) {
    const int value = payload[at.index]($);
    RL_ASSERT(value >= 0 && value < W * M);
    return value;
  }

  void release(Ring& ring, Position at, int value) {
    RL_ASSERT(got[static_cast<std::size_t>(value)] == 0);
    got[static_cast<std::size_t>(value)] = 1;
    ring.release(at);
    taken.fetch_add(1, rl::mo_relaxed, $);
  }

  void read(Ring& ring, ReaderCursor& cursor, Seat me) {
    int puts_back = me == static_cast<Seat>(W) ? PutsBack : 0;
    for (;;) {
      const auto attempt = OneReader ? ring.find_published(cursor) : ring.try_take(cursor, me);
      if (attempt.found != Found::node) {
        if (taken.load(rl::mo_relaxed, $) == W * M) return;
        rl::yield(1, $);
        continue;
      }
      const Position at = attempt.at;
      const int value = read_payload(at);
      if (puts_back > 0) {
        --puts_back;
        if (OneReader && !Twice) {
          ring.look_back(cursor, at);
        } else {
          if (OneReader) ring.mark_reading(at, me);
          Word::is_reader = true;
          ring.put_back(cursor, at);
          Word::is_reader = false;
        }
        continue;
      }
      if constexpr (OneReader && Twice) {
        Word::is_reader = true;
        ring.mark_reading(at, me);
        const auto further = ring.try_take(cursor, me);
        if (further.found == Found::node) release(ring, further.at, read_payload(further.at));
      }
      release(ring, at, value);
    }
  }

  void thread(unsigned index) {
    Ring ring{Memory<Shared>(words)};
    if (index < W) {
      WriterCursor own;
      if constexpr (!Shared) ring.start(own);
      write(ring, Shared ? shared_writer : own, index);
    } else {
      ReaderCursor own;
      if constexpr (!Shared) ring.start(own);
      read(ring, Shared ? shared_reader : own, index);
    }
  }

  void after() {
    for (const int one : got) RL_ASSERT(one == 1);
  }
};

// A writer dies with a half-written payload; the mender learns of it from the system; another writer claims the node.
struct DeadWriter : rl::test_suite<DeadWriter, 3> {
  using Ring = ring::Ring<Memory<false>>;
  Words words;
  rl::var<int> payload;
  rl::atomic<int> dead;

  void before() {
    words.reset();
    payload($) = 0;
    dead.store(0, rl::mo_relaxed, $);
  }
  void thread(unsigned index) {
    Ring ring{Memory<false>(words)};
    ring::WriterCursor<Memory<false>> cursor;
    cursor.hint.store(ring.geometry().pack({layout::lap_mask, 0}), std::memory_order_relaxed);
    if (index == 0) {
      const auto attempt = ring.try_claim(cursor, 0);
      if (attempt.at.index == 0) payload($) = 1;
      dead.store(1, rl::mo_release, $);
    } else if (index == 1) {
      while (dead.load(rl::mo_acquire, $) == 0) rl::yield(1, $);
      ring.mend(0);
    } else {
      while (dead.load(rl::mo_relaxed, $) == 0) rl::yield(1, $);
      for (;;) {
        const auto attempt = ring.try_claim(cursor, 2);
        if (attempt.found != Found::node) {
          rl::yield(1, $);
          continue;
        }
        if (attempt.at.index == 0) {
          payload($) = 2;
          return;
        }
        ring.publish(attempt.at);
      }
    }
  }
};

// A reader dies with a message in its hands; it is given back, taken, released, and its node written again.
struct DeadReader : rl::test_suite<DeadReader, 4> {
  using Ring = ring::Ring<Memory<false>>;
  Words words;
  rl::var<int> payload;
  rl::atomic<int> dead;

  void before() {
    words.reset();
    words.node[0].store(NodeWord::of(layout::lap_mask, Phase::published).bits, std::memory_order_relaxed);
    payload($) = 7;
    dead.store(0, rl::mo_relaxed, $);
  }
  void thread(unsigned index) {
    Ring ring{Memory<false>(words)};
    ring::ReaderCursor<Memory<false>> reader;
    ring::WriterCursor<Memory<false>> writer;
    if (index == 0) {
      reader.hint.store(ring.geometry().pack({layout::lap_mask, 0}), std::memory_order_relaxed);
      if (ring.try_take(reader, 0).found == Found::node) {
        const int value = payload($);
        RL_ASSERT(value == 7);
      }
      dead.store(1, rl::mo_release, $);
    } else if (index == 1) {
      while (dead.load(rl::mo_acquire, $) == 0) rl::yield(1, $);
      ring.mend(0);
      words.given_back.fetch_add(1, std::memory_order_seq_cst);  // as liveness::repair
    } else if (index == 2) {
      while (dead.load(rl::mo_relaxed, $) == 0) rl::yield(1, $);
      reader.hint.store(ring.geometry().pack({layout::lap_mask, 0}), std::memory_order_relaxed);
      for (;;) {
        const auto attempt = ring.try_take(reader, 2);
        if (attempt.found == Found::node) {
          const int value = payload($);
          RL_ASSERT(value == 7);
          return ring.release(attempt.at);
        }
        rl::yield(1, $);
      }
    } else {
      writer.hint.store(ring.geometry().pack({0, 0}), std::memory_order_relaxed);
      for (;;) {
        const auto attempt = ring.try_claim(writer, 3);
        if (attempt.found == Found::node) {
          payload($) = 9;
          return;
        }
        rl::yield(1, $);
      }
    }
  }
};

template <class Test>
int with_relaxed(std::initializer_list<Order> orders, const char* name, std::uint64_t most, bool must_hold = false) {
  for (const Order order : orders) weaken(order);
  const int wrong = check<Test>(name, most, Search::random, must_hold);
  weakened = 0;
  return wrong;
}

}  // namespace

int main() {
  const std::uint64_t n = iterations(300'000);
  int wrong = 0;
  std::puts("the ring, 2 nodes, from just before the laps wrap");
  wrong += check<RingTest<2, 1, 2, false, false, 1, 0>>("2 writers (one abandons), 1 reader", n, Search::random, true);
  wrong += check<RingTest<1, 2, 3, false, false, 0, 1>>("1 writer, 2 readers (one puts back)", n, Search::random, true);
  wrong += check<RingTest<2, 2, 2, false, false, 1, 1>>("2 writers (one abandons), 2 readers (one puts back)", n, Search::random, true);
  wrong += check<RingTest<1, 1, 3, true, true, 1, 1>>("one writer (abandons), one reader (puts back)", n, Search::random, true);
  wrong += check<RingTest<1, 1, 4, true, true, 1, 1, true>>("one writer with two claims, one reader with two takes", n, Search::random, true);
  wrong += check<RingTest<1, 2, 4, true, false, 1, 1, true>>("one writer with two claims, 2 readers (one puts back)", n, Search::random, true);
  wrong += check<RingTest<2, 1, 2, false, true, 1, 1, true>>("2 writers (one abandons), one reader with two takes", n, Search::random, true);
  wrong += check<RingTest<1, 2, 2, false, false, 0, 1, false, true>>("1 writer, 2 threads of a reading handle (one puts back)", n, Search::random, true);
  wrong += check<RingTest<2, 1, 2, false, false, 1, 0, false, true>>("2 threads of a writing handle (one abandons), 1 reader", n, Search::random, true);
  wrong += check<RingTest<1, 1, 2, false, false, 0, 0>>("1 writer, 1 reader, up to 3 switches, to the end", 20 * n, Search::bound, true);
  wrong += check<RingTest<2, 1, 1, false, false, 0, 0>>("2 writers, 1 reader, up to 3 switches, to the end", 20 * n, Search::bound, true);
  wrong += check<DeadWriter>("a dead writer is mended", n, Search::random, true);
  wrong += check<DeadReader>("a dead reader is mended", n, Search::random, true);

  std::puts("orders weakened to relaxed: a failure must be found");
  using OneToOne = RingTest<1, 1, 3, false, false, 0, 0>;
  using Abandoning = RingTest<2, 1, 2, false, false, 1, 0>;
  using PuttingBack = RingTest<1, 2, 3, false, false, 0, 1>;
  using Exclusive = RingTest<1, 1, 3, true, true, 0, 0>;
  wrong += with_relaxed<OneToOne>({Order::publish}, "publish", n);
  wrong += with_relaxed<OneToOne>({Order::release}, "release", n);
  wrong += with_relaxed<Abandoning>({Order::abandon}, "abandon", n);
  wrong += with_relaxed<PuttingBack>({Order::put_back}, "put back", n);
  wrong += with_relaxed<Exclusive>({Order::walk}, "the walk's load, of exclusive sides", n);
  wrong += with_relaxed<OneToOne>({Order::take, Order::walk}, "take, and the walk's load", n);
  wrong += with_relaxed<OneToOne>({Order::claim, Order::walk}, "claim, and the walk's load", n);
  wrong += with_relaxed<Abandoning>({Order::recycle, Order::walk}, "claim of a skipped node, and the walk's load", n);
  wrong += with_relaxed<DeadWriter>({Order::mend_writer}, "the mend of a writer", n);
  wrong += with_relaxed<DeadReader>({Order::mend_reader}, "the mend of a reader", n);

  std::puts("orders weakened to relaxed, for which another stands in: no failure");
  wrong += with_relaxed<OneToOne>({Order::take}, "take alone: the walk's load acquires", n, true);
  wrong += with_relaxed<OneToOne>({Order::claim}, "claim alone: the walk's load acquires", n, true);
  wrong += with_relaxed<Abandoning>({Order::recycle}, "claim of a skipped node alone: the walk's load acquires", n, true);
  wrong += with_relaxed<OneToOne>({Order::walk}, "the walk's load alone: the CAS acquires", n, true);
  wrong += with_relaxed<RingTest<1, 2, 2, false, false, 0, 1, false, true>>({Order::cursor_store, Order::cursor_load},
                                                                    "the cursors of a shared handle: they are hints, and the words are seq_cst", n, true);
  std::printf("not as expected: %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}
