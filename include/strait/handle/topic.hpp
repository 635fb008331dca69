#pragma once
// A topic as one handle uses it: the registry segment in which publishers and subscribers find each other.
//
// A party sits down, makes its entry, and counts the change. A subscriber makes its entry before it looks for publishers, a publisher
// before it looks for subscribers, so of two that come at once at least one finds the other. Subscribers of the topic sleep on its
// signal `readers` for messages of any publisher; who waits for a change of the registry sleeps on `writers`.

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/layout/control.hpp>
#include <strait/layout/topic.hpp>
#include <strait/platform/process.hpp>
#include <strait/segment/expectation.hpp>
#include <strait/segment/session.hpp>
#include <strait/segment/sweep.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace strait::handle {

using layout::Role;
using layout::SignalName;

// One party of a topic.
struct Member {
  layout::Seat seat;
  std::uint64_t id;
  std::uint32_t pid;
  Role role;
};

class Topic {
 public:
  using Session = segment::Session;

  Topic(std::string_view name, const OpenOptions& options) : session_(open(name, options)) {}

  Topic(const Topic&) = delete;
  Topic& operator=(const Topic&) = delete;

  // Others see at once that this party is gone, also where a claim keeps the session.
  ~Topic() {
    if (!session_->read_only() && !session_->is_inherited()) change_role(Role::none);
  }

  Session& session() const noexcept { return *session_; }
  const std::shared_ptr<Session>& shared_session() const noexcept { return session_; }
  std::uint64_t id() const noexcept { return session_->id(); }
  std::string ring_suffix() const { return layout::topic_suffix(id()); }

  // Which ring to remove if this publisher dies is known from here on.
  void announce_ring() noexcept { change_role(Role::coming); }
  void enter(Role role) noexcept { change_role(role); }

  std::uint64_t changes() const noexcept {
    // SYNC sleep, topic: seq_cst, because the last look before sleeping follows the announcement.
    return block(session_->segment()).changes.load(std::memory_order_seq_cst);
  }

  // The living parties of these roles, but this one.
  template <class Wanted>
  std::vector<Member> members(Wanted wanted) const {
    std::vector<Member> all;
    const segment::Segment& segment = session_->segment();
    for (layout::Seat seat = 0; seat < segment.seat_count(); ++seat) {
      const layout::TopicEntry& entry = entry_of(segment, seat);
      // SYNC topic: seq_cst, after this party's own entry; acquires the id.
      const auto role = static_cast<Role>(entry.role.load(std::memory_order_seq_cst));
      if (seat == session_->seat() || !wanted(role)) continue;
      // relaxed: ordered by the role
      const Member member{seat, entry.id.load(std::memory_order_relaxed), entry.pid.load(std::memory_order_relaxed), role};
      if (session_->is_living(seat)) all.push_back(member);
    }
    return all;
  }

  std::vector<Member> publishers() const {
    return members([](Role role) { return role == Role::publisher; });
  }
  std::vector<Member> subscribers() const {
    return members([](Role role) { return role == Role::lossless || role == Role::lossy; });
  }

  // After a message was shown.
  void wake_subscribers() const noexcept { session_->wake(SignalName::readers); }
  // Those of all handles of the topic that wait for a change.
  void wake_watchers() const noexcept { session_->wake(SignalName::writers); }

 private:
  static layout::TopicBlock& block(const segment::Segment& segment) noexcept {
    return *reinterpret_cast<layout::TopicBlock*>(segment.payload());
  }
  static layout::TopicEntry& entry_of(const segment::Segment& segment, layout::Seat seat) noexcept {
    return reinterpret_cast<layout::TopicEntry*>(segment.payload() + sizeof(layout::TopicBlock))[seat];
  }

  static std::shared_ptr<Session> open(std::string_view name, const OpenOptions& options) {
    const std::uint64_t count = 1 + std::uint64_t{options.max_participants};
    // Who comes later takes the number of seats that is there.
    const segment::Expectation expected{{layout::Kind::topic, layout::topic_entry_size, count, 64, 0}, true, false};
    segment::Contents contents;
    contents.fill = [](const segment::Segment& segment) { remove_dead_rings(segment.name()); };
    contents.attach = [](const segment::Segment& segment) {
      if (segment.shape().element_count != 1 + std::uint64_t{segment.seat_count()})
        throw Error(Errc::broken, segment.name(), "its header says it has entries for another number of seats");
    };
    contents.mend = [](const segment::Segment& segment, layout::Seat dead) -> std::uint32_t {
      mend(segment, dead);
      return 0;
    };
    const auto intent = options.read_only ? segment::Intent::open : segment::Intent::open_or_create;
    return std::make_shared<Session>(name, intent, expected, RingOptions{options}, std::move(contents));
  }

  void change_role(Role role) noexcept {
    const segment::Segment& segment = session_->segment();
    layout::TopicEntry& entry = entry_of(segment, session_->seat());
    if (role != Role::none) {
      // relaxed: ordered by the role
      entry.id.store(id(), std::memory_order_relaxed);
      entry.pid.store(platform::process_id(), std::memory_order_relaxed);
    }
    // SYNC topic: before this party looks for others.
    entry.role.exchange(static_cast<std::uint32_t>(role), std::memory_order_seq_cst);
    // DEATH here: an entry that nobody was told of; who looks at the dead mends it, who looks at the entries finds it.
    core::death_point("topic: entry made");
    count_change(segment);
    wake_watchers();
  }

  static void count_change(const segment::Segment& segment) noexcept {
    // SYNC topic, sleep: after the change, before the look at the sleepers.
    block(segment).changes.fetch_add(1, std::memory_order_seq_cst);
  }

  // The dead party's entry is removed, and its ring, if it had one that nobody reads any more. Everybody is woken by the mend.
  static void mend(const segment::Segment& segment, layout::Seat dead) noexcept {
    layout::TopicEntry& entry = entry_of(segment, dead);
    // relaxed, all of it: the mend is exclusive, and follows the death
    const auto role = static_cast<Role>(entry.role.load(std::memory_order_relaxed));
    if (role == Role::none) return;
    if (role == Role::coming || role == Role::publisher) remove_ring(segment.name(), entry.id.load(std::memory_order_relaxed));
    remove_dead_rings(segment.name());  // the dead may have been the last reader of one whose publisher was gone
    // SYNC topic: as every change.
    entry.role.store(static_cast<std::uint32_t>(Role::none), std::memory_order_seq_cst);
    count_change(segment);
  }

  static void remove_ring(const std::string& topic, std::uint64_t publisher) noexcept {
    try {
      segment::remove_if_dead(topic + layout::topic_suffix(publisher), segment::Empty::goes);
    } catch (const std::exception&) {
      // No memory: whoever creates the topic next removes it.
    }
  }

  // In the creation of a topic: rings of its last life, all of whose parties were killed at once, or that could not be made.
  static void remove_dead_rings(const std::string& topic) noexcept {
    try {
      segment::remove_dead(segment::names_of_rings(topic), segment::Empty::goes);
    } catch (const std::exception&) {
      // As above.
    }
  }

  std::shared_ptr<Session> session_;
};

}  // namespace strait::handle
