// Chaos on a ring: 4 writers and 4 readers on 8 nodes, killed at random instants and replaced at once, with a full account.
//
// A writer logs a message after its write returned ok: `acked` counts them, because one writer's messages are numbered. A reader
// logs a message while it holds it (`taken`), and again once it has released it (`released`). The records are memory that
// survives the kill. At the end of every round, with all parties but one gone:
//
//   A1  every acknowledged message was taken by somebody. A message that was taken and not acknowledged is legal: its writer
//       was killed between the two.
//   A2  of the readers that took one message, all but one were killed while they held it.
//   A3  no message was torn, and none was taken that nobody wrote.
//
// Half of the parties dawdle at the death points now and then: kills hit them there more often.
//
// A reader that copies logs after its read returned, so a kill in between loses the record, not the message: in rounds with
// one such reader at most as many messages may lack a record as such readers were killed.

#include "chaos.hpp"
#include "crash.hpp"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::CircularBuffer;
using strait::no_wait;
using strait::Status;

namespace {

constexpr std::size_t sides = 4;  // writers, and readers
constexpr std::size_t places = 2 * sides;
constexpr std::size_t ring_nodes = 8;

struct Message {
  std::uint32_t writer;
  std::uint32_t number;
  std::uint64_t filler[6];
};

std::uint64_t filler(const Message& message, std::uint64_t i) {
  return (std::uint64_t{message.writer} << 32 | message.number) * 0x9E3779B97F4A7C15ull + i;
}

void fill(Message& message) {
  for (std::uint64_t i = 0; i < std::size(message.filler); ++i) message.filler[i] = filler(message, i);
}

bool is_torn(const Message& message) {
  for (std::uint64_t i = 0; i < std::size(message.filler); ++i) {
    if (message.filler[i] != filler(message, i)) return true;
  }
  return false;
}

// The record of a round.
struct Common {
  std::atomic<std::uint32_t> writers_stop;
  std::atomic<std::uint32_t> readers_stop;
  alignas(64) std::atomic<std::uint64_t> torn;
  std::atomic<std::uint64_t> surprises;  // verdicts that nobody should have got
  struct alignas(64) Line {
    std::atomic<std::uint64_t> count;
  } progress[places];
};
struct alignas(64) WriterLog {
  std::atomic<std::uint64_t> acked;
};
struct ReaderLog {
  static constexpr std::size_t most = std::size_t{1} << 20;
  std::atomic<std::uint64_t> taken;
  std::atomic<std::uint64_t> released;
  std::uint64_t messages[most];
};

constexpr std::size_t most_lives = 400;  // of writers, and of readers, in a round; each reader has a log of 8 MiB, and not every system maps more than it has
constexpr std::size_t page = 4096;
constexpr std::size_t writers_at = page;
constexpr std::size_t writers_size = most_lives * sizeof(WriterLog) / page * page + page;
constexpr std::size_t readers_at = writers_at + writers_size;
constexpr std::size_t reader_size = (sizeof(ReaderLog) / page + 1) * page;
static_assert(sizeof(Common) <= page);

// Arguments: name, record, life, place, form.
const ChildFunction writer{"chaos: ring writer", [](std::span<const std::string> arguments) -> int {
  const auto life = static_cast<std::uint32_t>(std::stoul(arguments[2]));
  const std::size_t place = std::stoul(arguments[3]);
  const bool in_place = arguments[4] == "in place";
  const Record shared(arguments[1], 0, readers_at);
  auto& common = shared.at<Common>(0);
  auto& log = shared.at<WriterLog>(writers_at + life * sizeof(WriterLog));
  if (place % 4 >= 2) dawdle(512, 300us);
  CircularBuffer ring(arguments[0]);
  Message message{life, 0, {}};
  while (common.writers_stop.load() == 0) {
    fill(message);
    Status status = Status::ok;
    if (in_place) {
      auto claim = ring.claim(100ms);
      status = claim.status();
      if (claim) {
        if (message.number % 13 == 12) ring.claim(no_wait).abandon();
        std::memcpy(claim.bytes().data(), &message, sizeof message);
        claim.publish(sizeof message);
        status = claim.status();
      }
    } else {
      status = ring.write(message, 100ms);
    }
    if (status == Status::ok) {
      log.acked.store(++message.number);
      common.progress[place].count.fetch_add(1);
    } else if (status != Status::timed_out) {
      common.surprises.fetch_add(1);
      return 1;
    }
  }
  return 0;
}};

const ChildFunction reader{"chaos: ring reader", [](std::span<const std::string> arguments) -> int {
  const std::size_t life = std::stoul(arguments[2]);
  const std::size_t place = std::stoul(arguments[3]);
  const bool in_place = arguments[4] == "in place";
  const Record shared(arguments[1], 0, readers_at);
  const Record own(arguments[1], readers_at + life * reader_size, reader_size);
  auto& common = shared.at<Common>(0);
  auto& log = own.at<ReaderLog>(0);
  if (place % 4 >= 2) dawdle(512, 300us);
  CircularBuffer ring(arguments[0]);
  for (std::uint64_t count = 0; count < ReaderLog::most;) {
    const bool stop = common.readers_stop.load() != 0;
    Message message{};
    Status status = Status::ok;
    const auto record = [&] {
      if (is_torn(message)) common.torn.fetch_add(1);
      log.messages[count] = std::uint64_t{message.writer} << 32 | message.number;
      log.taken.store(count + 1);
    };
    if (in_place) {
      auto taken = ring.take(100ms);
      status = taken.status();
      if (taken) {
        message = taken.as<Message>();
        record();
        taken.release();
      }
    } else {
      status = ring.read(message, 100ms);
      if (status == Status::ok) record();
    }
    if (status == Status::ok) {
      log.released.store(++count);
      common.progress[place].count.fetch_add(1);
    } else if (status != Status::timed_out) {
      common.surprises.fetch_add(1);
      return 1;
    } else if (stop) {
      return 0;
    }
  }
  return 0;
}};

// One round: the processes of the places, and the account of what they did.
class Round {
 public:
  Round(const std::string& name, bool with_copying_reader)
      : name_(name), copying_(with_copying_reader), record_(readers_at + most_lives * reader_size) {
    for (std::size_t place = 0; place < places; ++place) start(place);
  }

  void kill(const std::vector<std::size_t>& victims) {
    for (const std::size_t place : victims) children_.at(place).kill();
    for (const std::size_t place : victims) {
      if (!children_.at(place).wait().killed_by(SIGKILL)) {
        ++ended_by_themselves_;  // a reader whose log was full
        continue;
      }
      ++kills_;
      if (place >= sides) {
        killed_readers_[life_[place]] = true;
        copying_kills_ += is_copying(place);
      }
    }
    for (const std::size_t place : victims) start(place);
  }

  // Readers whose log is full have left.
  void replace_finished() {
    for (auto& [place, child] : children_) {
      if (!child.running()) {
        CHECK(child.wait().clean());
        start(place);
        return;
      }
    }
  }

  std::uint64_t received_by(std::size_t place) const { return common().progress[place].count.load(); }
  std::uint64_t received() const {
    std::uint64_t sum = 0;
    for (std::size_t place = sides; place < places; ++place) sum += received_by(place);
    return sum;
  }

  // Everybody stops, writers first.
  void finish() {
    common().writers_stop = 1;
    for (std::size_t place = 0; place < sides; ++place) CHECK(children_.at(place).wait().clean());
    for (;;) {  // readers whose log fills up now are replaced, too
      common().readers_stop = 1;
      bool full = false;
      for (std::size_t place = sides; place < places; ++place) {
        CHECK(children_.at(place).wait().clean());
        const Record log(record_.path(), readers_at + life_[place] * reader_size, reader_size);
        full = full || log.at<ReaderLog>(0).released == ReaderLog::most;
      }
      if (!full) break;
      for (std::size_t place = sides; place < places; ++place) start(place);
    }
    children_.clear();
  }

  struct Account {
    std::uint64_t messages = 0;      // acknowledged
    std::uint64_t unlogged = 0;      // taken, and not acknowledged: legal
    std::uint64_t again = 0;         // taken again after a reader's death
    std::uint64_t without_record = 0;
    std::uint64_t lost = 0;          // against A1
    std::uint64_t twice = 0;         // against A2
    std::uint64_t foreign = 0;       // against A3
    std::uint64_t torn = 0;
    std::uint64_t surprises = 0;
  };

  Account account() const {
    Account result;
    struct Taken {
      std::uint8_t times;
      std::uint8_t unfinished;
    };
    std::vector<std::vector<Taken>> taken(lives_of_writers_);
    std::vector<std::uint64_t> acked(lives_of_writers_);
    for (std::size_t life = 0; life < lives_of_writers_; ++life) {
      acked[life] = record_.at<WriterLog>(writers_at + life * sizeof(WriterLog)).acked;
      taken[life].resize(static_cast<std::size_t>(acked[life]) + 1);
      result.messages += acked[life];
    }
    for (std::size_t life = 0; life < lives_of_readers_; ++life) {
      const auto& log = record_.at<ReaderLog>(readers_at + life * reader_size);
      const std::uint64_t released = log.released;
      for (std::uint64_t i = 0; i < log.taken; ++i) {
        const auto writer_life = static_cast<std::size_t>(log.messages[i] >> 32);
        const auto number = static_cast<std::size_t>(log.messages[i] & 0xFFFFFFFFu);
        if (writer_life >= taken.size() || number >= taken[writer_life].size()) {
          ++result.foreign;
          continue;
        }
        Taken& message = taken[writer_life][number];
        ++message.times;
        if (i < released) continue;
        ++message.unfinished;
        const auto killed = killed_readers_.find(life);
        if (killed == killed_readers_.end()) ++result.surprises;  // only the killed may leave a message unfinished
      }
    }
    for (std::size_t life = 0; life < lives_of_writers_; ++life) {
      for (std::size_t number = 0; number < taken[life].size(); ++number) {
        const Taken& message = taken[life][number];
        const bool acknowledged = number < acked[life];
        if (message.times == 0) {
          result.without_record += acknowledged;
          continue;
        }
        result.unlogged += !acknowledged;
        result.again += message.times - 1u;
        if (message.times - message.unfinished > 1) ++result.twice;
      }
    }
    result.lost = result.without_record > copying_kills_ ? result.without_record - copying_kills_ : 0;
    result.torn = common().torn;
    result.surprises += common().surprises;
    return result;
  }

  std::uint64_t kills() const { return kills_; }
  std::uint64_t copying_kills() const { return copying_kills_; }
  bool has_room() const { return lives_of_readers_ + places < most_lives && lives_of_writers_ + places < most_lives; }

 private:
  Common& common() const { return record_.at<Common>(0); }
  bool is_copying(std::size_t place) const { return copying_ && place == places - 1; }

  void start(std::size_t place) {
    const bool writes = place < sides;
    life_[place] = writes ? lives_of_writers_++ : lives_of_readers_++;
    const bool in_place = writes ? place % 2 == 0 : !is_copying(place);
    children_.erase(place);
    children_.emplace(place, Child(writes ? "chaos: ring writer" : "chaos: ring reader",
                                   {name_, record_.path(), std::to_string(life_[place]), std::to_string(place), in_place ? "in place" : "copying"}));
  }

  std::string name_;
  bool copying_;
  Record record_;
  std::map<std::size_t, Child> children_;
  std::size_t life_[places]{};
  std::size_t lives_of_writers_ = 0;
  std::size_t lives_of_readers_ = 0;
  std::map<std::size_t, bool> killed_readers_;
  std::uint64_t kills_ = 0;
  std::uint64_t copying_kills_ = 0;
  std::uint64_t ended_by_themselves_ = 0;
};

double rate_over(const Round& round, std::chrono::milliseconds time) {
  const auto before = round.received();
  const auto start = Clock::now();
  std::this_thread::sleep_for(time);
  return static_cast<double>(round.received() - before) / std::chrono::duration<double>(Clock::now() - start).count();
}

// From a kill until the readers that live have got something.
double until_they_go_on(const Round& round, const std::vector<std::size_t>& victims) {
  const auto start = Clock::now();
  std::uint64_t before[places];
  for (std::size_t place = 0; place < places; ++place) before[place] = round.received_by(place);
  const bool all = victims.size() >= sides;  // then the replaced count
  eventually([&] {
    for (std::size_t place = sides; place < places; ++place) {
      if (!all && std::ranges::find(victims, place) != victims.end()) continue;
      if (round.received_by(place) != before[place]) return true;
    }
    return false;
  });
  return milliseconds(Clock::now() - start);
}

struct Statistics {
  std::uint64_t repairs = 0;
  std::uint64_t redeliveries = 0;
};

// From the seats, which keep their counts when their holders die.
Statistics statistics_of(const std::string& name) {
  Statistics sum;
  const auto bytes = shm_bytes(name);
  strait::layout::SegmentHeader header{};
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  for (std::uint32_t seat = 0; seat < header.seat_count; ++seat) {
    strait::layout::SeatLine line{};
    std::memcpy(static_cast<void*>(&line), bytes.data() + strait::layout::header_size + seat * sizeof line, sizeof line);
    sum.repairs += line.repairs.load();
    sum.redeliveries += line.redeliveries.load();
  }
  return sum;
}

}  // namespace

TEST_CASE("chaos on a ring: whoever is killed whenever, every acknowledged message arrives, and twice only where a reader died with it", "[chaos]") {
  const ChaosRun run("chaos on a ring", 16);
  NameGuard name("chaos");
  CircularBuffer owner(name, ring_nodes, sizeof(Message));
  Schedule schedule(run.seed, places);
  Figures undisturbed;
  Figures recovered;
  Figures pauses;
  Round::Account total;
  std::uint64_t kills = 0;
  std::uint64_t copying_kills = 0;
  int rounds = 0;
  const auto end = Clock::now() + run.time;
  while (Clock::now() < end) {
    const bool copying = rounds % 2 == 1;
    Round round(name, copying);
    eventually([&] { return round.received() > 1000; });
    for (int i = 0; i < 5; ++i) undisturbed.add(rate_over(round, 200ms));
    const auto round_end = std::min(end, Clock::now() + 4s);
    while (Clock::now() < round_end && round.has_room()) {
      const Kill kill = schedule.next();
      if (kill.calm) {
        std::this_thread::sleep_for(200ms);
        recovered.add(rate_over(round, 200ms));
      } else {
        std::this_thread::sleep_for(kill.after);
      }
      round.replace_finished();
      round.kill(kill.victims);
      pauses.add(until_they_go_on(round, kill.victims));
    }
    round.finish();
    const auto account = round.account();
    INFO("round " << rounds << (copying ? " with a copying reader" : "") << ", seed " << run.seed << ", " << account.messages << " messages");
    CHECK(account.lost == 0);
    CHECK(account.twice == 0);
    CHECK(account.foreign == 0);
    CHECK(account.torn == 0);
    CHECK(account.surprises == 0);
    CHECK(owner.approximate_size() == 0);
    total.messages += account.messages;
    total.unlogged += account.unlogged;
    total.again += account.again;
    total.without_record += account.without_record;
    kills += round.kills();
    copying_kills += round.copying_kills();
    ++rounds;
  }
  // No node is lost, and nobody but the owner is left.
  Message message{};
  fill(message);
  eventually([&] {
    CHECK(owner.read(message, no_wait) == Status::timed_out);
    return owner.participants().size() == 1;
  });
  for (std::size_t i = 0; i < ring_nodes; ++i) CHECK(owner.write(message, no_wait) == Status::ok);
  CHECK(owner.write(message, no_wait) == Status::timed_out);

  const auto statistics = statistics_of(name);
  std::printf("  %d rounds, %llu kills, %llu messages, %llu repairs, %llu given back by repairs\n", rounds, static_cast<unsigned long long>(kills),
              static_cast<unsigned long long>(total.messages), static_cast<unsigned long long>(statistics.repairs),
              static_cast<unsigned long long>(statistics.redeliveries));
  std::printf("  %llu taken again after a reader's death, %llu taken and not logged by a killed writer, %llu unrecorded by %llu killed copying readers\n",
              static_cast<unsigned long long>(total.again), static_cast<unsigned long long>(total.unlogged),
              static_cast<unsigned long long>(total.without_record), static_cast<unsigned long long>(copying_kills));
  print_pauses("the living", pauses);
  std::printf("  messages a second, lowest, median, highest fifth of a second: undisturbed %.0f %.0f %.0f, from 200 ms after a kill on %.0f %.0f %.0f\n",
              undisturbed.at(0), undisturbed.at(0.5), undisturbed.at(1), recovered.at(0), recovered.at(0.5), recovered.at(1));
}
