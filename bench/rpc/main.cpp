// Calls between two processes: Strait's RpcBuffer and what bounds it, measured in turns in one run, so that what else the machine
// does meets all of them alike. Prints a line per subject, the median of the rounds, and the ratios.

#include <strait/rpc_buffer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <future>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../peers/unique_name.hpp"
#include "../support/clock.hpp"
#include "../support/in_turns.hpp"
#include "../support/process.hpp"
#include "../support/shared_region.hpp"
#include "../support/statistics.hpp"
#include "bare_channel.hpp"

namespace {

using namespace strait::bench;
using namespace std::chrono_literals;

template <class F>
double rate_of(std::chrono::milliseconds length, int batch, F call) {
  for (int i = 0; i < batch; ++i) call();
  std::uint64_t count = 0;
  const std::uint64_t start = now_ns(), end = start + static_cast<std::uint64_t>(length.count()) * 1'000'000;
  std::uint64_t now = start;
  while (now < end) {
    for (int i = 0; i < batch; ++i) call();
    count += static_cast<std::uint64_t>(batch);
    now = now_ns();
  }
  return static_cast<double>(count) * 1e9 / static_cast<double>(now - start);
}

// ---- limits ------------------------------------------------------------------------------------------------------------------

double bare_calls(const Settings& settings, std::size_t bytes) {
  BareRing there(10, bytes), back(10, bytes);  // as many as RpcBuffer has by default
  return run_two_sides(settings, true,
             [&](TwoSides& shared) {
               std::vector<std::byte> message(bytes);
               shared.ready = true;
               for (;;) {
                 there.read(message.data());
                 const bool last = message[0] == std::byte{1};
                 back.write(message.data());
                 if (last) break;
               }
             },
             [&](TwoSides&) {
               std::vector<std::byte> message(bytes), reply(bytes);
               const double rate = rate_of(settings.length, 100, [&] {
                 there.write(message.data());
                 back.read(reply.data());
               });
               message[0] = std::byte{1};
               there.write(message.data());
               back.read(reply.data());
               return rate;
             });
}

// Copied in by one side and out by the other, which never waits for an answer; each message in so many slices of so many bytes.
double pipelined_copies(const Settings& settings, std::size_t bytes, std::size_t slices = 1) {
  BareRing there(10, bytes);
  return run_two_sides(settings, true,
             [&](TwoSides& shared) {
               std::vector<std::byte> message(bytes * slices);
               shared.ready = true;
               do {
                 for (std::size_t i = 0; i < slices; ++i) there.read(message.data() + i * bytes);
               } while (message[0] != std::byte{1});
             },
             [&](TwoSides&) {
               std::vector<std::byte> message(bytes * slices);
               const auto write = [&] {
                 for (std::size_t i = 0; i < slices; ++i) there.write(message.data() + i * bytes);
               };
               const double rate = rate_of(settings.length, 20, write);
               message[0] = std::byte{1};
               write();
               return rate;
             });
}

// ---- Strait ------------------------------------------------------------------------------------------------------------------

struct Calls {
  std::size_t request = 1024;
  std::size_t capacity = 50'000;
  std::size_t nodes = 10;
  bool echo = true;     // or a reply of 8 bytes
  unsigned threads = 1;
  unsigned window = 0;  // so many under way at a time, by futures; 0: blocking
  int batch = 100;
};

double strait_calls(const Settings& settings, const Calls& calls) {
  const std::string name = unique_name();
  strait::RpcOptions options;
  options.buffer_capacity = calls.capacity;
  options.node_count = calls.nodes;
  return run_two_sides(settings, calls.threads == 1,
             [&](TwoSides& shared) {
               const auto serve = [&](auto handler) {
                 strait::RpcBuffer buffer(name, handler, options);
                 shared.ready = true;
                 while (!shared.over) std::this_thread::sleep_for(1ms);
               };
               if (calls.echo) {
                 serve([](std::uint64_t, std::span<const std::byte> payload) { return payload; });
               } else {
                 serve([](std::uint64_t, std::span<const std::byte> payload) { return payload.size(); });
               }
             },
             [&](TwoSides&) {
               strait::RpcBuffer buffer(name, options);
               const auto check = [&](const strait::RpcResponse& response) {
                 if (!response || response.data.size() != (calls.echo ? calls.request : sizeof(std::size_t))) throw std::runtime_error("a call failed: " + response.error);
               };
               const auto one_thread = [&] {
                 const std::vector<std::byte> message(calls.request);
                 if (calls.window == 0) return rate_of(settings.length, calls.batch, [&] { check(buffer.remote_request(message)); });
                 std::deque<std::future<strait::RpcResponse>> under_way;
                 return rate_of(settings.length, calls.batch, [&] {
                   under_way.push_back(buffer.remote_request_async(message));
                   if (under_way.size() < calls.window) return;
                   check(under_way.front().get());
                   under_way.pop_front();
                 });
               };
               if (calls.threads == 1) return one_thread();
               // All of them until the time is over, whoever gets a processor when: calls by all, over the time of all.
               std::atomic<std::uint64_t> count{0};
               const std::uint64_t start = now_ns(), end = start + static_cast<std::uint64_t>(settings.length.count()) * 1'000'000;
               {
                 std::vector<std::jthread> threads;
                 for (unsigned i = 0; i < calls.threads; ++i) {
                   threads.emplace_back([&] {
                     const std::vector<std::byte> message(calls.request);
                     while (now_ns() < end) {
                       check(buffer.remote_request(message));
                       ++count;
                     }
                   });
                 }
               }
               return static_cast<double>(count) * 1e9 / static_cast<double>(now_ns() - start);
             });
}

// How long after the SIGKILL of the process whose handler it runs a blocking call ends with peer_lost, in milliseconds.
double milliseconds_to_notice_a_death() {
  struct Common {
    std::atomic<bool> serving{false}, over{false};
    std::atomic<std::uint64_t> ended_at{0};
  };
  strait::bench::Shared<Common> common;
  const std::string name = unique_name();
  const auto until = [](const std::atomic<bool>& flag) {
    while (!flag) std::this_thread::sleep_for(100us);
  };
  Process server([&] {
    const strait::RpcBuffer buffer(name, [&](std::uint64_t, std::span<const std::byte>) {
      common->serving = true;
      until(common->over);
    });
    until(common->over);
  });
  Process client([&] {
    strait::RpcBuffer buffer(name);
    const auto outcome = buffer.remote_request({}, 30s).outcome;
    common->ended_at = now_ns();
    if (outcome != strait::RpcOutcome::peer_lost) std::printf("the call ended otherwise\n");
    common->over = true;
  });
  until(common->serving);
  std::this_thread::sleep_for(std::chrono::microseconds(now_ns() % 50'000));  // anywhere in a slice
  const auto killed_at = now_ns();
  server.kill();
  until(common->over);
  return static_cast<double>(common->ended_at - killed_at) / 1e6;
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings = settings_of("strait-bench-rpc", argc, argv);
  if (settings.realtime) settings.pause = 10ms;

  constexpr std::size_t large = 512 * 1024;
  const InTurns rounds(settings, {
      {"bare 1 KiB", [&] { return bare_calls(settings, 1024); }},
      {"strait 1 KiB", [&] { return strait_calls(settings, {}); }},
      {"strait 1 KiB, 8 threads", [&] { return strait_calls(settings, {.threads = 8}); }},
      {"strait 1 KiB, 16 under way", [&] { return strait_calls(settings, {.window = 16}); }},
      {"pipelined copies 512 KiB", [&] { return pipelined_copies(settings, large); }},
      {"pipelined copies 512 KiB, 11 slices", [&] { return pipelined_copies(settings, large / 11 / 8 * 8, 11); }},
      {"strait 512 KiB, one packet", [&] { return strait_calls(settings, {.request = large, .capacity = 1 << 20, .echo = false, .batch = 10}); }},
      {"strait 512 KiB, one packet, 4 under way",
       [&] { return strait_calls(settings, {.request = large, .capacity = 1 << 20, .echo = false, .window = 4, .batch = 10}); }},
      {"strait 512 KiB, 11 packets", [&] { return strait_calls(settings, {.request = large, .echo = false, .batch = 10}); }},
      {"strait 512 KiB, 11 packets, 110 nodes", [&] { return strait_calls(settings, {.request = large, .nodes = 110, .echo = false, .batch = 10}); }},
      {"strait 512 KiB, 11 packets, 110 nodes, 4 under way", [&] { return strait_calls(settings, {.request = large, .nodes = 110, .echo = false, .window = 4, .batch = 10}); }},
      {"strait 512 KiB, 11 packets, 4 under way", [&] { return strait_calls(settings, {.request = large, .echo = false, .window = 4, .batch = 10}); }},
  });
  rounds.print("calls/s");
  if (!settings.only.empty()) return 0;
  std::vector<double> deaths;
  for (int i = 0; i < 6 * settings.rounds; ++i) deaths.push_back(milliseconds_to_notice_a_death());
  std::printf("peer_lost after a SIGKILL                  %12.1f ms        (%.1f .. %.1f, %zu deaths)\n", median(deaths), *std::min_element(deaths.begin(), deaths.end()),
              *std::max_element(deaths.begin(), deaths.end()), deaths.size());
  rounds.print_ratio("1 KiB call : bare call", "strait 1 KiB", "bare 1 KiB");
  rounds.print_ratio("8 threads : one thread", "strait 1 KiB, 8 threads", "strait 1 KiB");
  rounds.print_ratio("512 KiB, one packet : copies", "strait 512 KiB, one packet", "pipelined copies 512 KiB");
  rounds.print_ratio("512 KiB, one packet, 4 under way : copies", "strait 512 KiB, one packet, 4 under way", "pipelined copies 512 KiB");
  rounds.print_ratio("512 KiB, 11 packets : copies in 11 slices", "strait 512 KiB, 11 packets", "pipelined copies 512 KiB, 11 slices");
  rounds.print_ratio("11 slices copied : one", "pipelined copies 512 KiB, 11 slices", "pipelined copies 512 KiB");
  rounds.print_ratio("11 packets : one packet", "strait 512 KiB, 11 packets", "strait 512 KiB, one packet");
  rounds.print_ratio("11 packets, 110 nodes : one packet", "strait 512 KiB, 11 packets, 110 nodes", "strait 512 KiB, one packet");
  rounds.print_ratio("the last two, 4 under way", "strait 512 KiB, 11 packets, 4 under way", "strait 512 KiB, one packet, 4 under way");
  rounds.print_ratio("", "strait 512 KiB, 11 packets, 110 nodes, 4 under way", "strait 512 KiB, one packet, 4 under way");
} catch (const std::exception& error) {
  std::fprintf(stderr, "strait-bench-rpc: %s\n", error.what());
  return 1;
}
