#pragma once
// The bytes of a SharedStruct as one handle has them open: an object of exactly their size and nothing else, so that a program that
// knows nothing of Strait can map the name. Its life is its control segment's (segment/beside.hpp).

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/platform/fork_guard.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/segment/sweep.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace strait::segment {

class RawObject {
 public:
  // There is a control segment, and not what it has recorded.
  struct BytesGone : Error {
    using Error::Error;
  };

  using Access = platform::SharedObject::Access;

  RawObject() = default;
  RawObject(const RawObject&) = delete;
  RawObject& operator=(const RawObject&) = delete;

  ~RawObject() {
    // A forked child has neither mapping nor descriptor, and both numbers may mean something else by now: touch neither.
    if (!object_ || !mark_.is_inherited()) return;
    struct Remains {
      platform::SharedObject object;
      platform::Mapping mapping;
    };
    static_cast<void>(new Remains{std::move(*object_), std::move(mapping_)});
  }

  // What is under the name, before anything is made of it.
  enum class Found : std::uint8_t { nothing, empty, segment, bytes };

  static Found look(const std::string& name) {
    const auto object = platform::SharedObject::open_bytes(name, Access::read_only);
    if (!object) return Found::nothing;
    if (object->size() == 0) return Found::empty;
    std::uint64_t magic = 0;
    return object->read_start(&magic, sizeof magic) == sizeof magic && magic == layout::magic ? Found::segment : Found::bytes;
  }

  // The same for a name without a control segment. Where the system ends names with their holders, it does so one by one: such bytes
  // may be those of a struct that is just ending. What is still there a little later is a foreign program's.
  static Found look_for_foreign(const std::string& name) {
    const core::Deadline a_little_later(std::chrono::milliseconds(100));
    for (;;) {
      const auto found = look(name);
      if (platform::SharedObject::names_can_be_removed || found != Found::bytes || a_little_later.passed(core::Clock::now())) return found;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // In the creation of the control segment. `initial`: the first value.
  void make(const std::string& name, const void* initial, std::size_t size, const OpenOptions& options, layout::CellBlock& record) {
    const core::Deadline deadline(options.open_timeout);
    for (int tries = 0;; ++tries) {
      if (tries != 0) {
        // The first tries are for what is left of the dead, which is removed meanwhile.
        if (tries >= 10 && deadline.passed(core::Clock::now())) {
          throw Error(Errc::still_creating, name, "somebody is making something else under this name and did not finish within open_timeout");
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
      object_.emplace(platform::SharedObject::open_or_make(name, options.permissions));
      platform::LifeLock life(*object_, name, layout::life_lock_offset);  // a creator of another class may be about to use the same empty object
      if (object_->size() == 0 && life.try_exclusive() && object_->size() == 0 && object_->is_named(name)) {
        object_->check_may_be_filled(name);
        fill(name, initial, size, record);
        life.pass_on();
        return;
      }
      if (object_->size() == 0) continue;
      life.unlock();
      const auto found = look_for_foreign(name);
      if (found == Found::segment) {
        if (remove_if_dead(name)) continue;
        throw Error(Errc::already_exists, name, "a living process holds a segment of another kind under this name");
      }
      if (found == Found::bytes && object_->is_named(name))
        throw Error(Errc::not_a_segment, name, "a foreign program's bytes lie under this name; they were left as they are");
    }
  }

  // A foreign program made it: exactly `size` bytes. In the creation of the control segment.
  void adopt(const std::string& name, std::size_t size, Access access, layout::CellBlock& record) {
    auto object = platform::SharedObject::open_bytes(name, access);
    if (!object) throw Error(Errc::not_found, name, "the foreign program removed it while it was opened");
    if (!object->has_size(size)) {
      throw Error(Errc::type_mismatch, name,
                  "a foreign program's object of " + std::to_string(object->size()) +
                      " bytes lies under this name, the struct has " + std::to_string(size));
    }
    record.device = object->identity().device;
    record.inode = object->identity().inode;
    record.is_ours = 0;
    object_.emplace(std::move(*object));
    map(name, size, access);
  }

  // What the control segment has recorded.
  void attach(const std::string& name, std::size_t size, Access access, const layout::CellBlock& record) {
    auto object = platform::SharedObject::open_bytes(name, access);
    const platform::ObjectIdentity recorded{record.device, record.inode};
    if (!object || object->identity() != recorded || object->size() < size) {
      throw BytesGone(Errc::broken, name,
                      "others hold its control segment, but the object of its bytes was removed or replaced by somebody's hand");
    }
    object_.emplace(std::move(*object));
    map(name, size, access);
  }

  std::byte* data() const noexcept { return mapping_.data(); }

 private:
  void fill(const std::string& name, const void* initial, std::size_t size, layout::CellBlock& record) {
    // DEATH here: an empty object without an owner: the next creator of the name fills it.
    core::death_point("struct: object made");
    record.device = object_->identity().device;
    record.inode = object_->identity().inode;
    record.is_ours = 1;
    // DEATH here: recorded in a control segment that nobody holds: the next creator or opener removes both.
    core::death_point("struct: object recorded");
    platform::SharedObject::check_size(name, size);
    object_->reserve(name, size);
    map(name, size, Access::read_write);
    std::memcpy(data(), initial, size);
    // DEATH here: whole, in a control segment that nobody may open: the next creator or opener removes both.
    core::death_point("struct: object filled");
  }

  void map(const std::string& name, std::size_t size, Access access) {
    mapping_ = platform::Mapping(*object_, name, size, access, false);
  }

  platform::ForkMark mark_;
  std::optional<platform::SharedObject> object_;
  platform::Mapping mapping_;
};

}  // namespace strait::segment
