#pragma once
// What a forked child must not keep: the descriptors of segments. The locks that show that a participant lives belong to the
// open file, which a child shares; a child that kept it would keep its dead parent alive. So an atfork handler closes the
// descriptors in the child (it never unlocks: that would drop the parent's locks). The child must exec or leave the handles
// alone.

#include <strait/core/config.hpp>

#if STRAIT_POSIX

#include <mutex>
#include <utility>

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::platform {

// One descriptor of this process, in a list that the child's handler walks.
class ForkGuard {
 public:
  explicit ForkGuard(int descriptor) : descriptor_(descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) == 0) {
      device_ = status.st_dev;
      inode_ = status.st_ino;
    }
    link();
  }
  ForkGuard(ForkGuard&& other) noexcept : descriptor_(other.descriptor_), device_(other.device_), inode_(other.inode_) {
    other.unlink();
    link();
  }
  ForkGuard& operator=(ForkGuard&&) = delete;
  ~ForkGuard() { unlink(); }

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
    for (ForkGuard* guard = list().first; guard != nullptr; guard = guard->next_) guard->close_in_child();
    list().mutex.unlock();
  }

  // Only if the number still means our object: somebody may have closed it and opened another file.
  void close_in_child() const noexcept {
    struct stat status {};
    if (::fstat(descriptor_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) ::close(descriptor_);
  }

  void link() {
    auto& all = list();
    const std::lock_guard lock(all.mutex);
    next_ = all.first;
    if (next_ != nullptr) next_->previous_ = this;
    all.first = this;
    linked_ = true;
  }

  void unlink() noexcept {
    if (!linked_) return;
    auto& all = list();
    const std::lock_guard lock(all.mutex);
    (previous_ != nullptr ? previous_->next_ : all.first) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    next_ = previous_ = nullptr;
    linked_ = false;
  }

  int descriptor_;
  dev_t device_{};
  ino_t inode_{};
  ForkGuard* previous_ = nullptr;
  ForkGuard* next_ = nullptr;
  bool linked_ = false;
};

}  // namespace strait::platform

#endif
