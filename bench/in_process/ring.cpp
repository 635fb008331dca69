// What one operation of the ring costs when nobody is in its way: one thread writes and reads by turns, so every node is in the
// first cache and no call waits.

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "../support/message.hpp"
#include "objects.hpp"

namespace {

using namespace strait::bench;
using strait::Sharing;

template <Sharing Side>
void claim_and_publish(benchmark::State& state) {
  auto ring = make_ring(Side);
  Message message;
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch; ++i) {
      auto claim = ring.claim(strait::no_wait);
      std::memcpy(claim.bytes().data(), &message, sizeof message);
      claim.publish(sizeof message);
    }
    state.PauseTiming();
    for (std::size_t i = 0; i < batch; ++i) ring.take(strait::no_wait);
    state.ResumeTiming();
  }
  per_operation(state);
}
BENCHMARK(claim_and_publish<Sharing::many>);
BENCHMARK(claim_and_publish<Sharing::one>);

template <Sharing Side>
void take_and_release(benchmark::State& state) {
  auto ring = make_ring(Side);
  Message message;
  for (auto _ : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < batch; ++i) must_be_ok(ring.write(message, strait::no_wait));
    state.ResumeTiming();
    for (std::size_t i = 0; i < batch; ++i) {
      auto taken = ring.take(strait::no_wait);
      benchmark::DoNotOptimize(taken.bytes().data());
    }
  }
  per_operation(state);
}
BENCHMARK(take_and_release<Sharing::many>);
BENCHMARK(take_and_release<Sharing::one>);

template <Sharing Side>
void write_and_read_64_bytes(benchmark::State& state) {
  auto ring = make_ring(Side);
  Message sent, received;
  std::uint64_t number = 0, wrong = 0;
  for (auto _ : state) {
    sent.stamp(number);
    must_be_ok(ring.write(sent, strait::no_wait));
    must_be_ok(ring.read(received, strait::no_wait));
    wrong |= received.wrong(number++);
  }
  if (wrong != 0) state.SkipWithError("wrong data");
}
BENCHMARK(write_and_read_64_bytes<Sharing::many>);
BENCHMARK(write_and_read_64_bytes<Sharing::one>);

void look_at_an_empty_ring(benchmark::State& state) {
  auto ring = make_ring(Sharing::many);
  Message message;
  for (auto _ : state) benchmark::DoNotOptimize(ring.read(message, strait::no_wait));
}
BENCHMARK(look_at_an_empty_ring);

void write_and_read_1_mib(benchmark::State& state) {
  strait::CircularBuffer ring(unique_name(), 20, std::size_t{1} << 20);
  std::vector<std::byte> from(std::size_t{1} << 20, std::byte{1}), to(from.size());
  for (auto _ : state) {
    must_be_ok(ring.write(std::span<const std::byte>(from), strait::no_wait));
    must_be_ok(ring.read(std::span<std::byte>(to), strait::no_wait).status);
    from.front() = static_cast<std::byte>(state.iterations());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
}
BENCHMARK(write_and_read_1_mib);

}  // namespace
