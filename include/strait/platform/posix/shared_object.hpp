#pragma once
// A named shared object (POSIX shared memory, through Boost.Interprocess) and one process's mapping of it.
//
// The object is told from a later one of the same name by device and inode. Mappings are not inherited by a forked child, and
// the descriptor is closed in it (posix/fork_guard.hpp): a child that kept either would keep its dead parent alive.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <strait/core/error.hpp>
#include <strait/platform/posix/fork_guard.hpp>
#include <strait/platform/posix/guard_pages.hpp>
#include <strait/platform/posix/wide_file.hpp>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/permissions.hpp>
#include <boost/interprocess/shared_memory_object.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::platform {

namespace ipc = boost::interprocess;

class SharedObject {
 public:
  enum class Access : std::uint8_t { read_write, read_only };
  static constexpr bool names_can_be_removed = true;

  // An object that was opened while forks were held off.
  SharedObject(ipc::shared_memory_object&& object, const ForkGuard::HoldOff& hold_off) : object_(std::move(object)), guard_(descriptor(), hold_off) {}

  // Nothing where the name does not exist. Throws permission_denied, no_space (no descriptor left), not_a_segment.
  static std::optional<SharedObject> open(const std::string& name, Access access) {
    const auto mode = access == Access::read_only ? ipc::read_only : ipc::read_write;
    return attempt(name, [&] { return ipc::shared_memory_object(ipc::open_only, name.c_str(), mode); });
  }

  // The same for bytes whose life is another object's.
  static std::optional<SharedObject> open_bytes(const std::string& name, Access access) { return open(name, access); }

  // Opens what is there or makes an empty object; who may go on as its creator is for the life lock to decide.
  static SharedObject open_or_make(const std::string& name, unsigned permissions) {
    auto object = attempt(
        name, [&] { return ipc::shared_memory_object(ipc::open_or_create, name.c_str(), ipc::read_write, ipc::permissions(static_cast<int>(permissions))); });
    if (!object) throw Error(Errc::not_found, name, "the name vanished while it was opened");
    return std::move(*object);
  }

  // False if the name was gone already. Only for whoever has the life lock of the object behind the name, or the user's own hand.
  static bool remove_name(const std::string& name) { return ipc::shared_memory_object::remove(name.c_str()); }

  int descriptor() const noexcept { return object_.get_mapping_handle().handle; }

  std::uint64_t size() const noexcept {
    WideStatus status{};
    return wide_fstat(descriptor(), status) == 0 && status.st_size > 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }

  // Is it of this size? Where objects are rounded up to pages: is it of as many pages?
  bool has_size(std::uint64_t asked) const noexcept { return size() == asked; }

  const ObjectIdentity& identity() const noexcept { return guard_.identity(); }

  // Does the descriptor still mean it? A program that closes all its files, as daemons do, may have given the number away.
  bool has_its_descriptor() const noexcept { return ObjectIdentity::of(descriptor()) == identity(); }

  // Does the name still mean this object?
  bool is_named(const std::string& name) const {
    const auto other = open(name, Access::read_only);
    return other && other->identity() == identity();
  }

  // Does it belong to the user we act as?
  bool is_owned_by_this_user() const noexcept {
    WideStatus status{};
    return wide_fstat(descriptor(), status) == 0 && status.st_uid == ::geteuid();
  }

  // For a creator that is about to put its bytes into this object, which it found empty. Throws permission_denied for another user's,
  // who could read them, whatever permissions were asked for.
  void check_may_be_filled(const std::string& name) const {
    if (is_owned_by_this_user()) return;
    throw Error(Errc::permission_denied, name, "another user has made an empty object under this name; it is not filled, because that user could read it");
  }

  // Were both made by the same user?
  bool has_owner_of(const SharedObject& other) const noexcept {
    WideStatus mine{};
    WideStatus others{};
    return wide_fstat(descriptor(), mine) == 0 && wide_fstat(other.descriptor(), others) == 0 && mine.st_uid == others.st_uid;
  }

  // Reads up to `size` bytes from the start; how many there were.
  std::size_t read_start(void* to, std::size_t size) const noexcept {
    const auto count = ::pread(descriptor(), to, size, 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

  bool write_start(const void* from, std::size_t size) const noexcept {
    return ::pwrite(descriptor(), from, size, 0) == static_cast<ssize_t>(size);
  }

  // Before the first byte is written: the kernel answers a size beyond the process's limit with a signal.
  static void check_size(const std::string& name, std::uint64_t size) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur) {
      throw Error(Errc::too_large, name,
                  "it needs " + std::to_string(size) + " bytes, the process may make files of " + std::to_string(limit.rlim_cur) + " (RLIMIT_FSIZE)");
    }
    if (size > static_cast<std::uint64_t>((std::numeric_limits<WideOffset>::max)())) {
      throw Error(Errc::too_large, name, "it needs " + std::to_string(size) + " bytes, more than a file offset of this build can say");
    }
  }

  // Sets the size and takes every page now: a full file system is told here and not by a SIGBUS at some later store.
  void reserve(const std::string& name, std::uint64_t size) const {
    int result = 0;
    do {
      result = wide_allocate(descriptor(), static_cast<WideOffset>(size));
    } while (result == EINTR);
    if (result == 0) return;
    if (result == EFBIG) throw Error(Errc::too_large, name, "the system refuses an object of " + std::to_string(size) + " bytes");
    throw Error(Errc::no_space, name,
                "no room for " + std::to_string(size) + " bytes of shared memory (" + std::strerror(result) + "); free some or enlarge /dev/shm");
  }

  const ipc::shared_memory_object& native() const noexcept { return object_; }

 private:
  // Anything but a plain object under the name is somebody else's; a pipe would even block whoever opens it.
  static void refuse_special([[maybe_unused]] const std::string& name) {
#if STRAIT_LINUX
    WideStatus status{};
    if (wide_lstat(("/dev/shm/" + name).c_str(), status) == 0 && !S_ISREG(status.st_mode)) {
      throw Error(Errc::not_a_segment, name, "what is behind this name is not a shared object; it was left as it is");
    }
#endif
  }

  template <class Open>
  static std::optional<SharedObject> attempt(const std::string& name, Open open) {
    refuse_special(name);
    std::optional<SharedObject> object;
    try {
      const ForkGuard::HoldOff hold_off;
      object.emplace(open(), hold_off);
    } catch (const ipc::interprocess_exception& error) {
      switch (error.get_error_code()) {
        case ipc::not_found_error: return std::nullopt;
        case ipc::security_error: throw Error(Errc::permission_denied, name, "this user may not open it; the creator's OpenOptions::permissions decide");
        case ipc::out_of_resource_error: throw Error(Errc::no_space, name, "the process or the system has no file descriptor left");
        case ipc::out_of_space_error: throw Error(Errc::no_space, name, "no room for another shared object");
        default: throw Error(Errc::not_a_segment, name, std::string("what is behind this name cannot be opened as shared memory: ") + error.what());
      }
    }
    return object;
  }

  ipc::shared_memory_object object_;
  ForkGuard guard_;
};

class Mapping {
 public:
  // Who only looks at a few of its pages touches no others.
  enum class Touch : std::uint8_t { every_page, nothing };

  Mapping() = default;

  // Maps `size` bytes of the object and fills in the page tables: a first touch on a hot path costs ten times as much.
  Mapping(const SharedObject& object, const std::string& name, std::uint64_t size, SharedObject::Access access, bool huge_pages, Touch touch = Touch::every_page) {
    if (size > (std::numeric_limits<std::size_t>::max)() / 2) {
      throw Error(Errc::too_large, name, "its " + std::to_string(size) + " bytes do not fit the address space of this process");
    }
    const auto mode = access == SharedObject::Access::read_only ? ipc::read_only : ipc::read_write;
    try {
      const ForkGuard::HoldOff hold_off;
      guards_ = GuardPages(static_cast<std::size_t>(size));
      region_ = ipc::mapped_region(object.native(), mode, 0, static_cast<std::size_t>(size), guards_.between(), guards_.map_options());
      guards_.filled();
      keep_from_children();
    } catch (const ipc::interprocess_exception& error) {
      throw Error(Errc::no_space, name, "mapping its " + std::to_string(size) + " bytes failed: " + error.what());
    }
    if (huge_pages) ask_for_huge_pages();
    if (touch == Touch::every_page) populate(name, access);
  }

  std::byte* data() const noexcept { return static_cast<std::byte*>(region_.get_address()); }
  std::uint64_t size() const noexcept { return region_.get_size(); }

 private:
  void populate(const std::string& name, SharedObject::Access access) const {
#if defined(MADV_POPULATE_WRITE)
    const int advice = access == SharedObject::Access::read_only ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
    if (::madvise(region_.get_address(), region_.get_size(), advice) == 0) return;
    // To touch the pages would end in a SIGBUS: the object has holes and no memory is left to fill them, or it was cut short meanwhile.
    // Strait's own creators leave no holes.
    if (errno == EFAULT) {
      throw Error(Errc::no_space, name, "not all of its " + std::to_string(region_.get_size()) + " bytes are there, and the system has no memory for the others");
    }
#endif
    static_cast<void>(access);
    const volatile std::byte* const first = data();
    const std::size_t page = ipc::mapped_region::get_page_size();
    for (std::size_t at = 0; at < region_.get_size(); at += page) static_cast<void>(first[at]);
  }

  void keep_from_children() const noexcept {
#if defined(MADV_DONTFORK)
    ::madvise(region_.get_address(), region_.get_size(), MADV_DONTFORK);
#endif
  }

  void ask_for_huge_pages() const noexcept {
#if defined(MADV_HUGEPAGE)
    ::madvise(region_.get_address(), region_.get_size(), MADV_HUGEPAGE);
#endif
#if defined(MADV_COLLAPSE)
    ::madvise(region_.get_address(), region_.get_size(), MADV_COLLAPSE);
#endif
  }

  GuardPages guards_;
  ipc::mapped_region region_;
};

}  // namespace strait::platform

#endif
