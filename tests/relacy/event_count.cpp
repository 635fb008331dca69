// The signal's own source under weak memory orders, all schedules: of a waiter and a waker at least one sees the other, or the
// waiter sleeps for ever on a change that has happened.

#include "weak.hpp"

#include <strait/wait/signal.hpp>

namespace {

using namespace strait::weak;

// Which of the four orders is weakened: the state change, the look at the signal, the announcement, the second look.
using State = Atomic<std::uint32_t, Order::publish, Order::walk>;
using Signal = Atomic<std::uint32_t, Order::none, Order::look, Order::count>;

// Sleeps while the word is as announced. What the kernel does in one step under its lock is one step here: no atomic of ours
// lies between the look at the word and the sleep.
struct Sleepers {
  bool sleeps[2] = {false, false};
  std::uint32_t on[2] = {0, 0};
  void wake_all(Signal&, std::uint32_t) { sleeps[0] = sleeps[1] = false; }
};

// One change, one waiter; then two changes by two wakers and two waiters of one each.
template <int Wakers, int Waiters>
struct EventCount : rl::test_suite<EventCount<Wakers, Waiters>, Wakers + Waiters> {
  State state;
  Signal signal;
  rl::atomic<std::uint32_t> kernel;  // the kernel's own look at the word happens in its lock's order
  Sleepers sleepers;

  void before() {
    state.store(0, std::memory_order_relaxed);
    signal.store(0, std::memory_order_relaxed);
    sleepers = {};
  }
  bool attempt() {
    std::uint32_t seen = state.load(std::memory_order_seq_cst);
    while (seen != 0) {
      if (state.compare_exchange_strong(seen, seen - 1, std::memory_order_seq_cst, std::memory_order_seq_cst)) return true;
    }
    return false;
  }
  void thread(unsigned index) {
    if (index < Wakers) {
      if constexpr (Wakers == 1) {
        state.exchange(1, std::memory_order_seq_cst);
      } else {
        state.fetch_add(1, std::memory_order_seq_cst);
      }
      strait::wait::wake(signal, sleepers);
    } else {
      const unsigned me = index - Wakers;
      if (attempt()) return;
      const std::uint32_t announced = strait::wait::announce(signal);
      if (attempt()) return;
      // FUTEX_WAIT compares in the word's own order: a read-modify-write sees the latest value.
      if (signal.fetch_or(0, std::memory_order_seq_cst) == announced) sleepers.sleeps[me] = true;
    }
  }
  void after() {
    const bool somebody_sleeps = sleepers.sleeps[0] || sleepers.sleeps[1];
    RL_ASSERT(!(somebody_sleeps && state.load(std::memory_order_seq_cst) != 0));
  }
};

template <class Test>
int with_relaxed(Order order, const char* name, bool must_hold = false) {
  weaken(order);
  const int wrong = check<Test>(name, 50'000'000, Search::full, must_hold);
  weakened = 0;
  return wrong;
}

}  // namespace

int main() {
  int wrong = 0;
  std::puts("the signal, all schedules");
  wrong += check<EventCount<1, 1>>("a waker, a waiter", 50'000'000, Search::full, true);
  wrong += check<EventCount<1, 2>>("a waker, 2 waiters, at random", iterations(200'000), Search::random, true);
  wrong += check<EventCount<2, 2>>("2 wakers, 2 waiters, at random", iterations(200'000), Search::random, true);
  std::puts("an order weakened to relaxed: a failure must be found");
  wrong += with_relaxed<EventCount<1, 1>>(Order::publish, "the state change");
  wrong += with_relaxed<EventCount<1, 1>>(Order::look, "the look at the signal");
  wrong += with_relaxed<EventCount<1, 1>>(Order::count, "the announcement");
  wrong += with_relaxed<EventCount<1, 1>>(Order::walk, "the second look");
  std::printf("not as expected: %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}
