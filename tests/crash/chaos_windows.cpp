// The record of the chaos tests as a sparse file that goes with its maker.

#include "../support/unique_name.hpp"
#include "chaos.hpp"

#include <windows.h>
#include <winioctl.h>

#include <filesystem>
#include <system_error>

namespace strait::test::crash {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(), what); }

void* open_file(const std::string& path, unsigned long disposition, unsigned long flags) {
  void* const file = ::CreateFileA(path.c_str(), GENERIC_READ | GENERIC_WRITE | DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, disposition,
                                   flags, nullptr);
  if (file == INVALID_HANDLE_VALUE) fail("open the record");
  return file;
}

// Views begin at multiples of this.
constexpr std::size_t granularity = 65536;

}  // namespace

Record::Record(std::size_t size) : path_((std::filesystem::temp_directory_path() / unique_name("chaos")).string()) {
  void* const file = open_file(path_, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE);
  file_ = reinterpret_cast<std::intptr_t>(file);
  unsigned long ignored = 0;
  ::DeviceIoControl(file, FSCTL_SET_SPARSE, nullptr, 0, nullptr, 0, &ignored, nullptr);
  LARGE_INTEGER end{};
  end.QuadPart = static_cast<long long>(size);
  if (::SetFilePointerEx(file, end, nullptr, FILE_BEGIN) == 0 || ::SetEndOfFile(file) == 0) fail("size the record");
  map(0, size);
}

Record::Record(const std::string& path, std::size_t offset, std::size_t size)
    : file_(reinterpret_cast<std::intptr_t>(open_file(path, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL))), path_(path) {
  map(offset, size);
}

Record::~Record() {
  ::UnmapViewOfFile(static_cast<char*>(memory_) - size_);
  ::CloseHandle(reinterpret_cast<void*>(file_));
}

// `size_`: how far behind the start of the view the record begins.
void Record::map(std::size_t offset, std::size_t size) {
  size_ = offset % granularity;
  const std::uint64_t start = offset - size_;
  void* const section = ::CreateFileMappingA(reinterpret_cast<void*>(file_), nullptr, PAGE_READWRITE, 0, 0, nullptr);
  if (section == nullptr) fail("map the record");
  void* const view = ::MapViewOfFile(section, FILE_MAP_ALL_ACCESS, static_cast<unsigned long>(start >> 32), static_cast<unsigned long>(start), size + size_);
  ::CloseHandle(section);
  if (view == nullptr) fail("map the record");
  memory_ = static_cast<char*>(view) + size_;
}

std::size_t descriptors_in_use() {
  unsigned long count = 0;
  ::GetProcessHandleCount(::GetCurrentProcess(), &count);
  return count;
}

}  // namespace strait::test::crash
