#include "unique_name.hpp"

#include "catch.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <random>

namespace strait::test {

std::string unique_name(std::string_view tag) {
  static std::atomic<unsigned> counter{0};
  static const auto random = static_cast<std::uint32_t>(std::random_device{}());
  char tail[64];
  std::snprintf(tail, sizeof tail, "-%ld-%u-%08x", static_cast<long>(::getpid()), counter.fetch_add(1), static_cast<unsigned>(random));
  return "strait-test-" + std::string(tag) + tail;
}

std::vector<std::string> left_behind(std::string_view prefix) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error)) {
    const std::string name = entry.path().filename().string();
    if (std::string_view(name).starts_with(prefix)) found.push_back(name);
  }
  return found;
}

NameGuard::~NameGuard() noexcept(false) {
  const auto found = left_behind(name_);
  for (const auto& name : found) {
    std::error_code error;
    std::filesystem::remove("/dev/shm/" + name, error);
  }
  if (found.empty()) return;
  if (std::uncaught_exceptions() > 0) {
    std::fprintf(stderr, "left behind: %s\n", found.front().c_str());
    return;
  }
  CAPTURE(found);
  FAIL_CHECK("segments were left behind");
}

}  // namespace strait::test
