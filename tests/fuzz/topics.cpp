// Topics: the registry and a publisher's ring, both sides, whole messages and such in several parts.

#include "fuzz.hpp"

#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace strait::fuzz {

namespace {

using namespace std::chrono_literals;

TopicOptions topic_options() {
  auto options = quick<TopicOptions>();
  options.node_count = 8;
  options.node_buffer_size = 64;
  options.history = 2;
  return options;
}

// The one whose ring is scribbled over goes on publishing.
std::weak_ptr<Publisher> kept;

std::shared_ptr<void> make_publisher(const std::string& name) {
  auto publisher = std::make_shared<Publisher>(name, topic_options());
  static_cast<void>(publisher->publish(std::vector<std::byte>(30), no_wait));
  static_cast<void>(publisher->publish(std::vector<std::byte>(150), no_wait));
  kept = publisher;
  return publisher;
}

// A message is no longer than what its ring can hold, and all of it may be touched.
void check(std::span<const std::byte> message) {
  read_all(message);
  if (message.size() > 4096) __builtin_trap();
}

void use_topic(const std::string& name, Bytes& bytes) {
  const auto how = bytes.take();
  auto options = topic_options();
  auto publisher = kept.lock();
  if (!publisher || (how & 3) == 0) publisher = std::make_shared<Publisher>(name, options);
  options.read_only = (how & 0x1c) == 0;
  std::optional<Subscriber> subscriber;
  verdict([&] { subscriber.emplace(name, (how & 0x20) != 0 ? Delivery::lossy : Delivery::lossless, options); });
  Subscription heard;
  if (subscriber && (how & 0xc0) == 0xc0) verdict([&] { heard = subscriber->on_message(&check); });
  std::optional<WriteClaim> claim;
  repeat(bytes, [&](std::uint8_t choice) {
    const Timeout time = (choice & 0x80) != 0 ? Timeout(200us) : no_wait;
    std::array<std::byte, 250> some{};
    switch (choice % 14) {
      case 0: static_cast<void>(publisher->publish(std::span(some).first(choice % 65), time)); break;
      case 1: static_cast<void>(publisher->publish(std::span(some), time)); break;
      case 2: static_cast<void>(publisher->publish(std::vector<std::string>{"one", std::string(100, 'x'), ""}, time)); break;
      case 3: claim.emplace(publisher->loan(time)); break;
      case 4:
        if (claim && *claim) claim->publish(choice % 65);
        break;
      case 5: claim.reset(); break;
      case 6: static_cast<void>(publisher->active_connections()); break;
      case 7: static_cast<void>(publisher->wait_for_subscribers(1 + choice % 2, time)); break;
      case 8:
      case 9:
        if (subscriber) check(subscriber->receive(time).data);
        break;
      case 10:
      case 11:
        if (subscriber) static_cast<void>(subscriber->receive_with(&check, time));
        break;
      case 12:
        if (subscriber) static_cast<void>(subscriber->missed() + subscriber->missed(publisher->id()) + subscriber->active_connections());
        break;
      default:
        // What a publisher that is gone has left is read to its end.
        if (choice % 4 == 1) publisher->close();
    }
  });
}

std::shared_ptr<void> make_subscriber(const std::string& name) {
  kept.reset();
  return std::make_shared<Subscriber>(name, Delivery::lossless, topic_options());
}

constexpr std::array all_kinds{
    Kind{"ring of a publisher", "*", &make_publisher, &use_topic},
    Kind{"topic of a publisher", "", &make_publisher, &use_topic},
    Kind{"topic of a subscriber", "", &make_subscriber, &use_topic},
};

}  // namespace

const std::span<const Kind> topic_kinds(all_kinds);

}  // namespace strait::fuzz
