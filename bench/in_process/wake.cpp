// What a writer pays for waking: nothing when nobody sleeps, a system call when somebody does. The sleeper is another thread,
// given time to fall asleep before each measured write.

#include <benchmark/benchmark.h>

#include <chrono>
#include <thread>

#include "objects.hpp"

namespace {

using namespace strait::bench;
using namespace std::chrono_literals;

template <bool Sleeper>
void write_with_and_without_a_sleeper(benchmark::State& state) {
  auto ring = make_ring(strait::Sharing::many, {.spin = 0ns});
  std::jthread sleeper;
  if constexpr (Sleeper)
    sleeper = std::jthread([&ring](std::stop_token stop) {
      std::uint64_t value = 0;
      while (!stop.stop_requested()) (void)ring.read(value, 100ms);
    });
  std::uint64_t value = 0;
  for (auto _ : state) {
    if constexpr (Sleeper) std::this_thread::sleep_for(300us);
    const auto start = std::chrono::steady_clock::now();
    must_be_ok(ring.write(++value, 1s));
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if constexpr (!Sleeper) must_be_ok(ring.read(value, strait::no_wait));
  }
}
BENCHMARK(write_with_and_without_a_sleeper<false>)->Name("write, nobody asleep (with the clock)")->UseManualTime();
BENCHMARK(write_with_and_without_a_sleeper<true>)->Name("write, a reader asleep (with the clock)")->UseManualTime();

void reading_the_clock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(std::chrono::steady_clock::now());
}
BENCHMARK(reading_the_clock);

}  // namespace
