// The smallest program of somebody who uses Strait: one header, one message.

#include <strait/circular_buffer.hpp>

#include <unistd.h>

#include <iostream>
#include <string>

int main() {
  strait::CircularBuffer ring("strait-consumer-" + std::to_string(::getpid()), 2, sizeof(int));
  int seen = 0;
  if (ring.write(123) != strait::Status::ok || ring.read(seen) != strait::Status::ok || seen != 123) return 1;
  std::cout << "it works" << std::endl;
}
