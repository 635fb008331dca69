#pragma once
// A word that somebody else changes between any two looks at it, so that no compare-and-swap ever succeeds; and a thread that changes
// words of a real segment without a pause.

#include "../support/shm_file.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::test {

template <class T>
struct Restless {
  std::function<T()> next;

  T load(std::memory_order) { return next(); }
  void store(T, std::memory_order) {}
  T exchange(T, std::memory_order) { return next(); }
  T fetch_add(T, std::memory_order) { return next(); }
  bool compare_exchange_strong(T& expected, T, std::memory_order, std::memory_order) {
    expected = next();
    return false;
  }
};

/// A mapping of all bytes of a segment, behind the back of its holders.
class BackDoor {
 public:
  explicit BackDoor(const std::string& name) {
    const int file = ::open(shm_path(name).c_str(), O_RDWR | O_CLOEXEC);
    struct stat status {};
    ::fstat(file, &status);
    size_ = static_cast<std::size_t>(status.st_size);
    bytes_ = static_cast<std::byte*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    ::close(file);
  }
  BackDoor(const BackDoor&) = delete;
  BackDoor& operator=(const BackDoor&) = delete;
  ~BackDoor() { ::munmap(bytes_, size_); }

  std::byte* bytes() const { return bytes_; }
  std::size_t size() const { return size_; }
  template <class T>
  std::atomic<T>& word(std::size_t offset) const {
    return *reinterpret_cast<std::atomic<T>*>(bytes_ + offset);
  }

 private:
  std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
};

/// Calls `scribble()` again and again, until it is destroyed.
class Scribbler {
 public:
  explicit Scribbler(std::function<void()> scribble)
      : thread_([this, scribble = std::move(scribble)] {
          while (!ended_.load(std::memory_order_relaxed)) {
            for (int i = 0; i < 64; ++i) scribble();
          }
        }) {}
  Scribbler(const Scribbler&) = delete;
  Scribbler& operator=(const Scribbler&) = delete;
  ~Scribbler() {
    ended_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace strait::test
