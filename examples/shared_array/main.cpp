// A fixed-size array that two handles see as one. The second handle could be in any other process.

#include <strait/shared_array.hpp>

#include <iostream>

int main() try {
  strait::SharedArray<int> producer("strait-example-shared-array", 10);
  strait::SharedArray<int> consumer("strait-example-shared-array");

  producer[0] = 123;
  producer[producer.size() - 1] = 456;

  std::cout << "SharedMemory.SharedArray:\n";
  std::cout << consumer[0] << '\n';
  std::cout << consumer[consumer.size() - 1] << '\n';
} catch (const strait::Error& error) {
  std::cerr << "shared_array: " << error.what() << '\n';
  return 1;
}
