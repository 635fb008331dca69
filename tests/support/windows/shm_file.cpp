// Shared memory as sections of the page file: there as long as somebody holds them.

#include "../shm_file.hpp"
#include "../unique_name.hpp"

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/windows_shared_memory.hpp>
#include <windows.h>

#include <cstring>
#include <map>

namespace strait::test {
namespace {

namespace ipc = boost::interprocess;

std::map<std::string, ipc::windows_shared_memory>& forged() {
  static std::map<std::string, ipc::windows_shared_memory> objects;
  return objects;
}

ipc::mapped_region map(std::string_view name) {
  const ipc::windows_shared_memory object(ipc::open_only, std::string(name).c_str(), ipc::read_write);
  return {object, ipc::read_write, 0, static_cast<std::size_t>(object.get_size())};
}

bool is_there(void* handle) {
  if (handle != nullptr) ::CloseHandle(handle);
  return handle != nullptr;
}

}  // namespace

bool shm_exists(std::string_view name) {
  const std::string text(name);
  return is_there(::OpenFileMappingA(FILE_MAP_READ, FALSE, text.c_str())) || is_there(::OpenMutexA(SYNCHRONIZE, FALSE, (text + ".strait").c_str())) ||
         is_there(::OpenMutexA(SYNCHRONIZE, FALSE, text.c_str())) || is_there(::OpenEventA(SYNCHRONIZE, FALSE, text.c_str()));
}

bool names_stay() { return false; }

std::vector<unsigned char> shm_bytes(std::string_view name) {
  const auto region = map(name);
  const auto* const first = static_cast<const unsigned char*>(region.get_address());
  return {first, first + region.get_size()};
}

bool shm_holds(std::string_view name, const std::vector<unsigned char>& bytes) {
  auto expected = bytes;
  SYSTEM_INFO system{};
  ::GetSystemInfo(&system);
  const std::size_t page = system.dwPageSize;
  expected.resize((bytes.size() + page - 1) / page * page);
  return shm_bytes(name) == expected;
}

void shm_write(std::string_view name, const std::vector<unsigned char>& bytes) {
  const std::string text(name);
  forged().erase(text);
  forged()[text] = ipc::windows_shared_memory(ipc::create_only, text.c_str(), ipc::read_write, bytes.empty() ? 1 : bytes.size());
  if (!bytes.empty()) shm_patch(name, 0, bytes.data(), bytes.size());
}

void shm_patch(std::string_view name, std::uint64_t offset, const void* bytes, std::size_t count) {
  const auto region = map(name);
  std::memcpy(static_cast<unsigned char*>(region.get_address()) + offset, bytes, count);
}

BackDoor::BackDoor(const std::string& name) {
  const auto region = std::make_shared<ipc::mapped_region>(map(name));
  bytes_ = {region, static_cast<std::byte*>(region->get_address())};
  size_ = region->get_size();
}

void shm_forget(const std::string& name) { forged().erase(name); }

std::optional<std::uint64_t> shm_room() {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  if (::GlobalMemoryStatusEx(&status) == 0) return std::nullopt;
  return status.ullAvailPhys;
}

// Names cannot be listed; the name itself can be looked for.
std::vector<std::string> left_behind(std::string_view prefix) {
  if (shm_exists(prefix)) return {std::string(prefix)};
  return {};
}

}  // namespace strait::test
