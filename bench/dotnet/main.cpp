// The C# library's ring and calls between two processes, beside Strait's own, measured in turns in one run, so that what else the
// machine does meets all of them alike. Prints a line per subject, the median of the rounds, and the ratios. Every message and answer is
// checked.

#include <strait/circular_buffer.hpp>
#include <strait/dotnet/circular_buffer.hpp>
#include <strait/dotnet/rpc_buffer.hpp>
#include <strait/rpc_buffer.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "../peers/unique_name.hpp"
#include "../support/clock.hpp"
#include "../support/in_turns.hpp"

namespace {

using namespace strait::bench;
using namespace std::chrono_literals;
using strait::RingOptions;
using strait::Sharing;
using strait::Status;

struct Message {
  std::uint64_t number;
  std::array<std::uint64_t, 6> filling;
  std::uint64_t complement;
};
static_assert(sizeof(Message) == 64);

// One writer, one reader, 1,024 nodes: messages a second, from the first to the last that was read.
template <class Ring>
double messages(const Settings& settings, const RingOptions& options) {
  const std::string name = unique_name();
  return run_two_sides(settings, true,
             [&](TwoSides& shared) {
               Ring ring(name, 1024, sizeof(Message), options);
               shared.ready = true;
               Message message{};
               for (std::uint64_t i = 0;; ++i) {
                 message.number = i;
                 message.complement = ~i;
                 if (i % 1024 == 0 && shared.over) break;
                 if (ring.write(message, 10s) != Status::ok) throw std::runtime_error("a write failed");
               }
             },
             [&](TwoSides& shared) {
               Ring ring = [&] {
                 if constexpr (std::is_same_v<Ring, strait::dotnet::CircularBuffer>) {
                   return Ring(name, options);
                 } else {
                   return Ring(name);
                 }
               }();
               std::uint64_t next = 0;
               const auto read = [&](int count) {
                 Message message{};
                 for (int i = 0; i < count; ++i, ++next) {
                   if (ring.read(message, 10s) != Status::ok) throw std::runtime_error("a read failed");
                   if (message.number != next || message.complement != ~next) throw std::runtime_error("a wrong message");
                 }
               };
               read(20'000);
               const std::uint64_t first = next, start = now_ns(), end = start + static_cast<std::uint64_t>(settings.length.count()) * 1'000'000;
               std::uint64_t now = start;
               for (; now < end; now = now_ns()) read(1000);
               const double rate = static_cast<double>(next - first) * 1e9 / static_cast<double>(now - start);
               shared.over = true;
               Message rest{};
               while (ring.read(rest, 50ms) == Status::ok) {
               }
               return rate;
             });
}

// A request of 1 KiB and the same back, blocking, one at a time.
template <class Rpc>
double calls(const Settings& settings) {
  const std::string name = unique_name();
  return run_two_sides(settings, true,
             [&](TwoSides& shared) {
               // Whoever comes first is the master.
               Rpc server(name, [](std::uint64_t, std::span<const std::byte> payload) { return payload; });
               shared.ready = true;
               while (!shared.over) std::this_thread::sleep_for(1ms);
             },
             [&](TwoSides&) {
               Rpc caller(name);
               const std::vector<std::byte> message(1024, std::byte{7});
               const auto call = [&] {
                 const auto response = caller.remote_request(message);
                 if (!response || response.data != message) throw std::runtime_error("a call failed: " + response.error);
               };
               for (int i = 0; i < 500; ++i) call();
               std::uint64_t count = 0;
               const std::uint64_t start = now_ns(), end = start + static_cast<std::uint64_t>(settings.length.count()) * 1'000'000;
               std::uint64_t now = start;
               for (; now < end; now = now_ns(), count += 100) {
                 for (int i = 0; i < 100; ++i) call();
               }
               return static_cast<double>(count) * 1e9 / static_cast<double>(now - start);
             });
}

}  // namespace

int main(int argc, char** argv) try {
  const Settings settings = settings_of("strait-bench-dotnet", argc, argv);
  RingOptions one;
  one.writers = one.readers = Sharing::one;
  const InTurns rounds(settings, {
      {"dotnet ring 64 B, one writer, one reader", [&] { return messages<strait::dotnet::CircularBuffer>(settings, one); }},
      {"dotnet ring 64 B, taking turns", [&] { return messages<strait::dotnet::CircularBuffer>(settings, {}); }},
      {"native ring 64 B, open to all", [&] { return messages<strait::CircularBuffer>(settings, {}); }},
      {"dotnet call 1 KiB", [&] { return calls<strait::dotnet::RpcBuffer>(settings); }},
      {"native call 1 KiB", [&] { return calls<strait::RpcBuffer>(settings); }},
  });
  rounds.print("/s");
  if (!settings.only.empty()) return 0;
  rounds.print_ratio("dotnet ring : native ring", "dotnet ring 64 B, one writer, one reader", "native ring 64 B, open to all");
  rounds.print_ratio("dotnet call : native call", "dotnet call 1 KiB", "native call 1 KiB");
} catch (const std::exception& error) {
  std::fprintf(stderr, "strait-bench-dotnet: %s\n", error.what());
  return 1;
}
