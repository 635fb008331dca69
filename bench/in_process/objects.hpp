// What the in-process benchmarks share.

#pragma once

#include <benchmark/benchmark.h>

#include <stdexcept>

#include <strait/circular_buffer.hpp>

#include "../peers/unique_name.hpp"

namespace strait::bench {

constexpr std::size_t batch = 512;  // operations between two looks at the clock

inline CircularBuffer make_ring(Sharing side, WaitPolicy wait = {}) {
  RingOptions options;
  options.writers = options.readers = side;
  options.wait = wait;
  return CircularBuffer(unique_name(), 1024, 64, options);
}

inline void must_be_ok(Status status) {
  if (status != Status::ok) throw std::runtime_error("a call that cannot fail here failed");
}

/// The times shown are those of one operation of the batch.
inline void per_operation(benchmark::State& state) {
  state.counters["each"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(batch), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

}  // namespace strait::bench
