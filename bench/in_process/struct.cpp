// What it costs to read and to change a shared struct when nobody is in the way, beside copying an ordinary one.

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include <strait/shared_struct.hpp>

#include "../peers/unique_name.hpp"

namespace {

using strait::bench::unique_name;

template <std::size_t Size>
struct Block {
  std::array<std::uint64_t, Size / 8> words;
};

// The whole value is looked at afterwards, so that it is really copied.
template <std::size_t Size>
void copy_a_plain_struct(benchmark::State& state) {
  const auto plain = std::make_unique<Block<Size>>();
  for (auto _ : state) {
    benchmark::ClobberMemory();
    Block<Size> copy = *plain;
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(copy_a_plain_struct<64>);
BENCHMARK(copy_a_plain_struct<4096>);

template <std::size_t Size>
void load_a_shared_struct(benchmark::State& state) {
  const strait::SharedStruct<Block<Size>> shared(unique_name(), Block<Size>{});
  for (auto _ : state) {
    Block<Size> copy = shared.load();
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(load_a_shared_struct<64>);
BENCHMARK(load_a_shared_struct<4096>);

template <std::size_t Size>
void store_a_shared_struct(benchmark::State& state) {
  strait::SharedStruct<Block<Size>> shared(unique_name(), Block<Size>{});
  Block<Size> value{};
  for (auto _ : state) {
    for (auto& word : value.words) ++word;
    shared.store(value);
  }
}
BENCHMARK(store_a_shared_struct<64>);
BENCHMARK(store_a_shared_struct<4096>);

void set_a_member(benchmark::State& state) {
  struct Two {
    std::uint64_t first;
    std::uint64_t second;
  };
  strait::SharedStruct<Two> shared(unique_name(), Two{});
  std::uint64_t value = 0;
  for (auto _ : state) shared.set(&Two::second, ++value);
}
BENCHMARK(set_a_member);

}  // namespace
