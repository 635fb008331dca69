#pragma once
// What the fuzz targets have in common: numbers out of the fuzzer's bytes, names, and the bytes of a real segment to start from.

#include <strait/error.hpp>
#include <strait/options.hpp>
#include <strait/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::fuzz {

// The fuzzer's bytes, taken from the front. Behind the end come zeros.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

  template <class T = std::uint8_t>
  T take() {
    T value{};
    const auto count = left_.size() < sizeof value ? left_.size() : sizeof value;
    if (count != 0) std::memcpy(&value, left_.data(), count);
    left_ = left_.subspan(count);
    return value;
  }
  std::span<const std::uint8_t> take_bytes(std::size_t count) {
    const auto bytes = left_.first(count < left_.size() ? count : left_.size());
    left_ = left_.subspan(bytes.size());
    return bytes;
  }
  bool empty() const { return left_.empty(); }
  std::size_t size() const { return left_.size(); }

 private:
  std::span<const std::uint8_t> left_;
};

// A store of 1, 2, 4 or 8 bytes somewhere, of which the fuzzer may make any: small numbers, large ones, what is near the edges.
struct Scribble {
  std::uint64_t offset = 0;
  std::uint64_t value = 0;
  unsigned width = 1;
  bool spares_header = false;

  static Scribble from(Bytes& bytes) {
    Scribble one;
    const auto how = bytes.take();
    one.offset = bytes.take<std::uint16_t>();
    one.spares_header = (how & 0x80) == 0;
    one.width = 1u << (how & 3);
    switch (how >> 2 & 3) {
      case 0: one.value = bytes.take(); break;
      case 1: one.value = ~std::uint64_t{bytes.take()}; break;
      case 2: one.value = std::uint64_t{1} << (bytes.take() & 63); break;
      default: one.value = bytes.take<std::uint64_t>(); break;
    }
    return one;
  }

  // `header`: what most of them leave alone, so that what lies behind it is used at all.
  void apply(std::byte* to, std::size_t size, std::size_t header) const {
    const std::size_t from = spares_header ? header : 0;
    if (size < from + 8) return;
    const auto at = from + offset % (size - from - 7) / width * width;
    std::memcpy(to + at, &value, width);
  }
};

// No other one's beginning: everything whose name begins so is removed.
inline std::string unique(const char* what) { return "strait-fuzz-" + std::string(what) + "-" + std::to_string(::getpid()) + "-"; }
void remove_all(const std::string& name);

// No call waits for more than a moment.
template <class Options = OpenOptions>
Options quick() {
  Options options;
  options.max_participants = 5;
  options.wait.spin = std::chrono::nanoseconds(0);
  options.open_timeout = no_wait;
  options.lock_timeout = Timeout(std::chrono::milliseconds(1));
  return options;
}

inline std::string path_of(const std::string& name) { return "/dev/shm/" + name; }

// All bytes of an object, mapped behind the back of its holders.
class BackDoor {
 public:
  explicit BackDoor(const std::string& name) {
    const int file = ::open(path_of(name).c_str(), O_RDWR | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || ::fstat(file, &status) != 0) return;
    size_ = static_cast<std::size_t>(status.st_size);
    bytes_ = static_cast<std::byte*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    ::close(file);
  }
  BackDoor(const BackDoor&) = delete;
  BackDoor& operator=(const BackDoor&) = delete;
  ~BackDoor() {
    if (bytes_ != nullptr) ::munmap(bytes_, size_);
  }
  std::byte* bytes() const { return bytes_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
};

// Every byte of it may be read.
inline void read_all(std::span<const std::byte> bytes) {
  unsigned sum = 0;
  for (const auto one : bytes) sum += std::to_integer<unsigned>(one);
  [[maybe_unused]] volatile unsigned kept = sum;  // or nothing need be read at all
}

// Errors are verdicts: all that may come out of a call.
template <class Call>
void verdict(Call call) {
  try {
    call();
  } catch (const Error&) {
  }
}

// `one(choice)` again and again, as the bytes say.
template <class One>
void repeat(Bytes& bytes, One one) {
  for (int i = 0; i < 24 && !bytes.empty(); ++i) {
    const auto choice = bytes.take();
    verdict([&] { one(choice); });
  }
}

// A kind of segment, and everything that can be done with it.
struct Kind {
  const char* name;
  const char* suffix;                                      // how the name of the object that holds its words goes on; "*": nobody knows before
  std::shared_ptr<void> (*make)(const std::string& name);  // a handle of a new one
  void (*use)(const std::string& name, Bytes& bytes);      // opens it and does what the bytes say
  std::size_t header = 128;

  std::string object(const std::string& of) const;
};
extern const std::span<const Kind> kinds;         // kinds.cpp
extern const std::span<const Kind> topic_kinds;   // topics.cpp
extern const std::span<const Kind> dotnet_kinds;  // dotnet.cpp

// As strait-inspect does.
void inspect_segment(const std::string& name);

// The targets.
void open_segment(Bytes bytes);
void scribbled_segment(Bytes bytes);
void rpc_packets(Bytes bytes);
void topics(Bytes bytes);
void dotnet_objects(Bytes bytes);
void dotnet_packets(Bytes bytes);

}  // namespace strait::fuzz
