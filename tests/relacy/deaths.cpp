// The ring under weak memory orders with a death at any step. One party of three dies at a step that Relacy chooses, with whatever it has in
// its hands; a survivor learns of it from the system and mends, while the others go on. Nothing that was acknowledged is lost, a
// message is read twice only if its reader died, and no node stays with the dead. (Weakened orders: ring.cpp, with scripted deaths.)

#include "weak.hpp"

#include <array>
#include <csetjmp>

namespace {

using namespace strait;
using namespace strait::weak;
using ring::Found;
using ring::Position;

// Counts the steps of the party that dies, and ends it at the chosen one. Threads of Relacy are fibers: each has its own.
struct Doom {
  int steps_left = -1;
  std::jmp_buf end;
};

// The words, each operation of which is a step at which its party may die: before it, with all that came earlier done.
class MortalWord {
 public:
  explicit MortalWord(Word& word, Doom* doom) : word_(&word), doom_(doom) {}
  std::uint64_t load(std::memory_order order) const { return step(), word_->load(order); }
  std::uint64_t exchange(std::uint64_t value, std::memory_order order) { return step(), word_->exchange(value, order); }
  bool compare_exchange_strong(std::uint64_t& expected, std::uint64_t desired, std::memory_order success, std::memory_order failure) {
    return step(), word_->compare_exchange_strong(expected, desired, success, failure);
  }
  void hand_on(std::uint64_t value) { step(), word_->hand_on(value); }

 private:
  void step() const {
    if (doom_ != nullptr && doom_->steps_left >= 0 && doom_->steps_left-- == 0) std::longjmp(doom_->end, 1);
  }
  Word* word_;
  Doom* doom_;
};

class MortalMemory {
 public:
  template <class T>
  using Atomic = Private<T>;

  MortalMemory(Words& words, Doom* doom) : words_(&words), mortal_{MortalWord(words.node[0], doom), MortalWord(words.node[1], doom)} {}
  std::uint64_t node_count() const noexcept { return Words::nodes; }
  MortalWord& word(std::uint64_t index) noexcept { return mortal_[index]; }
  auto& given_back() noexcept { return words_->given_back; }
  void hand_on(std::uint64_t index, std::uint64_t bits) noexcept { word(index).hand_on(bits); }
  void about_to_write(std::uint64_t) const noexcept {}
  void about_to_read(std::uint64_t, bool) const noexcept {}

 private:
  Words* words_;
  std::array<MortalWord, Words::nodes> mortal_;
};

// W writers of M messages each, R readers; party `Victim` dies.
template <int W, int R, int M, unsigned Victim>
struct DeathTest : rl::test_suite<DeathTest<W, R, M, Victim>, W + R> {
  using Ring = ring::Ring<MortalMemory>;
  static constexpr unsigned most_steps = 12;

  Words words;
  rl::var<int> payload[Words::nodes];
  rl::atomic<int> dead;            // 1: dead, 2: somebody mends it, 3: mended
  rl::atomic<int> writers_at_work;
  std::array<int, W * M> written{};  // acknowledged
  std::array<int, W * M> read{};
  Doom doom;

  void before() {
    words.reset();
    for (auto& one : payload) one($) = -1;
    dead.store(0, rl::mo_relaxed, $);
    writers_at_work.store(W, rl::mo_relaxed, $);
    written.fill(0);
    read.fill(0);
    doom.steps_left = -1;
  }

  // Survivors: once, by one of them, as liveness/repair.hpp does it.
  void mend_the_dead(Ring& ring) {
    int expected = 1;
    if (dead.load(rl::mo_relaxed, $) != 1 || !dead.compare_exchange_strong(expected, 2, rl::mo_acquire, $)) return;
    Word::is_reader = false;
    ring.mend(Victim);
    words.given_back.fetch_add(1, std::memory_order_seq_cst);
    if (Victim < W) writers_at_work.fetch_sub(1, rl::mo_release, $);
    dead.store(3, rl::mo_release, $);
  }

  void write(Ring& ring, Seat me) {
    ring::WriterCursor<MortalMemory> cursor;
    ring.start(cursor);
    for (int done = 0; done < M;) {
      Word::is_reader = false;
      if (me != Victim) mend_the_dead(ring);
      const auto attempt = ring.try_claim(cursor, me);
      if (attempt.found != Found::node) {
        rl::yield(1, $);
        continue;
      }
      const int value = static_cast<int>(me) * M + done++;
      payload[attempt.at.index]($) = value;
      Word::is_reader = false;
      ring.publish(attempt.at);
      written[static_cast<std::size_t>(value)] = 1;
    }
    writers_at_work.fetch_sub(1, rl::mo_release, $);
  }

  void take_all(Ring& ring, Seat me) {
    ring::ReaderCursor<MortalMemory> cursor;
    ring.start(cursor);
    for (;;) {
      if (me != Victim) mend_the_dead(ring);
      // All writers have ended, and whoever died was mended, before a walk that finds nothing: the end.
      const bool ended = writers_at_work.load(rl::mo_acquire, $) == 0;
      const int death = dead.load(rl::mo_acquire, $);
      const auto attempt = ring.try_take(cursor, me);
      if (attempt.found != Found::node) {
        if (ended && death != 1 && death != 2 && attempt.found == Found::none && all_read()) return;
        rl::yield(1, $);
        continue;
      }
      const int value = payload[attempt.at.index]($);
      RL_ASSERT(value >= 0 && value < W * M);
      ++read[static_cast<std::size_t>(value)];
      ring.release(attempt.at);
    }
  }

  // Relacy runs one thread at a time: these plain counts are the test's own.
  bool all_read() const {
    for (std::size_t i = 0; i < read.size(); ++i) {
      if (written[i] != 0 && read[i] == 0) return false;
    }
    return true;
  }

  void thread(unsigned index) {
    const bool is_victim = index == Victim;
    if (is_victim) {
      doom.steps_left = static_cast<int>(rl::rand(most_steps));
      if (setjmp(doom.end) != 0) {
        doom.steps_left = -1;
        dead.store(1, rl::mo_release, $);  // the system tells it after everything that it did
        return;
      }
    }
    Ring ring{MortalMemory(words, is_victim ? &doom : nullptr)};
    if (index < W) {
      write(ring, index);
    } else {
      take_all(ring, index);
    }
    if (is_victim) doom.steps_left = -1;
  }

  void after() {
    // It died when the others had ended: whoever opens the ring next mends it.
    if (dead.load(rl::mo_relaxed, $) == 1) {
      Ring ring{MortalMemory(words, nullptr)};
      ring.mend(Victim);
    }
    for (std::size_t i = 0; i < read.size(); ++i) {
      RL_ASSERT(written[i] == 0 || read[i] >= 1);
      RL_ASSERT(read[i] <= (Victim >= W ? 2 : 1));
    }
    for (auto& word : words.node) {
      const NodeWord seen{word.load(std::memory_order_relaxed)};
      RL_ASSERT(seen.seat() == layout::nobody);
    }
  }
};

}  // namespace

int main() {
  const std::uint64_t n = iterations(100'000);
  int wrong = 0;
  std::puts("the ring, 2 nodes, from just before the laps wrap, one party dies at any step");
  wrong += check<DeathTest<2, 1, 2, 0>>("2 writers, 1 reader: a writer dies", n, Search::random, true);
  wrong += check<DeathTest<1, 2, 3, 1>>("1 writer, 2 readers: a reader dies", n, Search::random, true);
  wrong += check<DeathTest<1, 2, 3, 0>>("1 writer, 2 readers: the writer dies", n, Search::random, true);
  std::printf("not as expected: %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}
