// W3: one 64-byte message there and one back, one under way at a time. Each round trip is timed alone; a phase reports its
// percentiles. A tick is read per round trip, so the reading (about 10 ns on x86) is part of every figure.
//
// With a think time, each side spins so long before it sends: the other one, unless it spins longer than that, is asleep by
// then, and what is timed is two wake-ups. Without it even a side that parks at once may find the answer on its way to sleep.
// The answerer's think time is subtracted.

#pragma once

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "../support/crew.hpp"
#include "../support/phases.hpp"
#include "../support/shared_region.hpp"
#include "../support/statistics.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

/// Turns tick differences into the percentiles of a phase that took `elapsed_ns` in all.
inline PhaseResult summarise(std::vector<std::uint32_t>& differences, std::uint64_t all_ticks, std::uint64_t elapsed_ns, std::uint64_t subtracted_ns) {
  const double ns_per_tick = static_cast<double>(elapsed_ns) / static_cast<double>(all_ticks == 0 ? 1 : all_ticks);
  const auto in_ns = [&](std::uint32_t value) {
    return static_cast<std::uint32_t>(std::max(0.0, static_cast<double>(value) * ns_per_tick - static_cast<double>(subtracted_ns) + 0.5));
  };
  PhaseResult result;
  result.elapsed_ns = elapsed_ns;
  result.p50 = in_ns(percentile(differences, 0.50));
  result.p99 = in_ns(percentile(differences, 0.99));
  result.p999 = in_ns(percentile(differences, 0.999));
  result.least = in_ns(percentile(differences, 0.0));
  return result;
}

inline void think(std::uint64_t ns) noexcept {
  for (const std::uint64_t end = now_ns() + ns; now_ns() < end;) relax();
}

/// `ask(number)` goes there and back and says whether the answer was right; `answer(think)` serves one of them, and calls
/// `think()` before it sends.
template <class Asker, class Answerer>
std::vector<PhaseResult> run_round_trips(const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline, Asker make_asker, Answerer make_answerer,
                                         std::uint64_t think_ns = 0) {
  Shared<Schedule> schedule;
  schedule->start(plan);
  Crew crew(deadline);

  crew.add(cpus[0], [&] {
    auto ask = make_asker();
    std::vector<std::uint32_t> differences;
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      differences.assign(count, 0);  // touches the pages before the clock starts
      bool good = true;
      const std::uint64_t start = now_ns();
      const std::uint64_t first = ticks();
      std::uint64_t before = first;
      for (std::uint64_t number = 0; number < count; ++number) {
        if (think_ns != 0) {
          think(think_ns);
          before = ticks();
        }
        good &= ask(number);
        const std::uint64_t now = ticks();
        const std::uint64_t difference = now - before;
        differences[number] = difference > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(difference);
        before = now;
      }
      const std::uint64_t elapsed = now_ns() - start;
      if (!good) throw std::runtime_error("wrong data: an answer was not the question's");
      schedule->barrier.arrive(2);
      schedule->conclude(plan, summarise(differences, before - first, elapsed, think_ns));
    }
  });

  crew.add(cpus[1], [&] {
    auto answer = make_answerer();
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      for (std::uint64_t number = 0; number < count; ++number) answer([think_ns] {
        if (think_ns != 0) think(think_ns);
      });
      schedule->barrier.arrive(2);
    }
  });

  crew.run();
  return {schedule->results.begin(), schedule->results.begin() + schedule->done};
}

/// Two channels, one each way. The answer is the question itself.
template <class Subject>
std::vector<PhaseResult> run_message_round_trips(const Shape& shape, const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline,
                                                 std::uint64_t think_ns = 0) {
  Subject there(shape), back(shape);
  return run_round_trips(
      plan, cpus, deadline,
      [&] {
        return [writer = typename Subject::Writer(there, 0), reader = typename Subject::Reader(back, 0), message = Message{}](std::uint64_t number) mutable {
          Backoff<false> backoff;
          message.stamp(number);
          while (!writer.write(message)) backoff();
          while (!reader.read(message)) backoff();
          return message.wrong(number) == 0;
        };
      },
      [&] {
        return [reader = typename Subject::Reader(there, 0), writer = typename Subject::Writer(back, 0), message = Message{}](auto think_first) mutable {
          Backoff<false> backoff;
          while (!reader.read(message)) backoff();
          think_first();
          while (!writer.write(message)) backoff();
        };
      },
      think_ns);
}

/// A limit that carries no message.
template <class Subject>
std::vector<PhaseResult> run_bare_round_trips(const Shape& shape, const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline,
                                              std::uint64_t think_ns = 0) {
  Subject both(shape);
  return run_round_trips(
      plan, cpus, deadline,
      [&] {
        return [side = typename Subject::Side(both, 0)](std::uint64_t) mutable {
          side.send();
          side.receive();
          return true;
        };
      },
      [&] {
        return [side = typename Subject::Side(both, 1)](auto think_first) mutable {
          side.receive();
          think_first();
          side.send();
        };
      },
      think_ns);
}

}  // namespace strait::bench
