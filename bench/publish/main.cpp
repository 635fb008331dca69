// Publish/subscribe beside what bounds it and beside iceoryx, and what a message costs its publisher with more and more subscribers.
//
//     strait-bench-publish [--quick] [--rounds N] [--phase-ms N]
//     strait-bench-publish --alone SUBSCRIBERS MESSAGES     publishes that many in one process, for a profiler: see bench/README.md
//
// What is compared runs in turns. Prints medians and ratios; fails only where data is wrong.

#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../peers/unique_name.hpp"
#include "../support/clock.hpp"
#include "../support/crew.hpp"
#include "../support/shared_region.hpp"
#include "../support/statistics.hpp"
#include "cases.hpp"

namespace {

using namespace strait::bench;

struct Settings {
  Plan plan;
  unsigned rounds = 5;
  Cpus cpus = allowed_cpus();
  std::chrono::seconds deadline{60};
};

double middle(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// ---- rates ------------------------------------------------------------------------------------------------------------------

struct Case {
  const char* name;
  Phases (*run)(const Plan&, const Cpus&, std::chrono::seconds);
  double bytes;  // of a message; 0: count messages
  std::vector<double> values{};

  double median() const { return middle(values); }
};

void run_in_turns(std::vector<Case>& cases, const Settings& settings) {
  for (unsigned round = 0; round < settings.rounds; ++round) {
    for (Case& one : cases) {
      try {
        for (const PhaseResult& phase : one.run(settings.plan, settings.cpus, settings.deadline)) {
          const double per_second = static_cast<double>(phase.operations) * 1e9 / static_cast<double>(phase.elapsed_ns);
          one.values.push_back(one.bytes == 0 ? per_second / 1e6 : per_second * one.bytes / 1e9);
        }
      } catch (const Unavailable& reason) {
        if (round == 0) std::printf("  %-34s left out: %s\n", one.name, reason.what());
      }
    }
  }
  for (const Case& one : cases) {
    if (!one.values.empty()) std::printf("  %-34s %8.2f %s\n", one.name, one.median(), one.bytes == 0 ? "million messages a second" : "GB/s");
  }
  for (std::size_t other = 1; other < cases.size(); ++other) {
    if (!cases[other].values.empty()) std::printf("  %s : %s = %.2f\n", cases[0].name, cases[other].name, cases[0].median() / cases[other].median());
  }
  std::fflush(stdout);
}

// ---- the cost of a message to its publisher -------------------------------------------------------------------------------------

constexpr unsigned most_subscribers = 8;
constexpr std::uint64_t burst = 512;  // half of the ring: nobody waits for room while it is published

struct Counts {
  struct alignas(128) Line {
    std::atomic<std::uint64_t> received{0};
  };
  std::array<Line, most_subscribers> lines{};
  std::atomic<std::uint32_t> stop{0};
  std::array<double, max_repeats> ns{};
};

strait::TopicOptions topic_options() {
  strait::TopicOptions options;
  options.node_count = 1024;
  options.node_buffer_size = 64;
  return options;
}

// Nanoseconds a message, in bursts; all subscribers have read one before the next begins.
double cost_with(unsigned subscribers, const Settings& settings) {
  Shared<Counts> counts;
  const std::string topic = unique_name();
  const unsigned bursts = settings.plan.phase_ns < 50'000'000 ? 20 : 2000;
  Crew crew(settings.deadline);
  crew.add(settings.cpus[0], [&] {
    strait::Publisher publisher(topic, topic_options());
    if (publisher.wait_for_subscribers(subscribers, std::chrono::seconds(30)) != strait::Status::ok) throw std::runtime_error("too few subscribers came");
    std::vector<double> values;
    Message message;
    for (unsigned one = 0; one < bursts; ++one) {
      const auto from = now_ns();
      for (std::uint64_t i = 0; i < burst; ++i) {
        message.stamp(one * burst + i);
        if (publisher.publish(message, strait::no_wait) != strait::Status::ok) throw std::runtime_error("no room in half of the ring");
      }
      values.push_back(static_cast<double>(now_ns() - from) / static_cast<double>(burst));
      for (unsigned i = 0; i < subscribers; ++i) {
        while (counts->lines[i].received.load() != (one + 1) * burst) ::sched_yield();
      }
    }
    counts->ns[0] = middle(std::move(values));
    counts->stop = 1;
  });
  for (unsigned number = 0; number < subscribers; ++number) {
    crew.add(settings.cpus[1], [&, number] {
      strait::Subscriber subscriber(topic);
      std::uint64_t received = 0;
      Message message;
      while (counts->stop.load() == 0) {
        // Asleep while there is nothing, and all of a burst in one go: the publisher's cost is looked at, not this one's.
        ::usleep(200);
        while (subscriber.receive_with([&](std::span<const std::byte> bytes) { std::memcpy(&message, bytes.data(), sizeof message); }, strait::no_wait) ==
               strait::Status::ok) {
          if (message.wrong(received)) throw std::runtime_error("wrong data: a message was lost or torn");
          counts->lines[number].received.store(++received);
        }
      }
    });
  }
  crew.run();
  return counts->ns[0];
}

// The instructions of this function are those of publishing.
[[gnu::noinline]] void publish_burst(strait::Publisher& publisher, std::uint64_t first) {
  Message message;
  for (std::uint64_t i = 0; i < burst; ++i) {
    message.stamp(first + i);
    if (publisher.publish(message, strait::no_wait) != strait::Status::ok) std::abort();
  }
}

int alone(unsigned subscribers, std::uint64_t messages) {
  const std::string topic = unique_name();
  strait::Publisher publisher(topic, topic_options());
  std::deque<strait::Subscriber> all;
  for (unsigned i = 0; i < subscribers; ++i) all.emplace_back(topic);
  for (std::uint64_t first = 0; first < messages; first += burst) {
    publish_burst(publisher, first);
    for (auto& subscriber : all) {
      for (std::uint64_t i = 0; i < burst; ++i) {
        if (subscriber.receive_with([](std::span<const std::byte>) {}, strait::no_wait) != strait::Status::ok) return 1;
      }
    }
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  Settings settings;
  settings.plan.repeats = 3;
  settings.plan.phase_ns = 200'000'000;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--alone" && i + 2 < count) return alone(static_cast<unsigned>(std::atoi(arguments[i + 1])), std::strtoull(arguments[i + 2], nullptr, 10));
    if (option == "--quick") {
      settings.plan.repeats = 1;
      settings.plan.phase_ns = 10'000'000;
      settings.rounds = 1;
    } else if (option == "--rounds" && i + 1 < count) {
      settings.rounds = static_cast<unsigned>(std::atoi(arguments[++i]));
    } else if (option == "--phase-ms" && i + 1 < count) {
      settings.plan.phase_ns = std::strtoull(arguments[++i], nullptr, 10) * 1'000'000;
    } else {
      std::fprintf(stderr, "strait-bench-publish [--quick] [--rounds N] [--phase-ms N] | --alone SUBSCRIBERS MESSAGES\n");
      return 2;
    }
  }
  if (settings.cpus.size() < 2) {
    std::printf("left out: there is one processor only\n");
    return 0;
  }
  try {
    std::printf("64 bytes, one publisher, one lossless subscriber\n");
    std::vector<Case> small{{"topic", &small_topic, 0}, {"CircularBuffer one/one", &small_ring, 0}};
#ifdef STRAIT_BENCH_HAS_ICEORYX
    small.push_back({"iceoryx", &small_iceoryx, 0});
#endif
    run_in_turns(small, settings);
    std::printf("1 MiB in place\n");
    std::vector<Case> large{{"topic", &large_topic, 1 << 20}, {"fill + sum pipelined", &large_limit, 1 << 20}};
#ifdef STRAIT_BENCH_HAS_ICEORYX
    large.push_back({"iceoryx", &large_iceoryx, 1 << 20});
#endif
    run_in_turns(large, settings);
    std::printf("time to publish 64 bytes, in bursts that nobody waits in\n");
    constexpr std::array<unsigned, 4> numbers{1, 2, 4, 8};
    std::array<std::vector<double>, numbers.size()> costs;
    for (unsigned round = 0; round < settings.rounds; ++round) {
      for (std::size_t i = 0; i < numbers.size(); ++i) costs[i].push_back(cost_with(numbers[i], settings));
    }
    const double one = middle(costs[0]);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double cost = middle(costs[i]);
      std::printf("  %u subscribers %8.1f ns", numbers[i], cost);
      if (i != 0) std::printf("   %+.1f %% for each beyond the first", (cost / one - 1) * 100 / (numbers[i] - 1));
      std::printf("\n");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
