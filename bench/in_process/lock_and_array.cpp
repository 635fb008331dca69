// The reader-writer lock when nobody contends, and a shared array beside an ordinary vector.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include <strait/shared_array.hpp>

#include "../peers/unique_name.hpp"

namespace {

using strait::bench::unique_name;

void write_lock_and_unlock(benchmark::State& state) {
  strait::SharedArray<std::uint64_t> array(unique_name(), 16);
  for (auto _ : state) {
    array.lock();
    array.unlock();
  }
}
BENCHMARK(write_lock_and_unlock);

void read_lock_and_unlock(benchmark::State& state) {
  strait::SharedArray<std::uint64_t> array(unique_name(), 16);
  for (auto _ : state) {
    array.lock_shared();
    array.unlock_shared();
  }
}
BENCHMARK(read_lock_and_unlock);

constexpr std::size_t elements = 4096;

template <class Container>
void walk_and_sum(benchmark::State& state, Container& container) {
  for (std::size_t i = 0; i < elements; ++i) container[i] = i;
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < elements; ++i) sum += container[i];
    benchmark::DoNotOptimize(sum);
    benchmark::ClobberMemory();
    if (sum != elements * (elements - 1) / 2) state.SkipWithError("wrong data");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(elements));
}

void sum_of_a_shared_array(benchmark::State& state) {
  strait::SharedArray<std::uint64_t> array(unique_name(), elements);
  walk_and_sum(state, array);
}
BENCHMARK(sum_of_a_shared_array);

void sum_of_a_vector(benchmark::State& state) {
  std::vector<std::uint64_t> array(elements);
  walk_and_sum(state, array);
}
BENCHMARK(sum_of_a_vector);

void read_64_elements_locked(benchmark::State& state) {
  strait::SharedArray<std::uint64_t> array(unique_name(), elements);
  std::vector<std::uint64_t> out(64);
  for (auto _ : state) {
    array.read(std::span<std::uint64_t>(out), 100);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(read_64_elements_locked);

}  // namespace
