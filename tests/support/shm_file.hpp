#pragma once
// The objects of shared memory behind the back of their holders: for tests that look at, damage or forge the bytes behind a
// segment's name. Linux keeps them as files in /dev/shm.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::test {

/// Is there anything of that name (a segment, or on Windows a mutex or an event), or is it just being made?
bool shm_exists(std::string_view name);

/// Does a name stay when everybody who held it was killed, until somebody sweeps it?
bool names_stay();

/// All bytes of it (on Windows up to the end of a page).
std::vector<unsigned char> shm_bytes(std::string_view name);

/// Are these its bytes, and all of them? (On Windows: and zeros up to the end of the page.)
bool shm_holds(std::string_view name, const std::vector<unsigned char>& bytes);

/// Makes or replaces it with these bytes, held by nobody (on Windows by this process, until shm_forget).
void shm_write(std::string_view name, const std::vector<unsigned char>& bytes);

/// Changes bytes in place, without changing the object's size or identity.
void shm_patch(std::string_view name, std::uint64_t offset, const void* bytes, std::size_t count);

/// A mapping of all its bytes (on Windows up to the end of a page).
class BackDoor {
 public:
  explicit BackDoor(const std::string& name);

  std::byte* bytes() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  template <class T>
  std::atomic<T>& word(std::size_t offset) const {
    return *reinterpret_cast<std::atomic<T>*>(bytes() + offset);
  }

 private:
  std::shared_ptr<std::byte> bytes_;
  std::size_t size_;
};

/// Removes the name, or lets go of what shm_write made.
void shm_forget(const std::string& name);

/// What shared memory can still hold; nothing where that is not known.
std::optional<std::uint64_t> shm_room();

/// POSIX only: the file, and its size.
std::string shm_path(std::string_view name);
void shm_resize(std::string_view name, std::uint64_t size);

}  // namespace strait::test
