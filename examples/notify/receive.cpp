// Prints each message that it is told of, until one says "bye". One that comes while another is printed may replace the next; the
// last one is never missed.

#include <strait/notifying_buffer.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <iostream>
#include <span>
#include <string>

int main() try {
  strait::NotifyingBuffer buffer("strait-example-notify", 1000);
  std::promise<void> bye;
  const auto subscription = buffer.on_receive([&](std::span<const std::byte> message) {
    const std::string text(reinterpret_cast<const char*>(message.data()), message.size());
    std::cout << "received: " << text << std::endl;
    if (text == "bye") bye.set_value();
  });
  std::cout << "ready" << std::endl;
  if (bye.get_future().wait_for(std::chrono::minutes(10)) == std::future_status::ready) return 0;
  std::cerr << "notify: nobody said bye\n";
  return 1;
} catch (const std::exception& error) {
  std::cerr << "notify: " << error.what() << '\n';
  return 1;
}
