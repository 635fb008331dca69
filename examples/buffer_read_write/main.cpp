// Typed values at byte positions of a shared buffer.

#include <strait/buffer_read_write.hpp>

#include <iostream>

int main() try {
  strait::BufferReadWrite producer("strait-example-buffer-read-write", 1024);
  strait::BufferReadWrite consumer("strait-example-buffer-read-write");

  producer.write(123, 0);
  producer.write(456, 1000);

  std::cout << "SharedMemory.BufferReadWrite:\n";
  std::cout << consumer.read<int>(0) << '\n';
  std::cout << consumer.read<int>(1000) << '\n';
} catch (const strait::Error& error) {
  std::cerr << "buffer_read_write: " << error.what() << '\n';
  return 1;
}
