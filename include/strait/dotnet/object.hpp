#pragma once
// The mapping of one handle: who makes it, who opens it, who removes its name.
//
// On Windows the system's section under the user's name, which C# processes make and open too; it lives as long as somebody holds it.
// A creator fills in everything else first and the size in the header last, because C# looks at it at once; a C# creator does not, so
// whoever opens looks again until all is there.
//
// On POSIX the shared object of that name, the same bytes and nothing else. Everybody who has it open shares the life lock on it
// (platform/life_lock.hpp), which lies beyond its bytes: the last one to leave has it alone and removes the name. After a kill of all
// of them the object stays until somebody creates or opens that name again and finds it unlocked. It bears no mark that tells it from
// foreign bytes but a header that agrees with its size, so nobody else removes it, remove_dead_segments() not either.

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/names.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/platform/fork_guard.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/shared_memory.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace strait::dotnet {

class Object {
 public:
  // Creates. `fill(base)`: everything but the shared header; the bytes are zero. `suffix`: of a name that the user does not see.
  Object(std::string_view name, std::uint64_t size, const OpenOptions& options, const std::function<void(std::byte*)>& fill, std::string_view suffix = {})
      : Object(true, name, suffix) {
    // The delegated constructor is done: if anything below throws, the destructor leaves as any closer does.
    check(options);
    try_until(options, [&] { return create(size, options, fill); });
  }

  // Opens. `is_whole(base, size)`: false while a C# creator is at work; it may throw.
  Object(std::string_view name, const OpenOptions& options, const std::function<bool(const std::byte*, std::uint64_t)>& is_whole, std::string_view suffix = {})
      : Object(false, name, suffix) {
    check(options);
    try_until(options, [&] { return open(is_whole); });
  }

  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  ~Object() {
    if (!object_) return;
    if (mark_.is_inherited()) {
      // A forked child has neither mapping nor descriptor, and both numbers may mean something else by now: touch neither.
      struct Remains {
        platform::SharedObject object;
        platform::LifeLock life;
        platform::Mapping mapping;
      };
      static_cast<void>(new Remains{std::move(*object_), std::move(life_), std::move(mapping_)});
      return;
    }
    mapping_ = {};
    if (is_ours_ && object_->has_its_descriptor() && (is_creating_ || life_.became_last())) remove_if_named();
    life_.unlock();
  }

  const std::string& name() const noexcept { return name_; }
  bool is_owner() const noexcept { return is_owner_; }
  bool is_inherited() const noexcept { return mark_.is_inherited(); }
  std::byte* base() const noexcept { return mapping_.data(); }
  std::uint64_t size() const noexcept { return size_; }
  SharedHeader& header() const noexcept { return *reinterpret_cast<SharedHeader*>(base()); }

  // SYNC dotnet-shutdown: what the owner did before; seq_cst for a look between an announcement and a sleep.
  bool is_shut_down() const noexcept { return header().shutdown.load(std::memory_order_seq_cst) != 0; }
  // SYNC dotnet-shutdown: before the wake.
  void shut_down() const noexcept { header().shutdown.exchange(1, std::memory_order_seq_cst); }

 private:
  using Access = platform::SharedObject::Access;

  Object(bool is_owner, std::string_view name, std::string_view suffix) : name_(checked_name(name).append(suffix)), is_owner_(is_owner) {}

  enum class Progress : std::uint8_t { done, again, wait };

  void check(const OpenOptions& options) const {
    if (options.permissions > 0777 || (options.permissions & 0600) != 0600) {
      throw Error(Errc::invalid_argument, name_, "permissions are a file mode that lets the owner read and write: 0600 to 0777");
    }
    if (options.read_only) throw Error(Errc::invalid_argument, name_, "read_only is not for the C# library's objects: their readers write too");
  }

  template <class Attempt>
  void try_until(const OpenOptions& options, Attempt attempt) {
    const core::Deadline deadline(options.open_timeout);
    auto pause = std::chrono::microseconds(50);
    for (int others_progress = 0;;) {
      const auto progress = attempt();
      if (progress == Progress::done) return;
      mapping_ = {};
      life_ = {};
      object_.reset();
      // Nobody makes progress that often in vain, unless to keep us here.
      if (progress == Progress::again && ++others_progress < 1000) continue;
      if (deadline.passed(core::Clock::now())) {
        throw Error(Errc::still_creating, name_, "its creator did not finish within open_timeout; if it hangs, end it and try again");
      }
      std::this_thread::sleep_for(pause);
      pause = (std::min)(pause * 2, std::chrono::microseconds(1000));
    }
  }

  Progress create(std::uint64_t size, const OpenOptions& options, const std::function<void(std::byte*)>& fill) {
    object_.emplace(platform::SharedObject::open_or_make(name_, options.permissions));
    life_ = platform::LifeLock(*object_, name_, layout::life_lock_offset);
    if (!life_.try_exclusive()) {
      if (!life_.try_shared()) return Progress::wait;  // somebody creates or removes
      if (!object_->is_named(name_)) return Progress::again;
      is_ours_ = is_left_over();  // whose last holder we may be in a moment
      throw Error(Errc::already_exists, name_, "somebody has it open; open it, or choose another name");
    }
    if (!object_->is_named(name_)) return Progress::again;
    if (object_->size() != 0) {
      remove_left_over();
      return Progress::again;
    }
    object_->check_may_be_filled(name_);
    is_ours_ = is_creating_ = true;  // from here on, an exception removes the name again
    size_ = size;
    platform::SharedObject::check_size(name_, size);
    const std::int64_t start[2] = {platform::SharedObject::names_can_be_removed ? static_cast<std::int64_t>(size) : 0, 0};
    if (!object_->write_start(start, sizeof start)) throw Error(Errc::no_space, name_, "no room for its header; free some shared memory");
    // DEATH here: a header and nothing else: nobody holds it; the next creator or opener of the name removes it.
    core::death_point("dotnet create: header written");
    object_->reserve(name_, size);
    mapping_ = platform::Mapping(*object_, name_, size, Access::read_write, options.huge_pages);
    fill(base());
    // SYNC dotnet-ready: everything the creator wrote.
    header().shared_memory_size.store(static_cast<std::int64_t>(size), std::memory_order_release);
    // DEATH here: whole: nobody holds it; the next creator or opener of the name removes it.
    core::death_point("dotnet create: filled in");
    is_creating_ = false;
    if (!life_.try_shared()) throw Error(Errc::broken, name_, "its creator lost its own lock; something else locks the object");
    return Progress::done;
  }

  Progress open(const std::function<bool(const std::byte*, std::uint64_t)>& is_whole) {
    auto found = platform::SharedObject::open(name_, Access::read_write);
    object_.reset();
    if (!found) not_found();
    object_.emplace(std::move(*found));
    life_ = platform::LifeLock(*object_, name_, layout::life_lock_offset);
    if (life_.try_exclusive()) {  // nobody living has it
      if (!object_->is_named(name_)) return Progress::again;
      if (object_->size() != 0) remove_left_over();
      not_found();
    }
    if (!life_.try_shared()) return Progress::wait;  // somebody creates or removes
    if (!object_->is_named(name_)) return Progress::again;
    is_ours_ = is_left_over();  // as above
    const std::uint64_t there = object_->size();  // asked once: somebody may make it longer than what is mapped
    if (there < sizeof(SharedHeader)) return Progress::wait;
    mapping_ = platform::Mapping(*object_, name_, there, Access::read_write, false);
    // SYNC dotnet-ready: acquires everything the creator wrote, if it was one of us.
    const std::int64_t size = header().shared_memory_size.load(std::memory_order_acquire);
    if (size == 0) return Progress::wait;
    if (size <= static_cast<std::int64_t>(sizeof(SharedHeader)) || static_cast<std::uint64_t>(size) > there) {
      throw Error(Errc::not_a_segment, name_, "it is no object of the C# library: its first number, which must be its size, is " + std::to_string(size));
    }
    size_ = static_cast<std::uint64_t>(size);
    return is_whole(base(), size_) ? Progress::done : Progress::wait;
  }

  // Under the exclusive lock: what the dead have left. Throws not_a_segment for anything else.
  void remove_left_over() {
    if (!is_left_over()) throw Error(Errc::not_a_segment, name_, "the bytes under this name are not the C# library's; they were left as they are");
    if (!platform::SharedObject::remove_name(name_) && object_->is_named(name_)) {
      throw Error(Errc::permission_denied, name_, "its processes are dead and only the user who created it may remove it");
    }
  }

  // A header that agrees with the object's size, or that is all there is.
  bool is_left_over() const noexcept {
    struct {
      std::int64_t size;
      std::int32_t shutdown;
      std::int32_t padding;
    } header{};
    if (object_->read_start(&header, sizeof header) != sizeof header) return false;
    const auto size = static_cast<std::uint64_t>(header.size);
    return header.size > static_cast<std::int64_t>(sizeof header) && size <= greatest_size && (size == object_->size() || object_->size() == sizeof header) &&
           (header.shutdown == 0 || header.shutdown == 1) && header.padding == 0;
  }

  void remove_if_named() noexcept {
    try {
      if (object_->is_named(name_)) platform::SharedObject::remove_name(name_);
    } catch (const std::exception&) {
      // The name cannot be looked at (no descriptor left, rights changed): the next creator removes it.
    }
  }

  [[noreturn]] void not_found() const { throw Error(Errc::not_found, name_, "no living process holds a shared memory of this name; create it first"); }

  std::string name_;
  bool is_owner_;
  platform::ForkMark mark_;
  bool is_ours_ = false;
  bool is_creating_ = false;
  std::uint64_t size_ = 0;
  std::optional<platform::SharedObject> object_;
  platform::LifeLock life_;
  platform::Mapping mapping_;
};

}  // namespace strait::dotnet
