#pragma once
// A named segment: who makes it, who opens it, who removes its name.
//
//     try the exclusive life lock on the object behind the name (made empty if it is not there and we may create)
//       had it    -> nobody living holds it.  empty: we are its creator, or, opening, remove it: not_found
//                                             ours, left by the dead: remove it, and start again (creating) or: not_found
//                                             anything else: not ours to touch: not_a_segment
//       refused   -> try the shared lock.     had it: ready: open.    refused: somebody creates or removes: wait a little
//     after every lock: does the name still mean this object? If not, start again.
//     last one out: shared -> exclusive; if that is refused, let go and try once more (two closers must not both be "not last").
//
//   S1  a living party's name refers to its object.      S2  two living parties of a name: one object.
//   S3  all closed without deaths: no name.              S4  a stale name never stops a creator.
//
// A name is removed only under the exclusive lock on the object it refers to. The one exception is the user's own
// remove_segment().

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/name.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/platform/asymmetric_fence.hpp>
#include <strait/platform/clock.hpp>
#include <strait/platform/fork_guard.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/process.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/segment/beside.hpp>
#include <strait/segment/expectation.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace strait::segment {

enum class Intent : std::uint8_t { create, open, open_or_create };

class Segment {
 public:
  using Access = platform::SharedObject::Access;

  Segment(std::string_view name, Intent intent, const Expectation& expected, const OpenOptions& options)
      : Segment(name, intent, expected.suffix) {
    // The delegated constructor is done: if anything below throws, the destructor leaves as any closer does.
    check_options(options);
    if (intent_ != Intent::open) check_shape(expected.shape, options);
    find_or_make(expected, options);
  }

  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  ~Segment() {
    if (!object_) return;
    if (is_inherited()) {
      // A forked child has neither mapping nor descriptor, and both numbers may mean something else by now: touch neither.
      leak();
      return;
    }
    mapping_ = {};
    if (!object_->has_its_descriptor()) {
      leak();
    } else if (is_ours_) {
      if (read_only_) {
        leave_read_only();
      } else if (creating_ || life_.became_last()) {
        remove_if_named();
      }
    }
  }

  const std::string& name() const noexcept { return name_; }
  bool creating() const noexcept { return creating_; }
  bool read_only() const noexcept { return read_only_; }
  const platform::SharedObject& object() const noexcept { return *object_; }

  // Is this a forked child's copy of its parent's segment?
  bool is_inherited() const noexcept { return mark_.is_inherited(); }

  layout::SegmentHeader& header() const noexcept { return *reinterpret_cast<layout::SegmentHeader*>(mapping_.data()); }
  layout::SeatLine* seats() const noexcept { return reinterpret_cast<layout::SeatLine*>(mapping_.data() + layout::header_size); }
  layout::ControlBlock& control() const noexcept { return *reinterpret_cast<layout::ControlBlock*>(mapping_.data() + plan_.control_offset); }
  std::byte* payload() const noexcept { return mapping_.data() + plan_.payload_offset; }

  // This process's own copies: the bytes in the segment may change under us, these do not.
  const layout::Shape& shape() const noexcept { return shape_; }
  const layout::SegmentPlan& plan() const noexcept { return plan_; }
  std::uint32_t seat_count() const noexcept { return seat_count_; }
  layout::PresenceMethod presence_method() const noexcept { return presence_; }
  layout::FenceMethod fence_method() const noexcept { return fences_; }
  // How one sleeps on its words.
  platform::Park park() const noexcept { return {name_, epoch_, mapping_.data()}; }

  // The creator has filled everything in: from here on others may open it.
  void publish() {
    // DEATH here: everything is filled in and nobody may open it; the next creator or opener removes it.
    core::death_point("create: filled in");
    // SYNC ready: everything the creator wrote.
    header().state.store(static_cast<std::uint32_t>(layout::State::ready), std::memory_order_release);
    // DEATH here: ready, and nobody holds it: the next creator or opener removes it.
    core::death_point("create: ready");
    creating_ = false;
    if (!life_.try_shared()) throw Error(Errc::broken, name_, "its creator lost its own lock; something else locks the object");
  }

 private:
  Segment(std::string_view name, Intent intent, std::string_view suffix)
      : name_(core::checked_name(name)), object_name_(name_ + std::string(suffix)), intent_(intent) {}

  void leak() noexcept {
    struct Remains {
      platform::SharedObject object;
      platform::LifeLock life;
      platform::Mapping mapping;
    };
    static_cast<void>(new Remains{std::move(*object_), std::move(life_), std::move(mapping_)});
  }

  void check_options(const OpenOptions& options) const {
    if (options.max_participants < 1 || options.max_participants > layout::max_seats) {
      throw Error(Errc::invalid_argument, name_,
                  "max_participants is " + std::to_string(options.max_participants) + "; 1 to " + std::to_string(layout::max_seats) + " are possible");
    }
    if (options.permissions > 0777 || (options.permissions & 0600) != 0600) {
      throw Error(Errc::invalid_argument, name_, "permissions are a file mode that lets the owner read and write: 0600 to 0777");
    }
    if (options.read_only && intent_ != Intent::open) {
      throw Error(Errc::invalid_argument, name_, "read_only is for opening what is there; a creator writes");
    }
  }

  void check_shape(const layout::Shape& shape, const OpenOptions& options) const {
    const auto refuse = [&](Errc code, const std::string& detail) -> void { throw Error(code, name_, detail); };
    const bool ring = layout::has_nodes(shape.kind);
    if (shape.element_size == 0) refuse(Errc::invalid_argument, ring ? "node_buffer_size is 0; a node holds at least 1 byte" : "the element size is 0");
    if (ring && shape.element_count < 2) refuse(Errc::invalid_argument, "node_count is " + std::to_string(shape.element_count) + "; a ring has at least 2 nodes");
    if (shape.element_count == 0) refuse(Errc::invalid_argument, "the size is 0; at least 1 element is needed");
    if (ring && (shape.element_count > layout::max_node_count || shape.element_size > layout::max_node_buffer_size)) {
      refuse(Errc::too_large, std::to_string(shape.element_count) + " nodes of " + std::to_string(shape.element_size) + " bytes; at most 2^32 of 2^32 - 1");
    }
    if (!layout::plan(shape, options.max_participants)) {
      refuse(Errc::too_large, std::to_string(shape.element_count) + " elements of " + std::to_string(shape.element_size) + " bytes do not fit any memory");
    }
  }

  enum class Progress : std::uint8_t {
    done,
    again,    // somebody else made progress: look again at once
    briefly,  // a closer or a sweep has the lock of a finished segment for a moment
    wait      // a creator is at work
  };

  void find_or_make(const Expectation& expected, const OpenOptions& options) {
    const core::Deadline deadline(options.open_timeout);
    const core::Deadline moment(std::chrono::milliseconds(100));
    auto pause = std::chrono::microseconds(50);
    int others_progress = 0;
    for (bool first = true;; first = false) {
      const auto progress = options.read_only ? attempt_read_only(expected) : attempt(expected, options);
      if (progress == Progress::done) return;
      life_ = {};
      object_.reset();
      // Nobody makes progress that often in vain, unless to keep us here.
      if (progress == Progress::again && ++others_progress < 1000) continue;
      const auto now = core::Clock::now();
      if (!first && deadline.passed(now) && (progress != Progress::briefly || moment.passed(now))) {
        throw Error(Errc::still_creating, name_, "its creator did not finish within open_timeout; if it hangs, end it and try again");
      }
      std::this_thread::sleep_for(pause);
      pause = (std::min)(pause * 2, std::chrono::microseconds(1000));
    }
  }

  enum class Content : std::uint8_t { empty, foreign, cut_short, unfinished, ready };

  Content look(layout::SegmentHeader& bytes) const noexcept {
    const auto size = object_->size();
    if (size == 0) return Content::empty;
    object_->read_start(static_cast<void*>(&bytes), sizeof bytes);
    if (bytes.magic != layout::magic) return Content::foreign;
    if (size < layout::header_size) return Content::cut_short;
    // SYNC ready: looked at again in the mapping, before anything is used.
    return bytes.state.load(std::memory_order_acquire) == static_cast<std::uint32_t>(layout::State::ready) ? Content::ready : Content::unfinished;
  }

  Progress attempt(const Expectation& expected, const OpenOptions& options) {
    const bool may_create = intent_ != Intent::open;
    if (may_create) {
      object_.emplace(platform::SharedObject::open_or_make(object_name_, options.permissions));
    } else if (!find_object(Access::read_write)) {
      not_found();
    }
    // DEATH here: an empty object that nobody holds: the next creator fills it, the next opener removes it.
    core::death_point("open: object open");
    life_ = platform::LifeLock(*object_, object_name_, layout::life_lock_offset);
    layout::SegmentHeader bytes{};

    if (life_.try_exclusive()) {
      // DEATH here: an empty object, or a stale one, that nobody holds; the next creator or opener deals with it.
      core::death_point("open: exclusive");
      if (!object_->is_named(object_name_)) return Progress::again;
      const auto content = look(bytes);
      if (content == Content::foreign) not_ours();
      if (content == Content::empty && may_create) {
        object_->check_may_be_filled(name_);
        make(expected.shape, options);
        return Progress::done;
      }
      if ((content == Content::unfinished || content == Content::ready) && !layout::can_tell_life(bytes.presence)) cannot_tell(bytes.presence);
      remove_stale();
      if (!may_create) not_found();
      return Progress::again;
    }

    if (!life_.try_shared()) return look(bytes) == Content::ready ? Progress::briefly : Progress::wait;
    // DEATH here: the lock goes with us.
    core::death_point("open: shared");
    if (!object_->is_named(object_name_)) return Progress::again;
    return join(look(bytes), bytes, expected, Access::read_write, options.huge_pages);
  }

  // A descriptor that may only read cannot try the exclusive lock: ask about it instead.
  Progress attempt_read_only(const Expectation& expected) {
    read_only_ = true;
    if (!find_object(Access::read_only)) not_found();
    life_ = platform::LifeLock(*object_, object_name_, layout::life_lock_offset);
    const bool is_held = life_.is_held_by_another();
    if (!object_->is_named(object_name_)) return Progress::again;
    layout::SegmentHeader bytes{};
    const auto content = look(bytes);
    if (content == Content::foreign) not_ours();
    if (!is_held) not_found();
    if (!life_.try_shared()) return content == Content::ready ? Progress::briefly : Progress::wait;
    if (!object_->is_named(object_name_)) return Progress::again;
    return join(look(bytes), bytes, expected, Access::read_only, false);
  }

  // We share the life of the object that the name refers to: somebody living holds it, or did a moment ago.
  Progress join(Content content, const layout::SegmentHeader& bytes, const Expectation& expected, Access access, bool huge_pages) {
    switch (content) {
      case Content::empty:
      case Content::unfinished: return Progress::wait;
      case Content::foreign: not_ours();
      case Content::cut_short:
        throw Error(Errc::broken, name_, "the object has fewer bytes than the " + std::to_string(layout::header_size) + " of a header: it was cut short");
      case Content::ready: break;
    }
    is_ours_ = true;
    if (intent_ == Intent::create) {
      throw Error(Errc::already_exists, name_, "a living process holds it; open it, use open_or_create, or choose another name");
    }
    attach(bytes, expected, object_->size(), access, huge_pages);
    return Progress::done;
  }

  // We hold the exclusive lock on an empty object that the name refers to.
  void make(const layout::Shape& shape, const OpenOptions& options) {
    is_ours_ = creating_ = true;  // from here on, an exception removes the name again
    shape_ = shape;
    seat_count_ = options.max_participants;
    presence_ = core::kernel_lock_presence ? layout::PresenceMethod::kernel_lock
                : core::lock_files         ? layout::PresenceMethod::lock_file
                                           : layout::PresenceMethod::process;
    fences_ = core::fences_by_sleepers && layout::leaves_fences_to_sleepers(shape.kind) && platform::join_fences() ? layout::FenceMethod::by_sleepers : layout::FenceMethod::every_change;
    plan_ = *layout::plan(shape, seat_count_);

    layout::SegmentHeader bytes{};
    bytes.magic = layout::magic;
    bytes.version = layout::format_version;
    bytes.kind = static_cast<std::uint32_t>(shape.kind);
    bytes.state.store(static_cast<std::uint32_t>(layout::State::creating), std::memory_order_relaxed);  // relaxed: a local copy
    bytes.presence = static_cast<std::uint16_t>(presence_);
    bytes.park = platform::Park::method();
    bytes.segment_size = plan_.segment_size;
    bytes.payload_offset = plan_.payload_offset;
    bytes.payload_size = plan_.payload_size;
    bytes.element_size = shape.element_size;
    bytes.element_count = shape.element_count;
    bytes.fingerprint = shape.fingerprint;
    bytes.epoch = epoch_ = platform::random_id();
    bytes.seat_count = seat_count_;
    bytes.element_alignment = shape.element_alignment;
    bytes.fences = static_cast<std::uint32_t>(fences_);
    platform::SharedObject::check_size(name_, plan_.segment_size);
    if (!object_->write_start(&bytes, sizeof bytes)) throw Error(Errc::no_space, name_, "no room for its header; free some shared memory");
    // DEATH here: a header in state `creating` on an object that nobody holds; the next creator or opener removes it.
    core::death_point("create: header written");
    object_->reserve(name_, plan_.segment_size);
    // DEATH here: a header in state `creating` and all pages: the next creator or opener removes it.
    core::death_point("create: pages reserved");
    mapping_ = platform::Mapping(*object_, name_, plan_.segment_size, Access::read_write, options.huge_pages);
    control().created_at = platform::wall_clock();
  }

  void attach(const layout::SegmentHeader& bytes, const Expectation& expected, std::uint64_t size, Access access, bool huge_pages) {
    plan_ = checked_plan(name_, bytes, expected, size);
    shape_ = {static_cast<layout::Kind>(bytes.kind), bytes.element_size, bytes.element_count, bytes.element_alignment, bytes.fingerprint};
    seat_count_ = bytes.seat_count;
    presence_ = static_cast<layout::PresenceMethod>(bytes.presence);
    epoch_ = bytes.epoch;
    fences_ = static_cast<layout::FenceMethod>(bytes.fences);
    if (fences_ == layout::FenceMethod::by_sleepers && !platform::join_fences()) {
      throw Error(Errc::permission_denied, name_,
                  "its creator relies on membarrier(2), which the system refuses to this process; allow it, or build the creator with "
                  "STRAIT_FENCE_EVERY_CHANGE");
    }
    mapping_ = platform::Mapping(*object_, name_, plan_.segment_size, access, huge_pages);
    // SYNC ready: acquires everything the creator wrote.
    if (header().state.load(std::memory_order_acquire) != static_cast<std::uint32_t>(layout::State::ready)) {
      throw Error(Errc::broken, name_, "its header changed while it was opened");
    }
  }

  bool find_object(Access access) {
    auto found = platform::SharedObject::open(object_name_, access);
    object_.reset();
    if (found) object_.emplace(std::move(*found));
    return object_.has_value();
  }

  // Under the exclusive lock.
  void remove_if_named() noexcept {
    try {
      if (object_->is_named(object_name_)) remove_pair(*object_);
    } catch (const std::exception&) {
      // The name cannot be looked at (no descriptor left, rights changed): it is stale then, and stands in nobody's way.
    }
  }

  // The object that belongs to this one goes first (segment/beside.hpp).
  bool remove_pair(const platform::SharedObject& object) {
    remove_beside(object, object_name_);
    return platform::SharedObject::remove_name(object_name_);
  }

  // Under the exclusive lock, after the name was seen to mean this object.
  void remove_stale() {
    if (!remove_pair(*object_) && object_->is_named(object_name_)) {
      throw Error(Errc::permission_denied, name_, "its processes are dead and only the user who created it may remove it");
    }
    object_.reset();
  }

  // Let go, and if we were the last, clean up through a descriptor that may write.
  void leave_read_only() noexcept {
    try {
      auto other = platform::SharedObject::open(object_name_, Access::read_write);
      const bool is_same = other && other->identity() == object_->identity();
      life_.unlock();
      if (!is_same) return;
      platform::LifeLock life(*other, object_name_, layout::life_lock_offset);
      if (life.try_exclusive() && other->is_named(object_name_)) remove_pair(*other);
    } catch (const std::exception&) {
      // We may read and not write: the name stays for the next creator, as after a kill.
    }
  }

  [[noreturn]] void not_found() { throw Error(Errc::not_found, name_, "no living process holds a segment of this name; create it first, or use open_or_create"); }
  [[noreturn]] void cannot_tell(std::uint16_t presence) {
    throw Error(Errc::wrong_version, name_,
                "its creator tells the living by method " + std::to_string(presence) + ", so this program cannot know whether anybody holds it; build all programs alike");
  }
  [[noreturn]] void not_ours() { throw Error(Errc::not_a_segment, name_, "the bytes under this name are not Strait's; they were left as they are"); }

  std::string name_;
  std::string object_name_;  // what the system knows it by
  Intent intent_;
  platform::ForkMark mark_;
  bool is_ours_ = false;  // its magic was seen, or we are making it: the name may be removed when nobody holds it
  bool creating_ = false;
  bool read_only_ = false;
  std::optional<platform::SharedObject> object_;
  platform::LifeLock life_;
  platform::Mapping mapping_;
  layout::Shape shape_;
  layout::SegmentPlan plan_{};
  std::uint32_t seat_count_ = 0;
  layout::PresenceMethod presence_{};
  std::uint64_t epoch_ = 0;
  layout::FenceMethod fences_{};
};

}  // namespace strait::segment
