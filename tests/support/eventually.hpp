#pragma once
// Waiting for something that another thread or process is about to do and that cannot be waited for otherwise.

#include <chrono>
#include <thread>

namespace strait::test {

/// Looks until `condition()` is true. No limit of its own: a Watchdog ends the test when that never happens.
template <class Condition>
void eventually(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace strait::test
