// The lock's own source under weak memory orders. What the lock protects is a plain variable to Relacy: a reader or writer that
// enters without a happens-before from the last writer is reported as a race. Then orders are weakened in turn.

#include "weak.hpp"

#include <strait/lock/rw_lock.hpp>

#include <array>

namespace {

using namespace strait;
using namespace strait::weak;

struct LockState {
  // abandon: exchange to free the word; claim: CAS; walk: its loads.
  Atomic<std::uint32_t, Order::release, Order::walk> word;
  Atomic<std::uint32_t, Order::mend_reader, Order::look, Order::count> readers[3];
};

class LockMemory {
 public:
  explicit LockMemory(LockState& state) : state_(&state) {}
  auto& lock() { return state_->word; }
  auto& readers(Seat seat) { return state_->readers[seat]; }
  Seat seat_count() const { return 3; }
  void wake(layout::SignalName) {}

 private:
  LockState* state_;
};

template <int Readers, int Writers>
struct LockTest : rl::test_suite<LockTest<Readers, Writers>, Readers + Writers> {
  LockState state;
  rl::var<int> data;

  void before() {
    state.word.store(0, std::memory_order_relaxed);
    for (auto& one : state.readers) one.store(0, std::memory_order_relaxed);
    data($) = 0;
  }
  void thread(unsigned index) {
    lock::RwLock<LockMemory> lock{LockMemory(state)};
    if (index < Readers) {
      for (int tries = 0; tries < 3; ++tries) {
        if (lock.try_lock_shared(index)) {
          const int seen = data($);
          RL_ASSERT(seen >= 0);
          return lock.unlock_shared(index);
        }
        rl::yield(1, $);
      }
    } else {
      while (!lock.try_take_word(index)) rl::yield(1, $);
      Seat next = 0;
      while ((next = lock.next_reader(next)) != 3) rl::yield(1, $);
      data($) = data($) + 1;
      lock.unlock();
    }
  }
  void after() { RL_ASSERT(data($) == Writers); }
};

// A writer dies in its section; the mender frees the word and marks it; the next writer is told, and sees what was written.
struct DeadWriter : rl::test_suite<DeadWriter, 3> {
  LockState state;
  rl::var<int> data;
  rl::atomic<int> dead;

  void before() {
    state.word.store(0, std::memory_order_relaxed);
    for (auto& one : state.readers) one.store(0, std::memory_order_relaxed);
    data($) = 0;
    dead.store(0, rl::mo_relaxed, $);
  }
  void thread(unsigned index) {
    lock::RwLock<LockMemory> lock{LockMemory(state)};
    if (index == 0) {
      if (lock.try_take_word(0)) data($) = 1;
      dead.store(1, rl::mo_release, $);
    } else if (index == 1) {
      while (dead.load(rl::mo_acquire, $) == 0) rl::yield(1, $);
      lock.mend(0);
    } else {
      while (dead.load(rl::mo_relaxed, $) == 0) rl::yield(1, $);
      while (!lock.try_take_word(2)) rl::yield(1, $);
      RL_ASSERT(lock.is_abandoned());
      data($) = 2;
      lock.unlock();
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
  std::puts("the lock");
  wrong += check<LockTest<2, 1>>("2 readers, 1 writer", n, Search::random, true);
  wrong += check<LockTest<1, 2>>("1 reader, 2 writers", n, Search::random, true);
  wrong += check<LockTest<1, 1>>("1 reader, 1 writer, up to 3 switches, to the end", 20 * n, Search::bound, true);
  wrong += check<DeadWriter>("a writer dies and is mended", n, Search::random, true);
  std::puts("orders weakened to relaxed: a failure must be found");
  wrong += with_relaxed<LockTest<1, 2>>({Order::release}, "unlock", n);
  wrong += with_relaxed<LockTest<1, 1>>({Order::walk}, "a reader's look at the word", n);
  wrong += with_relaxed<LockTest<1, 1>>({Order::look}, "a writer's look at the counts", n);
  wrong += with_relaxed<LockTest<1, 1>>({Order::count}, "a reader's count", n);
  std::printf("not as expected: %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}
