// The record of the chaos tests as a file without a name.

#include "chaos.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace strait::test::crash {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

Record::Record(std::size_t size) : file_(::memfd_create("strait-chaos", MFD_CLOEXEC)) {
  if (file_ < 0 || ::ftruncate(static_cast<int>(file_), static_cast<off_t>(size)) != 0) fail("memfd");
  path_ = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_);
  map(0, size);
}

Record::Record(const std::string& path, std::size_t offset, std::size_t size) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (file_ < 0) fail("open the record");
  map(offset, size);
}

Record::~Record() {
  ::munmap(memory_, size_);
  ::close(static_cast<int>(file_));
}

void Record::map(std::size_t offset, std::size_t size) {
  size_ = size;
  memory_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, static_cast<int>(file_), static_cast<off_t>(offset));
  if (memory_ == MAP_FAILED) fail("map the record");
}

std::size_t descriptors_in_use() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace strait::test::crash
