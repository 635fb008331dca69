// Chaos on a lock: 4 writers change a struct under the write lock, field by field, and 4 readers check it under the read lock; all
// are killed at random instants and replaced.
//
//   L1  a holder finds the struct whole, or `was_abandoned()` true. A writer that is told so repairs it.
//   L2  nobody else is inside while a writer is: what it wrote and its mark in the record stay as they are until it leaves.
//   L3  everybody goes on after every kill.

#include "chaos.hpp"
#include "crash.hpp"

#include <strait/platform/process.hpp>
#include <strait/shared_array.hpp>

#include <atomic>
#include <cstdio>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::forever;
using strait::SharedArray;

namespace {

constexpr std::size_t sides = 4;
constexpr std::size_t places = 2 * sides;

struct Account {
  std::uint64_t changes;
  std::uint64_t fields[30];
  std::uint64_t checksum;
};

std::uint64_t checksum_of(const Account& account) {
  std::uint64_t sum = account.changes * 31;
  for (const std::uint64_t field : account.fields) sum = sum * 31 + field;
  return sum;
}

// Volatile: each store is to happen, in this order, so that a kill between two of them leaves it half done.
void change(volatile std::uint64_t& field, std::uint64_t value) { field = value; }

bool is_whole(const Account& account) {
  for (const std::uint64_t field : account.fields) {
    if (field != account.changes) return false;
  }
  return account.checksum == checksum_of(account);
}

struct Common {
  std::atomic<std::uint32_t> stop;
  alignas(64) std::atomic<std::uint64_t> writer_inside;
  alignas(64) std::atomic<std::uint64_t> half_written_untold;  // against L1
  std::atomic<std::uint64_t> intruders;                        // against L2
  std::atomic<std::uint64_t> told;
  std::atomic<std::uint64_t> told_and_half_written;
  struct alignas(64) Line {
    std::atomic<std::uint64_t> count;
  } progress[places];
};

void write_once(SharedArray<Account>& buffer, Common& common, std::uint64_t mark) {
  Account& account = buffer[0];
  common.writer_inside.store(mark);
  if (buffer.was_abandoned()) {
    common.told.fetch_add(1);
    common.told_and_half_written.fetch_add(!is_whole(account));
    for (std::uint64_t& field : account.fields) change(field, account.changes);
    change(account.checksum, checksum_of(account));
  } else if (!is_whole(account)) {
    common.half_written_untold.fetch_add(1);
  }
  const std::uint64_t next = account.changes + 1;
  change(account.changes, next);
  for (std::uint64_t& field : account.fields) change(field, next);
  if (next % 256 == 0) std::this_thread::sleep_for(200us);  // half written, for longer
  change(account.checksum, checksum_of(account));
  if (common.writer_inside.load() != mark || account.changes != next) common.intruders.fetch_add(1);
}

// Arguments: name, record, place.
const ChildFunction party{"chaos: lock", [](std::span<const std::string> arguments) -> int {
  const std::size_t place = std::stoul(arguments[2]);
  const Record shared(arguments[1], 0, sizeof(Common));
  auto& common = shared.at<Common>(0);
  if (place % 4 >= 2) dawdle(512, 300us);
  SharedArray<Account> buffer(arguments[0]);
  const std::uint64_t mark = std::uint64_t{strait::platform::process_id()};
  while (common.stop.load() == 0) {
    if (place < sides) {
      static_cast<void>(buffer.acquire_write_lock(forever));
      write_once(buffer, common, mark);
      buffer.release_write_lock();
    } else {
      static_cast<void>(buffer.acquire_read_lock(forever));
      if (!is_whole(std::as_const(buffer)[0]) && !buffer.was_abandoned()) common.half_written_untold.fetch_add(1);
      buffer.release_read_lock();
    }
    common.progress[place].count.fetch_add(1);
  }
  return 0;
}};

}  // namespace

TEST_CASE("chaos on a lock: whoever is killed whenever, the lock goes on, and half-written data never comes without was_abandoned", "[chaos]") {
  const ChaosRun run("chaos on a lock", 6);
  NameGuard name("chaos");
  SharedArray<Account> owner(name, 1);
  owner[0].checksum = checksum_of(owner[0]);
  const Record record(sizeof(Common));
  auto& common = record.at<Common>(0);
  Crowd crowd("chaos: lock", name.str(), record, places);
  crowd.storm(run, [&] {
    // L3, for both sides.
    wait_for_progress(common.progress, 0, sides);
    wait_for_progress(common.progress, sides, sides);
  });
  common.stop = 1;
  crowd.end();

  CHECK(common.half_written_untold.load() == 0);
  CHECK(common.intruders.load() == 0);
  CHECK(common.told.load() <= crowd.kills);
  CHECK(owner.acquire_write_lock(forever));
  CHECK((is_whole(owner[0]) || owner.was_abandoned()));
  owner.release_write_lock();
  eventually([&] {
    if (owner.try_lock()) owner.unlock();
    static_cast<void>(owner.acquire_read_lock(1ms));  // a look at the dead needs a wait
    owner.release_read_lock();
    return owner.participants().size() <= places + 1;
  });
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;
  for (std::size_t place = 0; place < places; ++place) (place < sides ? writes : reads) += common.progress[place].count.load();
  std::printf("  %llu kills, %llu writes, %llu reads, %llu times told of an abandoned lock, %llu times of half-written data\n",
              static_cast<unsigned long long>(crowd.kills), static_cast<unsigned long long>(writes), static_cast<unsigned long long>(reads),
              static_cast<unsigned long long>(common.told.load()), static_cast<unsigned long long>(common.told_and_half_written.load()));
  print_pauses("writers and readers", crowd.pauses);
}
