#pragma once
// A named mutex that is a segment: where the system has no named mutexes of its own that survive their holder.

#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/mutex_handle.hpp>
#include <strait/handle/opened.hpp>
#include <strait/layout/mutex.hpp>
#include <strait/segment/session.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace strait::handle {

class SegmentMutex {
 public:
  SegmentMutex(std::string_view name, const OpenOptions& options)
      : opened_(open(name, options)), mutex_(opened_.session(), block(opened_.session().segment()).first) {}

  ~SegmentMutex() { close(); }

  const std::string& name() const noexcept { return opened_.name(); }

  bool lock(Timeout timeout) {
    const auto visit = opened_.enter();
    return mutex_.lock(opened_.shared_session(), opened_.gate(), timeout);
  }

  // Closing lets go of the mutex too: to unlock it afterwards is not an error, so that guards may end after the handle.
  void unlock() {
    const Gate::Visit visit(opened_.gate());
    if (!opened_.gate().is_closing()) {
      mutex_.unlock();
    } else if (!mutex_.forget_if_held()) {
      Gate::throw_closed(name());
    }
  }

  bool was_abandoned() const {
    const auto visit = opened_.enter();
    return mutex_.is_abandoned();
  }

  void close() {
    opened_.close([] {});
  }

 private:
  static layout::MutexBlock& block(const segment::Segment& segment) noexcept {
    return *reinterpret_cast<layout::MutexBlock*>(segment.payload());
  }

  static std::shared_ptr<segment::Session> open(std::string_view name, const OpenOptions& options) {
    const segment::Expectation expected{{layout::Kind::mutex, sizeof(layout::MutexBlock), 1, 64, 0}, true, true};
    segment::Contents contents;
    contents.mend = [](const segment::Segment& segment, layout::Seat dead) -> std::uint32_t {
      MutexHandle::mend(block(segment).first, dead);
      return 0;
    };
    return std::make_shared<segment::Session>(name, segment::Intent::open_or_create, expected, RingOptions{options}, contents);
  }

  Opened opened_;
  mutable MutexHandle mutex_;
};

}  // namespace strait::handle
