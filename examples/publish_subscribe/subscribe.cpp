// Prints what is published, by whom it may be, until all publishers are gone.

#include <strait/subscriber.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

int main(int argc, char** argv) try {
  using namespace std::chrono_literals;
  const std::string topic = argc > 1 ? argv[1] : "strait-example-topic";
  const bool lossy = argc > 2 && std::string_view(argv[2]) == "lossy";

  strait::Subscriber subscriber(topic, lossy ? strait::Delivery::lossy : strait::Delivery::lossless);
  std::cout << "ready" << std::endl;
  if (subscriber.wait_for_publishers(1, strait::forever) != strait::Status::ok) return 1;
  for (;;) {
    const bool last_look = subscriber.active_connections() == 0;
    const auto message = subscriber.receive(100ms);
    if (!message) {
      if (last_look) break;
      continue;
    }
    if (message.missed != 0) std::cout << "(missed " << message.missed << ")\n";
    std::cout << std::string_view(reinterpret_cast<const char*>(message.data.data()), message.data.size()) << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << "subscribe: " << error.what() << '\n';
  return 1;
}
