#pragma once
// Every way to get at a segment, for tests of what is refused.

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace strait::test {

/// Each with what it is called.
inline std::vector<std::pair<std::string, std::function<void(const std::string&)>>> ways() {
  return {
      {"create an array", [](const std::string& name) { SharedArray<int> made(name, 4); }},
      {"create a buffer", [](const std::string& name) { BufferReadWrite made(name, 16); }},
      {"create a ring", [](const std::string& name) { CircularBuffer made(name, 2, 8); }},
      {"open an array", [](const std::string& name) { SharedArray<int> opened(name); }},
      {"open a buffer", [](const std::string& name) { BufferReadWrite opened(name); }},
      {"open a ring", [](const std::string& name) { CircularBuffer opened(name); }},
      {"open or create an array", [](const std::string& name) { SharedArray<int> either(open_or_create, name, 4); }},
      {"open or create a buffer", [](const std::string& name) { BufferReadWrite either(open_or_create, name, 16); }},
      {"open or create a ring", [](const std::string& name) { CircularBuffer either(open_or_create, name, 2, 8); }},
  };
}

}  // namespace strait::test
