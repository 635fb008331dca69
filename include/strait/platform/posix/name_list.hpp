#pragma once
// The names of the shared objects of this machine, where the system lists them (Linux: the files of /dev/shm).

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <strait/platform/posix/wide_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace strait::platform {

// Calls `f(const char*)` with every name, in no order; with none where they cannot be listed.
template <class F>
void for_each_shared_object_name([[maybe_unused]] F f) {
#if STRAIT_LINUX
  struct Close {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(::opendir("/dev/shm"));
  if (!folder) return;
  while (const WideEntry* const entry = wide_readdir(folder.get())) {
    if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN) f(entry->d_name);
  }
#endif
}

inline std::vector<std::string> shared_object_names() {
  std::vector<std::string> names;
  for_each_shared_object_name([&](const char* name) { names.emplace_back(name); });
  return names;
}

// A few of them, each as likely as any other (reservoir sampling).
inline std::vector<std::string> some_shared_object_names(std::size_t share, std::uint64_t seed) {
  std::vector<std::string> names;
  const auto random = [&seed] { return (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33; };
  std::size_t seen = 0;
  for_each_shared_object_name([&](const char* name) {
    ++seen;
    if (names.size() < share) {
      names.emplace_back(name);
    } else if (const auto place = static_cast<std::size_t>(random() % seen); place < share) {
      names[place] = name;
    }
  });
  return names;
}

}  // namespace strait::platform

#endif
