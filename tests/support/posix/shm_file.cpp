// Shared memory as files: Linux keeps them in /dev/shm.

#include "../shm_file.hpp"
#include "../unique_name.hpp"

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace strait::test {

std::string shm_path(std::string_view name) { return "/dev/shm/" + std::string(name); }

bool shm_exists(std::string_view name) { return std::filesystem::exists(shm_path(name)); }

bool names_stay() { return true; }

std::vector<unsigned char> shm_bytes(std::string_view name) {
  std::ifstream file(shm_path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool shm_holds(std::string_view name, const std::vector<unsigned char>& bytes) { return shm_bytes(name) == bytes; }

void shm_write(std::string_view name, const std::vector<unsigned char>& bytes) {
  std::ofstream file(shm_path(name), std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void shm_patch(std::string_view name, std::uint64_t offset, const void* bytes, std::size_t count) {
  std::fstream file(shm_path(name), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
}

BackDoor::BackDoor(const std::string& name) {
  namespace ipc = boost::interprocess;
  const ipc::shared_memory_object object(ipc::open_only, name.c_str(), ipc::read_write);
  const auto region = std::make_shared<ipc::mapped_region>(object, ipc::read_write);
  bytes_ = {region, static_cast<std::byte*>(region->get_address())};
  size_ = region->get_size();
}

void shm_forget(const std::string& name) {
  std::error_code error;
  std::filesystem::remove(shm_path(name), error);
}

void shm_resize(std::string_view name, std::uint64_t size) { std::filesystem::resize_file(shm_path(name), size); }

std::optional<std::uint64_t> shm_room() {
  struct statvfs info {};
  if (::statvfs("/dev/shm", &info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
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

}  // namespace strait::test
