#include "unique_name.hpp"

#include "catch.hpp"

#include "shm_file.hpp"

#include <strait/platform/process.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <random>

namespace strait::test {

std::string unique_name(std::string_view tag) {
  static std::atomic<unsigned> counter{0};
  static const auto random = static_cast<std::uint32_t>(std::random_device{}());
  char tail[64];
  std::snprintf(tail, sizeof tail, "-%ld-%u-%08x", static_cast<long>(platform::process_id()), counter.fetch_add(1), static_cast<unsigned>(random));
  return "strait-test-" + std::string(tag) + tail;
}

NameGuard::~NameGuard() noexcept(false) {
  const auto found = left_behind(name_);
  for (const auto& name : found) shm_forget(name);
  if (found.empty()) return;
  if (std::uncaught_exceptions() > 0) {
    std::fprintf(stderr, "left behind: %s\n", found.front().c_str());
    return;
  }
  CAPTURE(found);
  FAIL_CHECK("segments were left behind");
}

}  // namespace strait::test
