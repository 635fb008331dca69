// Calls the service from several threads, checks every answer, and says how fast it went.

#include "../common/command_line.hpp"
#include "../common/status_line.hpp"
#include "calculation.hpp"

#include <strait/rpc_buffer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto usage = R"(usage: strait-rpc-load [--threads N] [--size BYTES] [--answer BYTES] [--calls N] [--channel NAME] [--wait SECONDS]
Calls strait-rpc-service from N threads and reports the rate and how long a call took.
  --threads N     calling threads (default 1)
  --size BYTES    of a request, at least 32 (default 1024)
  --answer BYTES  of an answer, at most the request's (default 64)
  --calls N       calls in all (default 100000)
  --channel NAME  the same on both sides (default strait-rpc-calculator)
  --wait SECONDS  how long a call may take, the wait for a service included (default 30)
)";

struct Settings {
  std::size_t size, answer;
  std::uint64_t calls;
  std::chrono::seconds wait;
};

struct Progress {
  std::atomic<std::uint64_t> started = 0, done = 0, failed = 0;
};

// One thread's calls; how long each took, in ns.
std::vector<std::uint32_t> call(strait::RpcBuffer& service, const Settings& settings, Progress& progress) {
  std::vector<std::uint32_t> times;
  times.reserve(1 << 16);
  std::vector<std::byte> request(settings.size);
  const examples::LoadHeader header{examples::LoadHeader::wanted_magic, settings.answer};
  std::memcpy(request.data(), &header, sizeof header);
  for (std::uint64_t number; (number = progress.started++) < settings.calls;) {
    std::memcpy(request.data() + request.size() - sizeof number, &number, sizeof number);
    const auto before = Clock::now();
    const auto response = service.remote_request(request, settings.wait);
    const auto took = std::chrono::nanoseconds(Clock::now() - before).count();
    times.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(took, UINT32_MAX)));
    const bool right = response && std::ranges::equal(response.data, std::span(request).last(settings.answer));
    ++progress.done;
    if (right) continue;
    ++progress.failed;
    if (response.outcome == strait::RpcOutcome::closed || response.outcome == strait::RpcOutcome::peer_lost) break;
  }
  return times;
}

std::string microseconds(const std::vector<std::uint32_t>& sorted, double share) {
  if (sorted.empty()) return "-";
  const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return examples::fixed(sorted[index] / 1000.0, 2) + " us";
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const auto threads = line.number("--threads", 1, 1, 1000);
  Settings settings{};
  settings.size = line.number("--size", 1024, 32, 0x7fffffff);
  settings.answer = line.number("--answer", std::min<std::uint64_t>(64, settings.size), 0, settings.size);
  settings.calls = line.number("--calls", 100'000, 1);
  const auto channel = line.text("--channel", examples::default_channel);
  settings.wait = std::chrono::seconds(line.number("--wait", 30));
  line.positional(0, 0);

  strait::RpcBuffer service(channel);
  std::cout << "Thread count: " << threads << "\nMessage size: " << settings.size << ", answer: " << settings.answer << "\nRunning..." << std::endl;
  if (settings.answer != 0) {
    // The first call waits for a service; it does not count.
    std::vector<std::byte> first(settings.size);
    const examples::LoadHeader header{examples::LoadHeader::wanted_magic, 0};
    std::memcpy(first.data(), &header, sizeof header);
    const auto response = service.remote_request(first, settings.wait);
    if (!response) throw std::runtime_error("no service: " + response.error);
  }

  Progress progress;
  std::vector<std::vector<std::uint32_t>> times(threads);
  const auto start = Clock::now();
  {
    const examples::StatusLine status(stdout, 200ms, [&, rate = examples::Rate()]() mutable {
      const auto done = progress.done.load();
      return "Calls: " + std::to_string(done) + " of " + std::to_string(settings.calls) + ", " +
             examples::fixed(rate(done) * 1e6, 0) + " requests / sec";
    });
    std::vector<std::jthread> callers;
    for (auto& own : times) callers.emplace_back([&] { own = call(service, settings, progress); });
  }
  const std::chrono::duration<double> elapsed = Clock::now() - start;

  std::vector<std::uint32_t> all;
  for (const auto& own : times) all.insert(all.end(), own.begin(), own.end());
  std::ranges::sort(all);
  std::cout << progress.done << " in " << examples::fixed(elapsed.count(), 3) << " s, "
            << examples::fixed(static_cast<double>(progress.done) / elapsed.count(), 0) << " requests / sec, p50 "
            << microseconds(all, 0.5) << ", p99 " << microseconds(all, 0.99) << ", failed " << progress.failed << std::endl;
  return progress.failed == 0 ? 0 : 1;
} catch (const examples::UsageError& error) {
  std::cerr << "strait-rpc-load: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "strait-rpc-load: " << error.what() << '\n';
  return 1;
}
