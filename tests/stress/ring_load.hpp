#pragma once
// Writers and readers that hammer one ring, and the account of what arrived.

#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/circular_buffer.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace strait::test {

struct Item {
  std::uint32_t writer;
  std::uint32_t number;
  std::array<std::uint64_t, 4> copies;

  static Item of(std::uint32_t writer, std::uint32_t number) {
    Item item{writer, number, {}};
    item.copies.fill(std::uint64_t{writer} << 32 | number);
    return item;
  }
  void check() const {
    for (const auto copy : copies) {
      if (copy != (std::uint64_t{writer} << 32 | number)) throw std::runtime_error("a torn message");
    }
  }
};

struct Load {
  std::uint32_t writers;
  std::uint32_t readers;
  std::size_t nodes;
  bool storms = false;    // drop every few claims, put back every few messages
  bool in_order = true;   // nobody puts back: every reader sees each writer's numbers rise
  std::uint32_t messages = 60'000 / static_cast<std::uint32_t>(patience());  // of all writers together
};

// `with_ring(use)` calls use(ring) with the ring that a thread shall use; `end()` ends the ring for everybody. Returns what went
// wrong, empty if nothing did.
template <class WithRing, class End>
std::string run(const Load& load, WithRing with_ring, End end) {
  const std::uint32_t each = load.messages / load.writers;
  std::vector<std::vector<std::atomic<std::uint8_t>>> seen(load.writers);
  for (auto& numbers : seen) numbers = std::vector<std::atomic<std::uint8_t>>(each);
  std::atomic<std::uint32_t> arrived{0};
  std::atomic<std::uint32_t> ready{0};

  const auto write = [&](std::uint32_t writer, CircularBuffer& ring) {
    for (std::uint32_t number = 0; number < each; ++number) {
      const Item item = Item::of(writer, number);
      if (!load.storms) {
        if (ring.write(item, forever) != Status::ok) throw std::runtime_error("a write was refused");
        continue;
      }
      if (number % 5 == 0) {
        // A claim that is dropped: filled with what would be noticed.
        auto claim = ring.claim(forever);
        if (!claim) throw std::runtime_error("a claim was refused");
        std::memset(claim.bytes().data(), 0xff, claim.bytes().size());
      }
      auto claim = ring.claim(forever);
      if (!claim) throw std::runtime_error("a claim was refused");
      claim.as<Item>() = item;
      claim.publish(sizeof(Item));
    }
  };

  const auto read = [&](std::uint32_t reader, CircularBuffer& ring) {
    std::vector<std::int64_t> last(load.writers, -1);
    std::minstd_rand random(reader + 1);
    for (;;) {
      Item item{};
      Status status{};
      if (load.storms) {
        auto message = ring.take(forever);
        status = message.status();
        if (message && random() % 3 == 0) {
          message.put_back();
          continue;
        }
        if (message) item = message.template as<Item>();
      } else {
        status = ring.read(item, forever);
      }
      if (status == Status::closed) return;
      if (status != Status::ok) throw std::runtime_error("a read was refused");
      item.check();
      if (item.writer >= load.writers || item.number >= each) throw std::runtime_error("an unknown message");
      if (load.in_order && !load.storms && item.number <= last[item.writer]) throw std::runtime_error("out of order");
      last[item.writer] = item.number;
      if (seen[item.writer][item.number].fetch_add(1) != 0) throw std::runtime_error("a message came twice");
      ++arrived;
    }
  };

  Workers writers;
  Workers readers;
  for (std::uint32_t i = 0; i < load.writers; ++i) {
    writers.run([&, i] {
      with_ring([&](CircularBuffer& ring) {
        ++ready;
        write(i, ring);
      });
    });
  }
  for (std::uint32_t i = 0; i < load.readers; ++i) {
    readers.run([&, i] {
      with_ring([&](CircularBuffer& ring) {
        ++ready;
        try {
          read(i, ring);
        } catch (const Error& error) {
          // With one handle for all, a reader may come to its next call after the handle was closed.
          if (error.code() != Errc::closed) throw;
        }
      });
    });
  }
  std::string wrong = writers.join();
  // Everything is taken before the end, so that what is missing then is lost and not only late.
  while (wrong.empty() && arrived < each * load.writers) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  end();
  wrong += readers.join();
  std::uint32_t lost = 0;
  for (const auto& numbers : seen) {
    for (const auto& count : numbers) lost += count == 0 ? 1 : 0;
  }
  if (lost != 0) wrong += std::to_string(lost) + " messages were lost\n";
  return wrong;
}

}  // namespace strait::test
