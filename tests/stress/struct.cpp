// A struct and a notifying buffer under threads: nobody sees half a change, and no change is lost.

#include "../support/catch.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/notifying_buffer.hpp>
#include <strait/shared_struct.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

using namespace strait::test;
using strait::NotifyingBuffer;
using strait::SharedStruct;

namespace {

struct Checked {
  std::uint64_t changes;
  std::array<std::uint64_t, 62> parts;
  std::uint64_t sum;

  void change() {
    ++changes;
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = changes * (i + 3);
    sum = std::accumulate(parts.begin(), parts.end(), changes);
  }
  bool is_whole() const { return sum == std::accumulate(parts.begin(), parts.end(), changes); }
};

// Each thread uses what `shared()` gives it.
template <class Shared>
void hammer(Shared shared) {
  const std::uint64_t rounds = static_cast<std::uint64_t>(2000 / patience());
  constexpr int writers = 3;
  Workers workers;
  std::atomic<int> writing{writers};
  for (int i = 0; i < writers; ++i) {
    workers.run([&, i] {
      decltype(auto) mine = shared();
      for (std::uint64_t round = 0; round < rounds; ++round) {
        mine.update([&](Checked& value) {
          if (!value.is_whole()) workers.fail("a writer saw half a change");
          value.change();
        });
        if (i == 0 && mine.get(&Checked::changes) == 0) workers.fail("a change was lost");
      }
      --writing;
    });
  }
  for (int i = 0; i < 2; ++i) {
    workers.run([&] {
      decltype(auto) mine = shared();
      std::uint64_t last = 0;
      std::uint64_t version = 0;
      while (writing != 0) {
        const std::uint64_t before = mine.version();
        const Checked now = mine.load();
        if (!now.is_whole()) workers.fail("a reader saw half a change");
        if (now.changes < last || now.changes < before) workers.fail("a reader saw time go backwards");
        last = now.changes;
        if (mine.wait_for_change(version, std::chrono::milliseconds(1)) == strait::Status::ok) version = mine.version();
      }
    });
  }
  CHECK(workers.join() == "");
  decltype(auto) in_the_end = shared();
  CHECK(in_the_end.version() == rounds * writers);
  CHECK(in_the_end.load().changes == rounds * writers);
}

}  // namespace

TEST_CASE("threads of one handle of a struct never see half a change") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard name("struct");
  Checked first{};
  SharedStruct<Checked> shared(name, first);
  std::atomic<std::uint64_t> told{0};
  const auto subscription = shared.on_updated([&](const Checked& now, const strait::Change& what) {
    if (!now.is_whole() || now.changes != what.version) told = ~std::uint64_t{0};
    if (told != ~std::uint64_t{0}) told = what.version;
  });
  hammer([&]() -> SharedStruct<Checked>& { return shared; });
  while (told < shared.version()) std::this_thread::yield();  // the last change is told
  CHECK(told == shared.version());
}

TEST_CASE("threads with a handle of a struct each never see half a change", "[two-mappings]") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard name("struct");
  const SharedStruct<Checked> owner(name, Checked{});
  hammer([&] { return SharedStruct<Checked>(name); });
}

TEST_CASE("threads that write messages of all lengths to one notifying buffer are read whole, and the last one is received") {
  const Watchdog watchdog(std::chrono::seconds(100));
  NameGuard name("buffer");
  NotifyingBuffer buffer(name, 300);
  const int rounds = 2000 / patience();
  Workers workers;
  std::atomic<int> writing{2};
  const auto is_whole = [](std::span<const std::byte> message) {
    for (const std::byte one : message) {
      if (one != static_cast<std::byte>(message.size() % 251)) return false;
    }
    return true;
  };
  std::atomic<std::uint64_t> received{0};
  std::atomic<bool> torn{false};
  const auto subscription = buffer.on_receive([&](std::span<const std::byte> message) {
    if (!is_whole(message)) torn = true;
    if (message.size() == 300) received = 1;
  });
  for (int i = 0; i < 2; ++i) {
    workers.run([&, i] {
      for (int round = 0; round < rounds; ++round) {
        const auto size = static_cast<std::size_t>((round * 37 + i * 101) % 299);
        buffer.write(std::vector<std::byte>(size, static_cast<std::byte>(size % 251)));
      }
      --writing;
    });
  }
  workers.run([&] {
    while (writing != 0) {
      if (!is_whole(buffer.read())) workers.fail("half a message");
    }
  });
  CHECK(workers.join() == "");
  buffer.write(std::vector<std::byte>(300, static_cast<std::byte>(300 % 251)));
  while (received == 0) std::this_thread::yield();
  CHECK_FALSE(torn);
  CHECK(buffer.version() == static_cast<std::uint64_t>(2 * rounds + 1));
}
