// A slice of a shared array is a std::span: standard algorithms, range-for and writing through it work as on any memory.

#include <strait/shared_array.hpp>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <span>
#include <string_view>

namespace {

void print(std::string_view title, std::span<const int> numbers) {
  std::cout << title << ':';
  for (const int number : numbers) std::cout << ' ' << number;
  std::cout << '\n';
}

}  // namespace

int main() try {
  strait::SharedArray<int> array("strait-example-array-slice", 10);
  strait::SharedArray<int> other("strait-example-array-slice");  // what another process would see

  std::iota(array.begin(), array.end(), 0);
  print("whole", other.span());

  const std::span<int> middle = array.span().subspan(3, 4);  // offset 3, count 4
  print("slice", middle);

  middle.front() = 300;
  std::ranges::reverse(middle);
  print("whole", other.span());

  const auto found = std::ranges::find(middle, 300);
  std::cout << "300 is at " << found - middle.begin() << " of the slice\n";

  // A slice has no lock. Where others write at the same time, copy it in and out under the array's own lock rules.
  int tail[2] = {};
  other.read(std::span(tail), 8);
  print("tail", tail);
} catch (const strait::Error& error) {
  std::cerr << "array_slice: " << error.what() << '\n';
  return 1;
}
