#pragma once
// A named section backed by the page file (through Boost.Interprocess), and one process's mapping of it.
//
// The system removes it with its last handle and mapping, so a name never outlives its holders and never means another object
// while somebody holds it. A section has its size from the start: it is made when the size is known, by `reserve`, and until
// then the object is only a name. Who opens and makes it when is for the life lock (windows/life_lock.hpp).

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/core/error.hpp>
#include <strait/platform/windows/access_rights.hpp>
#include <strait/platform/windows/api.hpp>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/windows_shared_memory.hpp>
#include <boost/winapi/system.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace strait::platform {

namespace ipc = boost::interprocess;

namespace windows {

// (Boost's page size is here the step at which mappings may begin, which is larger.)
inline std::size_t page_size() noexcept {
  static const std::size_t size = [] {
    boost::winapi::SYSTEM_INFO_ system{};
    boost::winapi::GetSystemInfo(&system);
    return std::size_t{system.dwPageSize};
  }();
  return size;
}

}  // namespace windows

// What tells one object from another: nothing, because no name ever means two while anybody holds either.
struct ObjectIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const ObjectIdentity&, const ObjectIdentity&) = default;
};

class SharedObject {
 public:
  enum class Access : std::uint8_t { read_write, read_only };
  static constexpr bool names_can_be_removed = false;

  // Never nothing: whether there is such an object is known when its life lock is held.
  static std::optional<SharedObject> open(const std::string& name, Access access) { return SharedObject(name, access, std::nullopt); }
  // Bytes whose life is another object's: nothing where they do not exist.
  static std::optional<SharedObject> open_bytes(const std::string& name, Access access) {
    std::optional<SharedObject> object = SharedObject(name, access, std::nullopt);
    if (!object->find_section()) object.reset();
    return object;
  }
  static SharedObject open_or_make(const std::string& name, unsigned permissions) { return SharedObject(name, Access::read_write, permissions); }

  // The system does it.
  static bool remove_name(const std::string&) noexcept { return true; }
  bool is_named(const std::string&) const noexcept { return true; }
  bool has_its_descriptor() const noexcept { return true; }
  bool is_owned_by_this_user() const noexcept { return false; }  // nothing that it would be asked of stays behind
  int descriptor() const noexcept { return -1; }
  ObjectIdentity identity() const noexcept { return {}; }

  // Whoever may make it, with which rights.
  const std::optional<unsigned>& permissions() const noexcept { return permissions_; }

  // Opens the section if there is one. Throws permission_denied, not_a_segment.
  bool find_section() {
    if (has_section()) return true;
    try {
      section_ = ipc::windows_shared_memory(ipc::open_only, name_.c_str(), mode());
      is_open_ = true;
    } catch (const ipc::interprocess_exception& error) {
      if (static_cast<unsigned long>(error.get_native_error()) != windows::file_not_found) refuse(error);
    }
    return is_open_;
  }
  bool has_section() const noexcept { return is_open_; }
  void close_section() noexcept {
    section_ = ipc::windows_shared_memory();
    is_open_ = false;
  }

  // Rounded up to pages by the system; 0 where there is no section.
  std::uint64_t size() const noexcept {
    const auto size = is_open_ ? section_.get_size() : 0;
    return size > 0 ? static_cast<std::uint64_t>(size) : 0;
  }

  // A section is made with its rights in one step, and whoever made it fills it.
  void check_may_be_filled(const std::string&) const noexcept {}
  bool has_owner_of(const SharedObject&) const noexcept { return true; }

  // Of the size that it was made with, as far as the system tells: it counts whole pages.
  bool has_size(std::uint64_t size) const noexcept {
    const std::uint64_t page = windows::page_size();
    return this->size() == size || this->size() == (size + page - 1) / page * page;
  }

  std::size_t read_start(void* to, std::size_t size) const noexcept {
    const auto count = static_cast<std::size_t>((std::min<std::uint64_t>)(size, this->size()));
    if (count == 0) return 0;
    try {
      const ipc::mapped_region start(section_, mode(), 0, count);
      std::memcpy(to, start.get_address(), count);
    } catch (const ipc::interprocess_exception&) {
      return 0;
    }
    return count;
  }

  // Kept until `reserve` has made the section. (Afterwards only removals write, and nothing is removed here.)
  bool write_start(const void* from, std::size_t size) const {
    const auto* const bytes = static_cast<const std::byte*>(from);
    start_.assign(bytes, bytes + size);
    return true;
  }

  static void check_size(const std::string& name, std::uint64_t size) {
    if (size > (std::numeric_limits<std::size_t>::max)() / 2) {
      throw Error(Errc::too_large, name, "it needs " + std::to_string(size) + " bytes, more than this process can map");
    }
  }

  // Makes the section; the system sets all its memory aside.
  void reserve(const std::string& name, std::uint64_t size) {
    windows::AccessRights rights(name, permissions_.value_or(0600), windows::Purpose::memory);
    try {
      section_ = ipc::windows_shared_memory(ipc::create_only, name_.c_str(), ipc::read_write, static_cast<std::size_t>(size), rights.as_boost());
      is_open_ = true;
      const ipc::mapped_region start(section_, ipc::read_write, 0, start_.size());
      std::memcpy(start.get_address(), start_.data(), start_.size());
    } catch (const ipc::interprocess_exception& error) {
      const auto code = static_cast<unsigned long>(error.get_native_error());
      if (code == windows::invalid_parameter) throw Error(Errc::too_large, name, "the system refuses an object of " + std::to_string(size) + " bytes");
      if (code == windows::access_denied || code == windows::invalid_handle || code == windows::already_exists) refuse(error);
      throw Error(Errc::no_space, name, "no room for " + std::to_string(size) + " bytes of shared memory (" + error.what() + "); free some or enlarge the page file");
    }
  }

  const ipc::windows_shared_memory& native() const noexcept { return section_; }

 private:
  SharedObject(const std::string& name, Access access, std::optional<unsigned> permissions) : name_(name), access_(access), permissions_(permissions) {}

  ipc::mode_t mode() const noexcept { return access_ == Access::read_only ? ipc::read_only : ipc::read_write; }

  [[noreturn]] void refuse(const ipc::interprocess_exception& error) const {
    if (static_cast<unsigned long>(error.get_native_error()) == windows::access_denied) {
      throw Error(Errc::permission_denied, name_, "this user may not open it, or may not make objects of this name; the creator's OpenOptions::permissions decide");
    }
    throw Error(Errc::not_a_segment, name_, std::string("what is behind this name cannot be opened as shared memory: ") + error.what());
  }

  std::string name_;
  Access access_;
  std::optional<unsigned> permissions_;
  ipc::windows_shared_memory section_;
  bool is_open_ = false;
  mutable std::vector<std::byte> start_;
};

class Mapping {
 public:
  // Who only looks at a few of its pages touches no others.
  enum class Touch : std::uint8_t { every_page, nothing };

  Mapping() = default;

  // Maps `size` bytes of the object and touches each page: a first touch on a hot path costs ten times as much. Large pages
  // need a privilege that few users have; they are not asked for.
  Mapping(const SharedObject& object, const std::string& name, std::uint64_t size, SharedObject::Access access, bool, Touch touch = Touch::every_page) {
    if (size > (std::numeric_limits<std::size_t>::max)() / 2) {
      throw Error(Errc::too_large, name, "its " + std::to_string(size) + " bytes do not fit the address space of this process");
    }
    const auto mode = access == SharedObject::Access::read_only ? ipc::read_only : ipc::read_write;
    try {
      region_ = ipc::mapped_region(object.native(), mode, 0, static_cast<std::size_t>(size));
    } catch (const ipc::interprocess_exception& error) {
      throw Error(Errc::no_space, name, "mapping its " + std::to_string(size) + " bytes failed: " + error.what());
    }
    if (touch == Touch::nothing) return;
    const volatile std::byte* const first = data();
    const std::size_t page = windows::page_size();
    for (std::size_t at = 0; at < region_.get_size(); at += page) static_cast<void>(first[at]);
  }

  std::byte* data() const noexcept { return static_cast<std::byte*>(region_.get_address()); }
  std::uint64_t size() const noexcept { return region_.get_size(); }

 private:
  ipc::mapped_region region_;
};

}  // namespace strait::platform

#endif
