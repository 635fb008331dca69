#pragma once
// Pages before and behind a mapping that nobody may touch, so that an access outside of it ends the program at once. Sanitizers do
// not see the end of a mapping. For tests: only with STRAIT_GUARD_PAGES; otherwise this is nothing.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>

#include <cstddef>
#include <utility>

#include <sys/mman.h>

namespace strait::platform {

#if defined(STRAIT_GUARD_PAGES)

class GuardPages {
 public:
  GuardPages() = default;

  // Room for `size` bytes between two of them.
  explicit GuardPages(std::size_t size) : page_(boost::interprocess::mapped_region::get_page_size()), inner_((size + page_ - 1) / page_ * page_) {
    void* const start = ::mmap(nullptr, inner_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) throw boost::interprocess::interprocess_exception("no room for guard pages");
    first_ = static_cast<std::byte*>(start);
  }
  GuardPages(GuardPages&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), page_(other.page_), inner_(other.inner_), filled_(other.filled_) {}
  GuardPages& operator=(GuardPages&& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(page_, other.page_);
    std::swap(inner_, other.inner_);
    std::swap(filled_, other.filled_);
    return *this;
  }

  // What is between them goes with its own mapping.
  ~GuardPages() {
    if (first_ == nullptr) return;
    ::munmap(first_, filled_ ? page_ : inner_ + 2 * page_);
    if (filled_) ::munmap(first_ + page_ + inner_, page_);
  }

  void* between() const noexcept { return first_ + page_; }
  static constexpr boost::interprocess::map_options_t map_options() noexcept { return MAP_FIXED; }
  void filled() noexcept { filled_ = true; }

 private:
  std::byte* first_ = nullptr;
  std::size_t page_ = 0;
  std::size_t inner_ = 0;
  bool filled_ = false;
};

#else

struct GuardPages {
  GuardPages() = default;
  explicit GuardPages(std::size_t) noexcept {}
  static constexpr void* between() noexcept { return nullptr; }
  static constexpr boost::interprocess::map_options_t map_options() noexcept { return boost::interprocess::default_map_options; }
  static constexpr void filled() noexcept {}
};

#endif

}  // namespace strait::platform

#endif
