#pragma once
// What a forked child must not keep: the descriptors and mappings of segments. The locks that show that a participant lives
// belong to the open file, which a child shares; a child that kept it would keep its dead parent alive. So mappings are not
// inherited, and an atfork handler closes the descriptors in the child (it never unlocks: that would drop the parent's locks).
// The child must exec or leave the handles alone; their destructors do nothing there.
//
// A descriptor or mapping that is made while another thread forks must not slip through: both are made and registered while
// forks are held off.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <strait/platform/posix/wide_file.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

#include <pthread.h>
#include <unistd.h>

namespace strait::platform {

// What tells one object from another.
struct ObjectIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const ObjectIdentity&, const ObjectIdentity&) = default;

  static ObjectIdentity of(int descriptor) noexcept {
    WideStatus status{};
    if (wide_fstat(descriptor, status) != 0) return {};
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
  }
};

// How many forks lie between this process and the first that used Strait. Cheaper to ask than the process id.
inline std::atomic<std::uint32_t> fork_generation{0};

// A member of what a forked child must not touch: the child has a copy of the object without the mapping behind it.
class ForkMark {
 public:
  bool is_inherited() const noexcept { return generation_ != current(); }

 private:
  // relaxed: changes only in a forked child, before it has a second thread
  static std::uint32_t current() noexcept { return fork_generation.load(std::memory_order_relaxed); }

  std::uint32_t generation_ = current();
};

// One descriptor of this process, in a list that the child's handler walks.
class ForkGuard {
 public:
  // No thread of this process forks while one of these lives, and no guard may be moved or destroyed.
  class HoldOff {
   public:
    HoldOff() : lock_(list().mutex) {}

   private:
    std::lock_guard<std::mutex> lock_;
  };

  ForkGuard(int descriptor, const HoldOff&) : descriptor_(descriptor), identity_(ObjectIdentity::of(descriptor)) { link(); }

  ForkGuard(ForkGuard&& other) noexcept : descriptor_(other.descriptor_), identity_(other.identity_) {
    const HoldOff hold_off;
    other.unlink();
    link();
  }
  ForkGuard& operator=(ForkGuard&&) = delete;

  ~ForkGuard() {
    const HoldOff hold_off;
    unlink();
  }

  const ObjectIdentity& identity() const noexcept { return identity_; }

 private:
  struct List {
    std::mutex mutex;
    ForkGuard* first = nullptr;
    List() { ::pthread_atfork(&before, &after_in_parent, &after_in_child); }
  };

  // Never destroyed: handles with static lifetime may end after it would be.
  static List& list() {
    static List* const instance = new List;
    return *instance;
  }

  static void before() { list().mutex.lock(); }
  static void after_in_parent() { list().mutex.unlock(); }
  static void after_in_child() {
    while (list().first != nullptr) {
      list().first->close_in_child();
      list().first->unlink();  // some lie on stacks of threads that the child does not have
    }
    fork_generation.fetch_add(1, std::memory_order_relaxed);  // relaxed: the child has one thread
    list().mutex.unlock();
  }

  // Only if the number still means our object: somebody may have closed it and opened another file.
  void close_in_child() const noexcept {
    if (ObjectIdentity::of(descriptor_) == identity_) ::close(descriptor_);
  }

  // Both while forks are held off.
  void link() noexcept {
    next_ = list().first;
    if (next_ != nullptr) next_->previous_ = this;
    list().first = this;
    linked_ = true;
  }
  void unlink() noexcept {
    if (!linked_) return;
    (previous_ != nullptr ? previous_->next_ : list().first) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    next_ = previous_ = nullptr;
    linked_ = false;
  }

  int descriptor_;
  ObjectIdentity identity_;
  ForkGuard* previous_ = nullptr;
  ForkGuard* next_ = nullptr;
  bool linked_ = false;
};

}  // namespace strait::platform

#endif
