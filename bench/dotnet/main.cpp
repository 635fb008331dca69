// The C# library's ring and calls between two processes, beside Strait's own, measured in turns in one run, so that what else the
// machine does meets all of them alike. Prints a line per subject, the median of the rounds, and the ratios. Every message and answer is
// checked.

#include <strait/circular_buffer.hpp>
#include <strait/dotnet/circular_buffer.hpp>
#include <strait/dotnet/rpc_buffer.hpp>
#include <strait/rpc_buffer.hpp>

#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "../peers/unique_name.hpp"
#include "../support/clock.hpp"
#include "../support/crew.hpp"
#include "../support/shared_region.hpp"
#include "../support/statistics.hpp"

namespace {

using namespace strait::bench;
using namespace std::chrono_literals;
using strait::RingOptions;
using strait::Sharing;
using strait::Status;

struct Settings {
  std::chrono::milliseconds length{200};
  int rounds = 5;
  std::vector<unsigned> cpus = allowed_cpus();
  std::string only;
};

struct Shared {
  std::atomic<bool> ready{false}, over{false};
  double per_second = 0;
};

double run(const Settings& settings, const std::function<void(Shared&)>& server, const std::function<double(Shared&)>& client) {
  strait::bench::Shared<Shared> shared;
  Crew crew(60s);
  crew.add(settings.cpus[settings.cpus.size() > 1 ? 1 : 0], [&] { server(*shared); });
  crew.add(settings.cpus[0], [&] {
    while (!shared->ready) std::this_thread::sleep_for(1ms);
    shared->per_second = client(*shared);
    shared->over = true;
  });
  crew.run();
  return shared->per_second;
}

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
  return run(settings,
             [&](Shared& shared) {
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
             [&](Shared& shared) {
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
  return run(settings,
             [&](Shared& shared) {
               // Whoever comes first is the master.
               Rpc server(name, [](std::uint64_t, std::span<const std::byte> payload) { return payload; });
               shared.ready = true;
               while (!shared.over) std::this_thread::sleep_for(1ms);
             },
             [&](Shared&) {
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
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick") {
      settings.length = 20ms;
      settings.rounds = 1;
    } else if (option == "--rounds" && i + 1 < argc) {
      settings.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (option == "--phase-ms" && i + 1 < argc) {
      settings.length = std::chrono::milliseconds(std::max(1, std::atoi(argv[++i])));
    } else if (option == "--only" && i + 1 < argc) {
      settings.only = argv[++i];
    } else if (option == "--realtime") {
      const sched_param priority{.sched_priority = 1};
      if (::sched_setscheduler(0, SCHED_RR, &priority) != 0) throw std::runtime_error("--realtime is not permitted");
    } else {
      std::fputs("strait-bench-dotnet [--quick] [--rounds N (5)] [--phase-ms N (200)] [--only SUBJECT] [--realtime]\n"
                 "--realtime: above all ordinary processes, for a machine that has other things to do; with --phase-ms 40, because\n"
                 "the kernel stops real-time processes for a twentieth of each second\n", stderr);
      return 2;
    }
  }

  RingOptions one;
  one.writers = one.readers = Sharing::one;
  std::vector<std::pair<std::string, std::function<double()>>> subjects = {
      {"dotnet ring 64 B, one writer, one reader", [&] { return messages<strait::dotnet::CircularBuffer>(settings, one); }},
      {"dotnet ring 64 B, taking turns", [&] { return messages<strait::dotnet::CircularBuffer>(settings, {}); }},
      {"native ring 64 B, open to all", [&] { return messages<strait::CircularBuffer>(settings, {}); }},
      {"dotnet call 1 KiB", [&] { return calls<strait::dotnet::RpcBuffer>(settings); }},
      {"native call 1 KiB", [&] { return calls<strait::RpcBuffer>(settings); }},
  };
  if (!settings.only.empty()) std::erase_if(subjects, [&](const auto& subject) { return subject.first != settings.only; });
  std::map<std::string, std::vector<double>> results;
  for (int round = 0; round < settings.rounds; ++round) {
    for (const auto& [name, measure] : subjects) results[name].push_back(measure());
  }
  for (const auto& [name, measure] : subjects) {
    auto samples = results[name];
    const double middle = median(samples);
    std::printf("%-42s %12.0f /s   (%.0f .. %.0f)\n", name.c_str(), middle, *std::min_element(samples.begin(), samples.end()),
                *std::max_element(samples.begin(), samples.end()));
  }
  if (!settings.only.empty()) return 0;
  const auto ratio = [&](const char* what, const char* of, const char* to) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < results[of].size(); ++round) ratios.push_back(results[of][round] / results[to][round]);
    std::printf("%-42s %6.2f\n", what, median(ratios));
  };
  ratio("dotnet ring : native ring", "dotnet ring 64 B, one writer, one reader", "native ring 64 B, open to all");
  ratio("dotnet call : native call", "dotnet call 1 KiB", "native call 1 KiB");
} catch (const std::exception& error) {
  std::fprintf(stderr, "strait-bench-dotnet: %s\n", error.what());
  return 1;
}
