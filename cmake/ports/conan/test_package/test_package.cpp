#include <strait/circular_buffer.hpp>

#include <chrono>
#include <iostream>
#include <string>

int main() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  strait::CircularBuffer ring("strait-test-package-" + std::to_string(now), 2, sizeof(int));
  int seen = 0;
  if (ring.write(123) != strait::Status::ok || ring.read(seen) != strait::Status::ok || seen != 123) return 1;
  std::cout << "it works" << std::endl;
}
