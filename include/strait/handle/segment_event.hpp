#pragma once
// A named event that is a segment: where the system has no named events of its own.

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/event/event.hpp>
#include <strait/handle/opened.hpp>
#include <strait/handle/wait_source.hpp>
#include <strait/layout/event.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace strait::handle {

class SegmentEvent {
  using SignalName = layout::SignalName;

 public:
  SegmentEvent(std::string_view name, bool manual, bool initially_set, const OpenOptions& options)
      : opened_(open(name, manual, initially_set, options)),
        event_(Words(opened_.session().segment(), &opened_.session())),
        manual_(manual) {
    if ((block(opened_.session().segment()).manual != 0) != manual_) {
      throw Error(Errc::type_mismatch, name,
                  std::string("it is a") +
                      (manual_ ? "n automatic event, asked for a manual one" : " manual event, asked for an automatic one"));
    }
  }

  ~SegmentEvent() { close(); }

  const std::string& name() const noexcept { return opened_.name(); }

  void set() {
    const auto visit = opened_.enter();
    if (manual_) {
      event_.set_manual();
    } else {
      event_.set_automatic();
    }
  }

  void reset() {
    const auto visit = opened_.enter();
    event_.reset();
  }

  Status wait(Timeout timeout) {
    const Gate::Visit visit(opened_.gate());
    if (opened_.gate().is_closing()) return Status::closed;
    return manual_ ? wait_manual(timeout) : wait_automatic(timeout);
  }

  void close() {
    opened_.close([] {});
  }

  // An automatic event's set is taken, if it is there, as by a wait that does not wait.
  auto wait_source() {
    return SessionSource(opened_.gate(), opened_.shared_session(), SignalName::readers, [this, since = std::optional<std::uint64_t>()](Status& verdict) mutable {
      verdict = Status::ok;
      if (!manual_) return event_.take();
      if (!since) since = event_.state();
      return event_.is_let_go(*since);
    });
  }

 private:
  using Session = segment::Session;

  // The session is there to wake; a mend wakes everybody by itself.
  class Words {
   public:
    Words(const segment::Segment& segment, const Session* session) noexcept
        : block_(&block(segment)),
          entries_(static_cast<std::uint32_t>(segment.shape().element_count - layout::event_block_entries)),
          session_(session) {}

    std::atomic<std::uint64_t>& state() noexcept { return block_->state; }
    std::atomic<std::uint64_t>& orders() noexcept { return block_->orders; }
    std::atomic<std::uint32_t>& entry_used() noexcept { return block_->entry_used; }
    std::atomic<std::uint64_t>& entry(std::uint32_t index) noexcept {
      return reinterpret_cast<std::atomic<std::uint64_t>*>(block_ + 1)[index];
    }
    std::uint32_t entry_count() const noexcept { return entries_; }
    void wake() const noexcept {
      if (session_ != nullptr) session_->wake(SignalName::readers);
    }

   private:
    layout::EventBlock* block_;
    std::uint32_t entries_;
    const Session* session_;
  };

  static layout::EventBlock& block(const segment::Segment& segment) noexcept {
    return *reinterpret_cast<layout::EventBlock*>(segment.payload());
  }

  static std::shared_ptr<Session> open(std::string_view name, bool manual, bool initially_set, const OpenOptions& options) {
    const std::uint64_t entries =
        layout::event_block_entries + std::uint64_t{options.max_participants} * layout::event_entries_per_seat;
    // Who comes later takes the room for waiters that is there.
    const segment::Expectation expected{{layout::Kind::event, layout::event_entry_size, entries, 64, 0}, true, false};
    segment::Contents contents;
    contents.fill = [manual, initially_set](const segment::Segment& segment) {
      block(segment).manual = manual;
      block(segment).state.store(initially_set ? layout::event_is_set : 0,
                                 std::memory_order_relaxed);  // relaxed: published with the segment
    };
    contents.mend = [](const segment::Segment& segment, layout::Seat dead) -> std::uint32_t {
      event::Event<Words>(Words(segment, nullptr)).mend(dead);
      return 0;
    };
    contents.attach = [name = std::string(name)](const segment::Segment& segment) {
      if (segment.shape().element_count <= layout::event_block_entries)
        throw Error(Errc::broken, name, "its header leaves no room for waiters");
    };
    return std::make_shared<Session>(name, segment::Intent::open_or_create, expected, RingOptions{options}, contents);
  }

  Status wait_manual(Timeout timeout) {
    const auto since = event_.state();
    return wait(timeout, [&] { return event_.is_let_go(since); });
  }

  Status wait_automatic(Timeout timeout) {
    if (event_.take()) return Status::ok;
    if (timeout.is_no_wait()) {
      // The set of a waiter that died may be all there is.
      return opened_.session().mend_now_and_then() && event_.take() ? Status::ok : Status::timed_out;
    }
    const auto place = event_.enter(opened_.session().seat());
    if (!place)
      throw Error(Errc::too_many_participants, name(),
                  "too many threads wait for it; its creator chooses OpenOptions::max_participants");
    bool left = false;
    const Status status = wait(timeout, [&] { return left = event_.try_leave(*place); });
    if (left) return Status::ok;
    return event_.leave(*place) ? Status::ok : status;
  }

  template <class Attempt>
  Status wait(Timeout timeout, Attempt attempt) {
    bool let_go = false;
    bool closing = false;
    const auto waited = opened_.session().wait(SignalName::readers, timeout, Session::For::another_participant, [&] {
      if (attempt()) return let_go = true;
      closing = opened_.gate().is_closing();
      return closing;
    });
    if (let_go) return Status::ok;
    if (closing) return Status::closed;
    return waited == wait::Waited::stopped ? Status::peer_lost : Status::timed_out;
  }

  Opened opened_;
  event::Event<Words> event_;
  bool manual_;
};

}  // namespace strait::handle
