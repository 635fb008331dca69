// Chaos on a topic: 3 publishers and 5 subscribers, 3 lossless and 2 lossy, are killed at random instants and replaced. Every message bears
// its publisher's life and number, and each life keeps count of what was acknowledged.
//
//   C1  no message is torn or half.
//   C2  a lossless subscriber gets the messages of each life in order and without a gap: from the first on that was published after it had
//       connected, to the last that was acknowledged.
//   C3  what a lossy one got and what it was told it missed make up all numbers, from the first to the last.
//   C4  everybody goes on after every kill, and nothing stays behind.
//
// STRAIT_CHAOS_SECONDS says how long (see chaos.hpp).

#include "chaos.hpp"
#include "crash.hpp"

#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace strait::test;
using namespace strait::test::crash;
using strait::Delivery;
using strait::Publisher;
using strait::Status;
using strait::Subscriber;

namespace {

constexpr std::size_t publishers = 3;
constexpr std::size_t lossless = 3;
constexpr std::size_t places = publishers + lossless + 2;
constexpr std::size_t most_lives = 100'000;

struct Life {
  std::atomic<std::uint64_t> publisher;
  std::atomic<std::uint64_t> begun;  // at least what is published: one may be that is not acknowledged yet
  std::atomic<std::uint64_t> acknowledged;
};

struct Common {
  std::atomic<std::uint32_t> stop;
  std::atomic<std::uint32_t> lives;
  std::atomic<std::uint64_t> torn;       // against C1
  std::atomic<std::uint64_t> gaps;       // against C2
  std::atomic<std::uint64_t> late;       // against C2: the first that was got was not the first published
  std::atomic<std::uint64_t> lost;       // against C2: the last acknowledged did not come
  std::atomic<std::uint64_t> miscounted; // against C3
  std::atomic<std::uint64_t> missed;
  struct alignas(64) Line {
    std::atomic<std::uint64_t> count;
  } progress[places];
  Life life[most_lives];
};

struct Head {
  std::uint64_t life;
  std::uint64_t number;
  std::uint64_t check;
};

std::uint64_t check_of(std::uint64_t life, std::uint64_t number) { return (life * 0x9e3779b97f4a7c15ull) ^ ~number; }

int publish(const std::string& topic, Common& common, std::size_t place) {
  const std::uint64_t life = common.lives.fetch_add(1);
  if (life >= most_lives) return 1;
  strait::TopicOptions options;
  options.node_count = 64;
  options.node_buffer_size = 128;
  options.open_timeout = 60s;
  Publisher publisher(topic, options);
  Life& mine = common.life[life];
  mine.publisher.store(publisher.id());
  std::vector<std::byte> message;
  for (std::uint64_t number = 0; common.stop.load() == 0; ++number) {
    const Head head{life, number, check_of(life, number)};
    mine.begun.store(number + 1);
    if (number % 5 == 4) {
      auto loan = publisher.loan(strait::forever);
      std::memcpy(loan.bytes().data(), &head, sizeof head);
      loan.publish(sizeof head);
    } else {
      message.assign(sizeof head + static_cast<std::size_t>(number * 37 % 700), static_cast<std::byte>(number));
      std::memcpy(message.data(), &head, sizeof head);
      if (publisher.publish(message, strait::forever) != Status::ok) return 1;
    }
    mine.acknowledged.store(number + 1);
    common.progress[place].count.fetch_add(1);
  }
  return 0;
}

int subscribe(const std::string& topic, Common& common, std::size_t place) {
  const bool is_lossless = place < publishers + lossless;
  struct Seen {
    std::uint64_t next = 0;
    std::uint64_t told = 0;
  };
  std::map<std::uint64_t, Seen> lives;
  Subscriber subscriber(topic, is_lossless ? Delivery::lossless : Delivery::lossy);
  // Everything published from here on is for this one too.
  const std::uint64_t lives_before = common.lives.load();
  std::vector<std::uint64_t> begun(static_cast<std::size_t>(lives_before));
  for (std::size_t life = 0; life < begun.size(); ++life) begun[life] = common.life[life].begun.load();
  for (;;) {
    const bool stop = common.stop.load() != 0 && subscriber.active_connections() == 0;
    const auto received = subscriber.receive(300ms);
    if (!received) {
      if (received.status != Status::timed_out) return 1;
      if (stop) break;
      continue;
    }
    Head head{};
    if (received.data.size() < sizeof head) {
      common.torn.fetch_add(1);
      continue;
    }
    std::memcpy(&head, received.data.data(), sizeof head);
    bool whole = head.check == check_of(head.life, head.number) && head.life < most_lives;
    const std::size_t size = head.number % 5 == 4 ? sizeof head : sizeof head + static_cast<std::size_t>(head.number * 37 % 700);
    whole = whole && received.data.size() == size;
    for (std::size_t at = sizeof head; whole && at < size; ++at) whole = received.data[at] == static_cast<std::byte>(head.number);
    if (!whole) {
      common.torn.fetch_add(1);
      continue;
    }
    const auto [found, is_first] = lives.try_emplace(head.life);
    Seen& seen = found->second;
    if (is_first) {
      const std::uint64_t first = head.number - received.missed;
      const std::uint64_t at_most = head.life < lives_before ? begun[static_cast<std::size_t>(head.life)] : 0;
      if (first > at_most) common.late.fetch_add(1);
      seen.next = first;
    }
    if (head.number != seen.next + received.missed || (is_lossless && received.missed != 0)) (is_lossless ? common.gaps : common.miscounted).fetch_add(1);
    seen.next = head.number + 1;
    seen.told += received.missed;
    common.missed.fetch_add(received.missed);
    common.progress[place].count.fetch_add(1);
  }
  // All publishers are gone, and all they left is read.
  for (std::uint64_t life = 0; life < common.lives.load(); ++life) {
    const auto found = lives.find(life);
    const std::uint64_t begun_then = life < lives_before ? begun[static_cast<std::size_t>(life)] : 0;
    const std::uint64_t all = common.life[life].acknowledged.load();
    if (found == lives.end()) {
      if (all > begun_then && (is_lossless || subscriber.missed(common.life[life].publisher.load()) < all - begun_then)) common.lost.fetch_add(1);
      continue;
    }
    const std::uint64_t untold = subscriber.missed(common.life[life].publisher.load()) - found->second.told;
    const std::uint64_t end = found->second.next + untold;
    if (end != all && end != all + 1) (is_lossless ? common.lost : common.miscounted).fetch_add(1);
  }
  return 0;
}

// Arguments: topic, record, place.
const ChildFunction party{"chaos: topic", [](std::span<const std::string> arguments) -> int {
                            const std::size_t place = std::stoul(arguments[2]);
                            const Record shared(arguments[1], 0, sizeof(Common));
                            auto& common = shared.at<Common>(0);
                            if (place % 2 == 1) dawdle(512, 300us);
                            return place < publishers ? publish(arguments[0], common, place) : subscribe(arguments[0], common, place);
                          }};

}  // namespace

TEST_CASE("chaos on a topic: whoever is killed whenever, no lossless subscriber misses a message, and lossy ones know what they missed", "[chaos]") {
  const ChaosRun run("chaos on a topic", 10, 120s);
  NameGuard topic("chaos");
  const Record record(sizeof(Common));
  auto& common = record.at<Common>(0);
  Crowd crowd("chaos: topic", topic.str(), record, places);
  crowd.storm(run, [&] {
    wait_for_progress(common.progress, 0, publishers);
    wait_for_progress(common.progress, publishers, lossless);
    wait_for_progress(common.progress, publishers + lossless, places - publishers - lossless);
  });
  common.stop = 1;
  crowd.end();

  CHECK(common.torn.load() == 0);
  CHECK(common.gaps.load() == 0);
  CHECK(common.late.load() == 0);
  CHECK(common.lost.load() == 0);
  CHECK(common.miscounted.load() == 0);
  std::uint64_t published = 0;
  std::uint64_t received = 0;
  for (std::size_t place = 0; place < places; ++place) (place < publishers ? published : received) += common.progress[place].count.load();
  std::printf("  %llu kills, %u lives of publishers, %llu messages published, %llu received, %llu missed by lossy subscribers\n",
              static_cast<unsigned long long>(crowd.kills), common.lives.load(), static_cast<unsigned long long>(published),
              static_cast<unsigned long long>(received), static_cast<unsigned long long>(common.missed.load()));
  print_pauses("everybody", crowd.pauses);
}
