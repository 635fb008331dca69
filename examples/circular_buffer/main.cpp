// A ring of two nodes with one `int` each: two messages fit, and are read in the order in which they were written.

#include <strait/circular_buffer.hpp>

#include <iostream>

int main() try {
  strait::CircularBuffer producer("strait-example-circular-buffer", 2, sizeof(int));
  strait::CircularBuffer consumer("strait-example-circular-buffer");

  // Every call ends with a verdict. Here there is room for both, so anything else is a failure.
  if (producer.write(123) != strait::Status::ok || producer.write(456) != strait::Status::ok) {
    std::cerr << "circular_buffer: could not write\n";
    return 1;
  }

  std::cout << "SharedMemory.CircularBuffer:\n";
  int number = 0;
  while (consumer.read(number, strait::no_wait) == strait::Status::ok) std::cout << number << '\n';
} catch (const strait::Error& error) {
  std::cerr << "circular_buffer: " << error.what() << '\n';
  return 1;
}
