// A program of somebody who uses Strait. It creates and opens an array, and asks a second source file for its length: two
// files that include everything must link.

#include <strait/strait.hpp>

#include <unistd.h>

#include <cstddef>
#include <iostream>
#include <string>

std::size_t length_of(const std::string& name);

int main() {
  const std::string name = "strait-consumer-" + std::to_string(::getpid());
  strait::SharedArray<int> created(name, 3);
  strait::SharedArray<int> opened(name);
  created[2] = 7;
  if (opened[2] != 7 || length_of(name) != 3) return 1;
  std::cout << "it works" << std::endl;
}
