#pragma once
// The algorithms' own source under Relacy, which explores what weak memory orders allow: an atomic that hands every operation
// with its order to rl::atomic, and the ring's memory made of it. One order at a time may be weakened, to see that it is missed.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <type_traits>

#include <relacy/relacy.hpp>
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdollar-in-identifier-extension"  // Relacy's `$`: where an operation stands
#endif
// Relacy replaces these names by macros of its own, for programs that are written for it.
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef new
#undef delete
#undef errno

#include <strait/layout/node_word.hpp>
#include <strait/ring/ring.hpp>

namespace strait::weak {

using layout::NodeWord;
using layout::Phase;
using layout::Seat;

// The places where an order can be weakened to relaxed.
enum class Order {
  none,
  claim,           // CAS free -> claimed
  recycle,         // CAS skipped -> claimed
  publish,         // store claimed -> published
  abandon,         // exchange claimed -> skipped
  take,            // CAS published -> reading
  release,         // store reading -> free
  put_back,        // exchange reading -> published
  skip,            // a reader's CAS skipped -> free (relaxed already)
  walk,            // the load at each step of a walk: an exclusive side takes by it
  count,           // given_back: the add
  look,            // given_back: the load
  mend_writer,     // CAS claimed -> skipped
  mend_reader,     // CAS reading -> published
  cursor_store,    // of threads that share a handle
  cursor_load
};

inline unsigned weakened = 0;  // a set

inline void weaken(Order order) { weakened |= 1u << static_cast<unsigned>(order); }
inline bool is_weakened(Order order) { return (weakened >> static_cast<unsigned>(order) & 1u) != 0; }

inline rl::memory_order relacy_order(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed: return rl::mo_relaxed;
    case std::memory_order_consume: return rl::mo_consume;
    case std::memory_order_acquire: return rl::mo_acquire;
    case std::memory_order_release: return rl::mo_release;
    case std::memory_order_acq_rel: return rl::mo_acq_rel;
    case std::memory_order_seq_cst: return rl::mo_seq_cst;
  }
  return rl::mo_seq_cst;
}

// An atomic of the algorithm. Base orders are the source's; `Which` says which operation may be weakened.
template <class T, Order Store = Order::none, Order Load = Order::none, Order Add = Order::none>
class Atomic {
 public:
  T load(std::memory_order order) const { return value_.load(weak(Load, order), $); }
  void store(T value, std::memory_order order) { value_.store(value, weak(Store, order), $); }
  T exchange(T value, std::memory_order order) { return value_.exchange(value, weak(Store, order), $); }
  T fetch_add(T by, std::memory_order order) { return value_.fetch_add(by, weak(Add, order), $); }
  T fetch_sub(T by, std::memory_order order) { return value_.fetch_sub(by, weak(Add, order), $); }
  T fetch_or(T bits, std::memory_order order) { return value_.fetch_or(bits, weak(Add, order), $); }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure) {
    return value_.compare_exchange_strong(expected, desired, weak(Store, success), $, relacy_order(failure), $);
  }

 private:
  static rl::memory_order weak(Order which, std::memory_order order) {
    return is_weakened(which) ? rl::mo_relaxed : relacy_order(order);
  }
  mutable rl::atomic<T> value_;
};

// What only one thread touches.
template <class T>
class Private {
 public:
  T load(std::memory_order) const { return value_; }
  void store(T value, std::memory_order) { value_ = value; }

 private:
  T value_{};
};

// A node's word: which of its operations this is follows from the phases. Writers are the threads that call `exchange` for a
// publish; a put back is told apart by what the word held, which only its holder changes.
class Word {
 public:
  std::uint64_t load(std::memory_order order) const {
    return value_.load(is_weakened(Order::walk) ? rl::mo_relaxed : relacy_order(order), $);
  }
  void store(std::uint64_t value, std::memory_order order) { value_.store(value, relacy_order(order), $); }
  // Publish and release: a store, where sleepers fence (that fence is tests/model's business).
  void hand_on(std::uint64_t value) {
    const Order which = NodeWord{value}.phase() == Phase::free ? Order::release : Order::publish;
    value_.store(value, is_weakened(which) ? rl::mo_relaxed : rl::mo_release, $);
  }
  std::uint64_t exchange(std::uint64_t value, std::memory_order order) {
    const Phase to = NodeWord{value}.phase();
    const Order which = to == Phase::skipped ? Order::abandon
                        : to == Phase::free  ? Order::release
                        : is_reader          ? Order::put_back
                                             : Order::publish;
    return value_.exchange(value, is_weakened(which) ? rl::mo_relaxed : relacy_order(order), $);
  }
  bool compare_exchange_strong(std::uint64_t& expected, std::uint64_t desired, std::memory_order success, std::memory_order failure) {
    const Phase from = NodeWord{expected}.phase();
    const Phase to = NodeWord{desired}.phase();
    const Order which = to == Phase::claimed     ? (from == Phase::free ? Order::claim : Order::recycle)
                        : to == Phase::reading   ? Order::take
                        : to == Phase::free      ? (success == std::memory_order_relaxed ? Order::skip : Order::recycle)
                        : from == Phase::claimed ? Order::mend_writer
                                                 : Order::mend_reader;
    return value_.compare_exchange_strong(expected, desired, is_weakened(which) ? rl::mo_relaxed : relacy_order(success), $, relacy_order(failure), $);
  }

  // Set by each thread before it calls, and read before the call's first switch.
  static inline bool is_reader = false;

 private:
  mutable rl::atomic<std::uint64_t> value_;
};

struct Words {
  static constexpr std::uint64_t nodes = 2;
  Word node[nodes];
  Atomic<std::uint64_t, Order::none, Order::look, Order::count> given_back;

  void reset() {
    for (std::uint64_t i = 0; i < nodes; ++i) node[i].store(NodeWord::of(layout::lap_mask, Phase::free).bits, std::memory_order_relaxed);
    given_back.store(0, std::memory_order_relaxed);
  }
};

// The ring's memory policy; `shared`: threads share its cursors.
template <bool shared>
class Memory {
 public:
  template <class T>
  using Atomic = std::conditional_t<shared, weak::Atomic<T, Order::cursor_store, Order::cursor_load>, Private<T>>;

  explicit Memory(Words& words) : words_(&words) {}
  std::uint64_t node_count() const noexcept { return Words::nodes; }
  Word& word(std::uint64_t index) noexcept { return words_->node[index]; }
  auto& given_back() noexcept { return words_->given_back; }
  void hand_on(std::uint64_t index, std::uint64_t bits) noexcept { word(index).hand_on(bits); }
  void about_to_write(std::uint64_t) const noexcept {}
  void about_to_read(std::uint64_t, bool) const noexcept {}

 private:
  Words* words_;
};

enum class Search { random, full, bound };

// Runs a test; 0 if it ended as expected. `must_hold`: no schedule may fail; otherwise one must be found that does.
template <class Test>
int check(const char* name, std::uint64_t iterations, Search search, bool must_hold) {
  rl::test_params params;
  params.iteration_count = static_cast<rl::iteration_t>(iterations);
  params.search_type = search == Search::random ? rl::sched_random : search == Search::full ? rl::sched_full : rl::sched_bound;
  params.context_bound = 3;
  params.execution_depth_limit = 4000;
  static std::ofstream nowhere("/dev/null");
  params.output_stream = &nowhere;
  params.progress_stream = &nowhere;
  const bool held = rl::simulate<Test>(params);
  std::printf("  %-76s %9llu iterations  %s%s\n", name, static_cast<unsigned long long>(params.stop_iteration),
              held ? "no failure" : rl::test_result_str(params.test_result), held == must_hold ? "" : "   <-- NOT AS EXPECTED");
  std::fflush(stdout);
  return held == must_hold ? 0 : 1;
}

// STRAIT_RELACY_ITERATIONS: random schedules for each ring (default as given).
inline std::uint64_t iterations(std::uint64_t otherwise) {
  const char* const text = std::getenv("STRAIT_RELACY_ITERATIONS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace strait::weak
