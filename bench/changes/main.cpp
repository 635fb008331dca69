// What it costs that a struct tells when it changed, and that it is never torn. Between processes, each made by fork before it opens
// anything:
//
//   wake-up   from a set in one process to the first line of the handler in another, both otherwise asleep, beside a bare futex
//             wake; the two take turns, so that both meet the same machine
//   idle      processor time of a process with a handler while nothing changes
//   crowd     the same of 64 and of 256 threads that wait on a handle each: every one wakes up 20 times a second and asks after the dead
//   writers   processor time of a process for an update of 4 KiB, alone and beside one that loads as fast as it can
//
//     strait-bench-changes [--quick]
//
// Prints figures and ratios; fails only where data is wrong.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <strait/shared_struct.hpp>

#include "../limits/futex.hpp"
#include "../peers/unique_name.hpp"
#include "../support/clock.hpp"
#include "../support/process.hpp"
#include "../support/shared_region.hpp"
#include "../support/statistics.hpp"

namespace {

using namespace strait::bench;
using namespace std::chrono_literals;

constexpr std::size_t most_samples = 4000;

struct Common {
  std::atomic<std::uint32_t> ready{0};
  std::atomic<std::uint32_t> stop{0};
  alignas(64) std::atomic<std::uint32_t> futex{0};
  alignas(64) std::atomic<std::uint64_t> sent_at{0};
  alignas(64) std::atomic<std::uint32_t> answered{0};
  std::atomic<std::uint32_t> torn{0};
  std::atomic<std::uint64_t> loads{0};
  std::atomic<std::uint64_t> idle_ns{0};
  std::array<double, most_samples> bare{};
  std::array<double, most_samples> strait{};
};

// Of this process, in nanoseconds.
std::uint64_t processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

void until(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  while (word.load() != value) std::this_thread::sleep_for(200us);
}

struct Stamped {
  std::uint64_t sent_at;
  std::uint64_t number;
};

void wake_up(std::size_t samples) {
  Shared<Common> common;
  const std::string name = unique_name();
  const Process sleeper([&] {
    strait::SharedStruct<Stamped> shared(strait::open_or_create, name, Stamped{});
    const auto subscription = shared.on_updated([&](const Stamped& now, const strait::Change&) {
      common->strait[(now.number - 1) % most_samples] = static_cast<double>(now_ns() - now.sent_at);
      common->answered.fetch_add(1);
    });
    common->ready = 1;
    for (std::uint32_t seen = 0; common->stop == 0;) {
      futex_wait(common->futex, seen);
      const auto woken_at = now_ns();
      if (common->futex.load() == seen || common->stop != 0) continue;
      seen = common->futex.load();
      common->bare[(seen - 1) % most_samples] = static_cast<double>(woken_at - common->sent_at.load());
      common->answered.fetch_add(1);
    }
  });
  until(common->ready, 1);
  strait::SharedStruct<Stamped> shared(name);
  std::uint32_t answers = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    std::this_thread::sleep_for(2ms);  // both sides fall asleep
    common->sent_at = now_ns();
    common->futex.fetch_add(1);
    futex_wake_one(common->futex);
    until(common->answered, ++answers);
    std::this_thread::sleep_for(2ms);
    shared.update([&](Stamped& now) {
      ++now.number;
      now.sent_at = now_ns();
    });
    until(common->answered, ++answers);
  }
  common->stop = 1;
  common->futex.fetch_add(1);
  futex_wake_one(common->futex);
  const auto middle = [&](const std::array<double, most_samples>& all) {
    return median(std::vector<double>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(samples)));
  };
  const double bare = middle(common->bare);
  const double strait = middle(common->strait);
  std::printf("wake-up, both asleep: bare futex %.1f us, set to handler %.1f us, ratio %.2f (medians of %zu)\n", bare / 1000,
              strait / 1000, strait / bare, samples);
}

void idle(std::chrono::milliseconds length) {
  Shared<Common> common;
  const std::string name = unique_name();
  const strait::SharedStruct<Stamped> shared(name, Stamped{});
  {
    const Process watcher([&] {
      strait::SharedStruct<Stamped> mine(name);
      const auto subscription = mine.on_updated([](const Stamped&, const strait::Change&) {});
      std::this_thread::sleep_for(50ms);
      const auto before = processor_time();
      std::this_thread::sleep_for(length);
      common->idle_ns = processor_time() - before;
    });
  }
  const double share =
      static_cast<double>(common->idle_ns.load()) / static_cast<double>(std::chrono::nanoseconds(length).count());
  std::printf("idle: %.2f ms of processor time in 10 s (over %lld ms)\n", share * 10'000, static_cast<long long>(length.count()));
}

void crowd(unsigned many, std::chrono::milliseconds length) {
  Shared<Common> common;
  const std::string name = unique_name();
  strait::OpenOptions options;
  options.max_participants = many + 1;
  const strait::SharedStruct<Stamped> shared(name, Stamped{}, options);
  {
    const Process waiting([&] {
      std::vector<std::unique_ptr<strait::SharedStruct<Stamped>>> handles;
      std::vector<std::thread> threads;
      while (handles.size() < many) handles.push_back(std::make_unique<strait::SharedStruct<Stamped>>(name));
      for (auto& handle : handles) {
        threads.emplace_back([&mine = *handle] { static_cast<void>(mine.wait_for_change(0, strait::forever)); });
      }
      std::this_thread::sleep_for(100ms);
      const auto before = processor_time();
      std::this_thread::sleep_for(length);
      common->idle_ns = processor_time() - before;
      for (auto& handle : handles) handle->close();
      for (auto& thread : threads) thread.join();
    });
  }
  const double share = static_cast<double>(common->idle_ns.load()) / static_cast<double>(std::chrono::nanoseconds(length).count());
  std::printf("crowd: %u that wait take %.1f ms of processor time a second\n", many, share * 1000);
}

struct Block {
  std::array<std::uint64_t, 511> parts;
  std::uint64_t sum;
};

// Nanoseconds of this process for an update; `readers` processes load meanwhile.
double updates(std::chrono::milliseconds length, unsigned readers, bool& whole) {
  Shared<Common> common;
  const std::string name = unique_name();
  strait::SharedStruct<Block> shared(name, Block{});
  std::vector<std::unique_ptr<Process>> processes;
  for (unsigned i = 0; i < readers; ++i) {
    processes.push_back(std::make_unique<Process>([&] {
      const strait::SharedStruct<Block> mine(name);
      common->ready.fetch_add(1);
      std::uint64_t loads = 0;
      for (; common->stop == 0; ++loads) {
        const Block now = mine.load();
        if (now.parts[0] != now.parts[510] || now.parts[255] != now.parts[0] || now.sum != now.parts[0] * 511)
          common->torn.fetch_add(1);
      }
      common->loads.fetch_add(loads);
    }));
  }
  until(common->ready, readers);
  std::uint64_t count = 0;
  const auto used_before = processor_time();
  const auto begin = now_ns();
  const auto end = begin + static_cast<std::uint64_t>(std::chrono::nanoseconds(length).count());
  while (now_ns() < end) {
    for (int i = 0; i < 16; ++i, ++count) {
      shared.update([&](Block& block) {
        block.parts.fill(count);
        block.sum = count * 511;
      });
    }
  }
  const auto used = processor_time() - used_before;
  common->stop = 1;
  processes.clear();
  if (common->torn != 0) {
    std::printf("TORN: %u loads\n", common->torn.load());
    whole = false;
  }
  return static_cast<double>(used) / static_cast<double>(count);
}

bool writers(std::chrono::milliseconds length) {
  std::vector<double> alone;
  std::vector<double> beside;
  bool whole = true;
  for (int round = 0; round < 5; ++round) {
    alone.push_back(updates(length, 0, whole));
    beside.push_back(updates(length, 1, whole));
  }
  const double a = median(alone);
  const double b = median(beside);
  std::printf(
      "writers: an update of 4 KiB takes %.0f ns of processor time alone, %.0f beside a reader, ratio %.2f (medians of 5)\n", a,
      b, b / a);
  return whole;
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  wake_up(quick ? 20 : 2000);
  idle(quick ? 300ms : 10'000ms);
  for (const unsigned many : {64u, 256u}) crowd(quick ? 8 : many, quick ? 100ms : 3'000ms);
  return writers(quick ? 20ms : 500ms) ? 0 : 1;
}
