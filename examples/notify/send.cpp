// Writes each line of its standard input as the newest message; the receivers are told of it.

#include <strait/notifying_buffer.hpp>

#include <exception>
#include <iostream>
#include <span>
#include <string>

int main() try {
  strait::NotifyingBuffer buffer("strait-example-notify", 1000);
  for (std::string line; std::getline(std::cin, line);) buffer.write(std::as_bytes(std::span(line)));
} catch (const std::exception& error) {
  std::cerr << "notify: " << error.what() << '\n';
  return 1;
}
