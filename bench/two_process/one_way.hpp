// W1 and W5: 64-byte messages from writers to readers, as fast as they go.
//
// With one writer and one reader every message is checked against its number. With several, every reader checks that each
// writer's messages come in order, and the totals (how many, and the sum of their numbers) are checked at the end of a phase.
// A phase ends with one last message per reader, sent when all writers are done.

#pragma once

#include <atomic>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "../support/crew.hpp"
#include "../support/phases.hpp"
#include "../support/shared_region.hpp"
#include "../support/subject.hpp"

namespace strait::bench {

/// One writer, one reader, one processor each.
template <class Subject>
std::vector<PhaseResult> run_one_to_one(const Shape& shape, const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline) {
  Subject subject(shape);
  Shared<Schedule> schedule;
  schedule->start(plan);
  Crew crew(deadline);

  crew.add(cpus[0], [&] {
    typename Subject::Writer writer(subject, 0);
    Backoff<false> backoff;
    Message message;
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      for (std::uint64_t number = 0; number < count; ++number) {
        message.stamp(number);
        while (!writer.write(message)) backoff();
      }
      schedule->barrier.arrive(2);
    }
  });

  crew.add(cpus[1], [&] {
    typename Subject::Reader reader(subject, 0);
    Backoff<false> backoff;
    Message message;
    for (;;) {
      schedule->barrier.arrive(2);
      if (schedule->over) break;
      const std::uint64_t count = schedule->count;
      std::uint64_t wrong = 0;
      const std::uint64_t start = now_ns();
      for (std::uint64_t number = 0; number < count; ++number) {
        while (!reader.read(message)) backoff();
        wrong |= message.wrong(number);
      }
      const std::uint64_t elapsed = now_ns() - start;
      if (wrong != 0) throw std::runtime_error("wrong data: a message was lost, doubled, reordered or torn");
      schedule->barrier.arrive(2);
      schedule->conclude(plan, {.elapsed_ns = elapsed});
    }
  });

  crew.run();
  return {schedule->results.begin(), schedule->results.begin() + schedule->done};
}

/// Writers and readers that may share processors. `cpus`: writers' first, then readers'.
template <class Subject>
std::vector<PhaseResult> run_many_to_many(const Shape& shape, const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline) {
  constexpr unsigned most = 16;
  constexpr std::uint64_t last = ~std::uint64_t{0};
  if (shape.writers > most || shape.readers > most) throw Unavailable("too many parties");
  struct Tally {
    alignas(128) std::atomic<unsigned> writers_done{0};
    std::array<std::uint64_t, most> started{};
    std::array<std::uint64_t, most> ended{};
    std::array<std::uint64_t, most> received{};
    std::array<std::uint64_t, most> sum{};
  };

  Subject subject(shape);
  Shared<Schedule> schedule;
  Shared<Tally> tally;
  schedule->start(plan);
  const unsigned parties = shape.writers + shape.readers;
  Crew crew(deadline);

  for (unsigned index = 0; index < shape.writers; ++index) {
    crew.add(cpus[index], [&, index] {
      typename Subject::Writer writer(subject, index);
      Backoff<true> backoff;
      Message message;
      message.writer = index;
      for (;;) {
        schedule->barrier.arrive(parties);
        if (schedule->over) break;
        const std::uint64_t count = schedule->count;
        tally->started[index] = now_ns();
        for (std::uint64_t number = 0; number < count; ++number) {
          message.stamp(number);
          while (!writer.write(message)) backoff();
        }
        message.stamp(last);
        const bool last_writer = tally->writers_done.fetch_add(1) + 1 == shape.writers;
        if (last_writer || !Subject::ordered_across_writers)
          for (unsigned reader = 0; reader < shape.readers; ++reader)
            while (!writer.write(message)) backoff();
        schedule->barrier.arrive(parties);
        if (index != 0) continue;
        std::uint64_t received = 0, sum = 0, start = ~std::uint64_t{0}, end = 0;
        for (unsigned i = 0; i < shape.writers; ++i) start = std::min(start, tally->started[i]);
        for (unsigned i = 0; i < shape.readers; ++i) {
          received += tally->received[i];
          sum += tally->sum[i];
          end = std::max(end, tally->ended[i]);
        }
        if (received != count * shape.writers || sum != shape.writers * (count * (count - 1) / 2))
          throw std::runtime_error("wrong data: " + std::to_string(received) + " messages arrived of " + std::to_string(count * shape.writers));
        tally->writers_done.store(0);
        schedule->conclude(plan, {.elapsed_ns = end - start});
      }
    });
  }

  for (unsigned index = 0; index < shape.readers; ++index) {
    crew.add(cpus[shape.writers + index], [&, index] {
      typename Subject::Reader reader(subject, index);
      Backoff<true> backoff;
      Message message;
      for (;;) {
        schedule->barrier.arrive(parties);
        if (schedule->over) break;
        std::array<std::uint64_t, most> expected{};
        std::uint64_t received = 0, sum = 0;
        bool good = true;
        for (unsigned ends = Subject::ordered_across_writers ? 1 : shape.writers; ends != 0;) {
          while (!reader.read(message)) backoff();
          if (message.sequence == last) {
            --ends;
            continue;
          }
          std::uint64_t& next = expected[message.writer % most];
          good &= message.sequence >= next && message.complement == ~message.sequence;
          next = message.sequence + 1;
          sum += message.sequence;
          ++received;
        }
        tally->ended[index] = now_ns();
        tally->received[index] = received;
        tally->sum[index] = sum;
        if (!good) throw std::runtime_error("wrong data: a writer's messages came out of order or torn");
        schedule->barrier.arrive(parties);
      }
    });
  }

  crew.run();
  return {schedule->results.begin(), schedule->results.begin() + schedule->done};
}

/// One process writes and reads by turns, so that nobody ever waits: what the instructions per message are counted on.
template <class Subject>
std::vector<PhaseResult> run_alone(const Shape& shape, const Plan& plan, const std::vector<unsigned>& cpus, std::chrono::seconds deadline) {
  Subject subject(shape);
  Shared<Schedule> schedule;
  schedule->start(plan);
  Crew crew(deadline);
  crew.add(cpus[0], [&] {
    typename Subject::Writer writer(subject, 0);
    typename Subject::Reader reader(subject, 0);
    Message sent, received;
    while (!schedule->over) {
      std::uint64_t wrong = 0;
      const std::uint64_t start = now_ns();
      for (std::uint64_t number = 0; number < schedule->count; ++number) {
        sent.stamp(number);
        if (!writer.write(sent) || !reader.read(received)) throw std::runtime_error("a message did not pass at once");
        wrong |= received.wrong(number);
      }
      const std::uint64_t elapsed = now_ns() - start;
      if (wrong != 0) throw std::runtime_error("wrong data");
      schedule->conclude(plan, {.elapsed_ns = elapsed});
    }
  });
  crew.run();
  return {schedule->results.begin(), schedule->results.begin() + schedule->done};
}

}  // namespace strait::bench
