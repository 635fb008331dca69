// Publishes each line of its standard input to everybody who subscribes.

#include <strait/publisher.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
  using namespace std::chrono_literals;
  const std::string topic = argc > 1 ? argv[1] : "strait-example-topic";
  const std::size_t subscribers = argc > 2 ? std::stoul(argv[2]) : 0;  // to wait for, before the first line is read

  strait::TopicOptions options;
  options.history = 3;  // who comes late gets the last three lines
  strait::Publisher publisher(topic, options);
  const auto coming = publisher.on_connect([](const strait::Participant& one) { std::cerr << "process " << one.pid << " listens\n"; });
  const auto going = publisher.on_disconnect([](const strait::Participant& one) { std::cerr << "process " << one.pid << " is gone\n"; });

  if (publisher.wait_for_subscribers(subscribers, strait::forever) != strait::Status::ok) return 1;
  for (std::string line; std::getline(std::cin, line);) {
    // A lossless subscriber that does not read holds us back, for this long.
    if (publisher.publish(line, 10s) != strait::Status::ok) std::cerr << "nobody made room for: " << line << '\n';
  }
} catch (const std::exception& error) {
  std::cerr << "publish: " << error.what() << '\n';
  return 1;
}
