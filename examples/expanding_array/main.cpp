// Shared storage that grows: element i lies in bucket bucket_index(i), and every bucket is a segment of its own.

#include <strait/expanding_array.hpp>

#include <cstddef>
#include <iostream>

int main() try {
  strait::ExpandingArray<int> writer(strait::open_or_create, "strait-example-expanding-array");
  strait::ExpandingArray<int> reader(strait::open_or_create, "strait-example-expanding-array");  // or in any other process

  for (int i = 0; i < 32; ++i) writer.push_back(i * i);

  std::cout << "elements: " << reader.size() << '\n';
  std::cout << "element 5: " << reader[5] << '\n';
  std::cout << "element 31: " << reader.at(31) << '\n';

  std::size_t first = 0;
  for (std::size_t i = 1; i <= reader.size(); ++i) {
    const std::size_t bucket = strait::ExpandingArray<int>::bucket_index(first);
    if (i < reader.size() && strait::ExpandingArray<int>::bucket_index(i) == bucket) continue;
    std::cout << "bucket " << bucket << ": elements " << first << " to " << i - 1 << '\n';
    first = i;
  }
} catch (const strait::Error& error) {
  std::cerr << "expanding_array: " << error.what() << '\n';
  return 1;
}
