#pragma once
// One handle's part in a segment: its seat, its presence, its waits, and the mend of what the dead left.
//
// A session ends when its last owner lets go: the handle that opened it, and every claim made through it.

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/layout/control.hpp>
#include <strait/liveness/presence.hpp>
#include <strait/liveness/repair.hpp>
#include <strait/liveness/seats.hpp>
#include <strait/lock/rw_lock.hpp>
#include <strait/platform/asymmetric_fence.hpp>
#include <strait/platform/clock.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/process.hpp>
#include <strait/segment/segment.hpp>
#include <strait/segment/sweep.hpp>
#include <strait/wait/blocking.hpp>
#include <strait/wait/signal.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace strait::segment {

using layout::Seat;
using layout::SignalName;

// What a kind of segment adds: filling the payload at creation, looking at it when it is opened, before anybody is mended, and
// mending it after a death (how many messages were given back).
struct Contents {
  std::function<void(const Segment&)> fill = [](const Segment&) {};
  std::function<std::uint32_t(const Segment&, Seat dead)> mend = [](const Segment&, Seat) -> std::uint32_t { return 0; };
  std::function<void(const Segment&)> attach = [](const Segment&) {};
};

class Session {
 public:
  Session(std::string_view name, Intent intent, const Expectation& expected, const RingOptions& options, Contents contents)
      : segment_(name, intent, expected, options),
        contents_(std::move(contents)),
        wait_(options.wait),
        park_(segment_.park()),
        presence_(segment_.presence_method(), segment_.object(), segment_.seats()),
        id_(platform::random_id()) {
    if (!segment_.creating()) contents_.attach(segment_);
    if (segment_.read_only()) return;
    if (segment_.creating()) {
      control().one_writer = options.writers == Sharing::one;
      control().one_reader = options.readers == Sharing::one;
      for (Seat seat = 0; seat < segment_.seat_count(); ++seat) {
        // relaxed: nobody else looks before the segment is ready
        segment_.seats()[seat].word.store(layout::SeatWord::of(layout::SeatState::free, 0).bits, std::memory_order_relaxed);
      }
      contents_.fill(segment_);
    }
    take_a_seat();
    if (segment_.creating()) {
      control().owner.store(id_, std::memory_order_relaxed);  // relaxed: published with the state
      segment_.publish();
    } else if (intent == Intent::open_or_create) {
      adopt();
    }
    mend_some_dead();
    remove_a_few_dead();
  }

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // No claim is left: every claim owns its session. Locks that are still held count as abandoned.
  ~Session() {
    if (seat_ == layout::nobody || is_inherited()) return;
    Words words(*this);
    words.free_lock_and_sides(seat_);
    words.wake_all();
    liveness::leave(words, seat_);
  }

  const Segment& segment() const noexcept { return segment_; }
  layout::ControlBlock& control() const noexcept { return segment_.control(); }
  Seat seat() const noexcept { return seat_; }
  std::uint64_t id() const noexcept { return id_; }
  layout::SeatLine& line() const noexcept { return segment_.seats()[seat_]; }
  bool read_only() const noexcept { return segment_.read_only(); }

  // Is this a forked child's copy of its parent's session? It has neither mapping nor descriptor.
  bool is_inherited() const noexcept { return segment_.is_inherited(); }

  // ---- the owner -----------------------------------------------------------------------------------------------------

  // relaxed: an id changes only by being adopted after a death
  bool is_owner() const noexcept { return !read_only() && control().owner.load(std::memory_order_relaxed) == id_; }

  // SYNC close: seq_cst against the claims of writers and the walks of readers (protocol in handle/ring_end.hpp).
  bool is_closed() const noexcept { return control().closed.load(std::memory_order_seq_cst) != 0; }

  void close_for_everybody() noexcept {
    // SYNC close: before the wakes.
    control().closed.store(1, std::memory_order_seq_cst);
    // DEATH here: closed and nobody woken; sleepers see it when their slice ends.
    core::death_point("close: closed");
    wake_all();
  }

  // ---- waiting -------------------------------------------------------------------------------------------------------

  const platform::Park& park() const noexcept { return park_; }

  std::atomic<std::uint32_t>& signal(SignalName name) const noexcept { return control().signals[static_cast<std::uint32_t>(name)].word; }

  // SYNC sleep: seq_cst, for a waiter that was refused and one that is about to leave.
  bool somebody_may_sleep(SignalName name) const noexcept { return (signal(name).load(std::memory_order_seq_cst) & wait::may_sleep) != 0; }

  void wake(SignalName name) const noexcept { wait::wake(signal(name), park_); }

  void wake_all() const noexcept {
    for (std::uint32_t name = 0; name < layout::signal_count; ++name) wake(static_cast<SignalName>(name));
  }

  // What a wait is for: something that only another participant can do ends (`stopped`) when the owner is dead and nobody else
  // lives; something that another thread of this handle may do does not.
  enum class For : std::uint8_t { another_participant, anybody };

  // Tries until `attempt()` is true, or the timeout passes.
  template <class Attempt>
  wait::Waited wait(SignalName name, Timeout timeout, For whom, Attempt attempt) {
    return wait(signal(name), timeout, whom, attempt);
  }

  // The same by a thread of the handle's own that has waited in vain just before: parked at once. Where nothing hangs on when it learns
  // of a death, `idle_slice` will do.
  template <class Attempt>
  wait::Waited wait_on(SignalName name, Timeout timeout, For whom, Attempt attempt, std::chrono::milliseconds slice_length = wait::slice) {
    WaitPolicy policy = wait_;
    if (policy.park) policy.spin = std::chrono::nanoseconds(0);
    return wait(signal(name), timeout, whom, attempt, policy, slice_length);
  }

  // The same on a signal of the segment's contents.
  template <class Attempt>
  wait::Waited wait(std::atomic<std::uint32_t>& signal, Timeout timeout, For whom, Attempt attempt) {
    return wait(signal, timeout, whom, attempt, wait_);
  }
  template <class Attempt>
  wait::Waited wait(std::atomic<std::uint32_t>& signal, Timeout timeout, For whom, Attempt attempt, const WaitPolicy& policy,
                    std::chrono::milliseconds slice_length = wait::slice) {
    return wait::until(wait::OnSignal(signal, park_), policy, timeout, attempt, [this] { fence(); }, [this, whom] { return after_slice(whom); },
                       [this] { count(line().waits); }, slice_length);
  }

  // How this handle's waits spin and park.
  const WaitPolicy& wait_policy() const noexcept { return wait_; }

  // What every waiter does once a slice.
  wait::AfterSlice after_slice(For whom) {
    mend_in_turn();
    return whom == For::another_participant && is_alone_without_owner() ? wait::AfterSlice::stop : wait::AfterSlice::go_on;
  }

  // Whatever anybody changed in a node before this, whoever calls it sees; whatever its caller stored before it, they see from now on.
  void fence() const noexcept {
    if (segment_.fence_method() == layout::FenceMethod::by_sleepers) platform::fence_everybody();
  }

  // A verdict that did not wait: has a slice passed since this handle last asked after the dead? Then ask; true if any was mended.
  bool mend_now_and_then() noexcept {
    const auto now = platform::coarse_milliseconds();
    // relaxed: two threads that both look only ask twice
    if (now < next_look_.load(std::memory_order_relaxed)) return false;
    return mend_in_turn() != 0;
  }

  // For who waits, once a slice. A few ask after each other; of many, one asks for all: were each of hundreds to ask after hundreds, the
  // machine would do nothing else. A death is noticed by the first sleeper whose slice ends a quarter of one after the last look. The next
  // look goes on where this one ended.
  std::uint32_t mend_in_turn() noexcept {
    const auto now = platform::coarse_milliseconds();
    next_look_.store(now + wait::slice.count(), std::memory_order_relaxed);  // relaxed: as above
    auto& word = control().last_look;
    // relaxed, all of it: two that look at a time only ask twice, and whoever is killed while it looks is followed soon
    layout::LookWord last{word.load(std::memory_order_relaxed)};
    if (last.asked() > few) {
      const auto since = now - last.when();
      if (since >= 0 && since < wait::slice.count() / 4) return 0;
      const auto ours = layout::LookWord::of(now, last.asked(), last.next());
      if (!word.compare_exchange_strong(last.bits, ours.bits, std::memory_order_relaxed)) return 0;
    }
    const auto looked = look(last.next(), most_in_a_look);
    word.store(layout::LookWord::of(now, looked.asked, looked.next).bits, std::memory_order_relaxed);
    return looked.mended;
  }

  // For who cannot go on while somebody dead is in its way: asks after everybody.
  std::uint32_t mend_dead() noexcept {
    Words words(*this);
    return counted(liveness::mend_dead(words, seat_));
  }

  // What a newcomer does.
  void mend_some_dead() noexcept {
    const std::uint32_t most = segment_.seat_count() <= most_in_a_look ? most_in_a_look : few;
    look(static_cast<Seat>(id_ % segment_.seat_count()), most);
  }

  // ---- participants --------------------------------------------------------------------------------------------------

  std::vector<Participant> participants() const {
    std::vector<Participant> all;
    const auto owner = control().owner.load(std::memory_order_relaxed);  // relaxed, all of it: what was true a moment ago
    for (Seat seat = 0; seat < segment_.seat_count(); ++seat) {
      const layout::SeatLine& one = segment_.seats()[seat];
      const layout::SeatWord word{one.word.load(std::memory_order_relaxed)};
      if (word.state() == layout::SeatState::free) continue;
      const auto id = one.id.load(std::memory_order_relaxed);
      all.push_back({seat, one.pid.load(std::memory_order_relaxed), is_alive(seat), id == owner, id});
    }
    return all;
  }

  // Does a living handle sit there? Asks the system.
  bool is_living(Seat seat) const noexcept {
    if (seat >= segment_.seat_count()) return false;
    const layout::SeatWord word{segment_.seats()[seat].word.load(std::memory_order_relaxed)};  // relaxed: the system is asked
    return word.state() == layout::SeatState::occupied && is_alive(seat);
  }

  // Statistics of one's own seat: other threads of this handle may overwrite a count, other processes do not touch it.
  static void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);  // relaxed: statistics
  }

  // The words of the lock, for lock/rw_lock.hpp.
  class LockWords {
   public:
    explicit LockWords(const Session& session) noexcept : session_(&session) {}

    std::atomic<std::uint32_t>& lock() noexcept { return session_->control().lock; }
    std::atomic<std::uint32_t>& readers(Seat seat) noexcept { return session_->segment_.seats()[seat].readers; }
    Seat seat_count() const noexcept { return session_->segment_.seat_count(); }
    void wake(SignalName name) const noexcept { session_->wake(name); }

   private:
    const Session* session_;
  };

 private:
  // The words of the seats, for liveness/.
  class Words {
   public:
    explicit Words(Session& session) noexcept : session_(&session) {}

    Seat seat_count() const noexcept { return session_->segment_.seat_count(); }
    std::atomic<std::uint64_t>& seat_word(Seat seat) noexcept { return session_->segment_.seats()[seat].word; }
    std::atomic<std::uint64_t>& given_back() noexcept { return session_->control().given_back; }
    // Whoever holds the presence signs the seat, so that nobody ever sees an occupied seat with its last holder's id.
    bool try_hold(Seat seat) noexcept {
      if (!session_->presence_.try_hold(seat)) return false;
      auto& line = session_->segment_.seats()[seat];
      // relaxed: published with the seat's word
      line.id.store(session_->id_, std::memory_order_relaxed);
      line.pid.store(platform::process_id(), std::memory_order_relaxed);
      return true;
    }
    void drop(Seat seat) const noexcept { session_->presence_.drop(seat); }
    // A seat that does not exist is nobody's: the word that names it is broken.
    bool is_dead(Seat seat) const noexcept { return seat >= seat_count() || session_->presence_.is_dead(seat); }
    void wake_all() const noexcept { session_->wake_all(); }

    void mend_contents(Seat dead) noexcept {
      const auto given_back = session_->contents_.mend(session_->segment_, dead);
      if (given_back != 0 && session_->seat_ != layout::nobody) {
        session_->line().redeliveries.fetch_add(given_back, std::memory_order_relaxed);  // relaxed: statistics
      }
      free_lock_and_sides(dead);
    }

    void free_lock_and_sides(Seat seat) noexcept {
      lock::RwLock<LockWords>(LockWords(*session_)).mend(seat);
      free_side(session_->control().writer_side, seat);
      free_side(session_->control().reader_side, seat);
    }

   private:
    static void free_side(std::atomic<std::uint32_t>& side, Seat dead) noexcept {
      auto owner = dead + 1;
      // SYNC side: whoever takes it next sees what its last owner did.
      side.compare_exchange_strong(owner, 0, std::memory_order_seq_cst, std::memory_order_relaxed);
    }

    Session* session_;
  };

  static constexpr std::uint32_t few = 8;
  static constexpr std::uint32_t most_in_a_look = 64;

  liveness::Looked look(Seat first, std::uint32_t most) noexcept {
    Words words(*this);
    const auto looked = liveness::mend_some_dead(words, seat_, first, most);
    counted(looked.mended);
    return looked;
  }

  std::uint32_t counted(std::uint32_t mended) noexcept {
    if (mended != 0) line().repairs.fetch_add(mended, std::memory_order_relaxed);  // relaxed: statistics
    return mended;
  }

  void take_a_seat() {
    Words words(*this);
    auto seat = liveness::sit(words);
    // A seat that somebody living is just mending is free in a moment.
    for (int tries = 0; !seat && tries < 20; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      seat = liveness::sit(words);
    }
    if (!seat) {
      throw Error(Errc::too_many_participants, segment_.name(),
                  "all " + std::to_string(segment_.seat_count()) + " seats are taken; its creator chooses OpenOptions::max_participants");
    }
    seat_ = *seat;
  }

  // Whoever opens or creates a segment whose owner is dead becomes its owner.
  void adopt() noexcept {
    if (is_closed()) return;
    auto owner = control().owner.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    if (seat_of(owner) != layout::nobody) return;
    control().owner.compare_exchange_strong(owner, id_, std::memory_order_relaxed);  // relaxed: an id is all there is to see
  }

  // The living participant with this id.
  Seat seat_of(std::uint64_t id) const noexcept {
    for (Seat seat = 0; seat < segment_.seat_count(); ++seat) {
      // relaxed: is_living asks the system
      if (segment_.seats()[seat].id.load(std::memory_order_relaxed) == id && is_living(seat)) return seat;
    }
    return layout::nobody;
  }

  bool is_alive(Seat seat) const noexcept { return seat == seat_ || !presence_.is_dead(seat); }

  // The owner is dead and so is everybody else: nothing that a call waits for can happen any more, except by a newcomer. After
  // mend_dead: a seat that is not free then has somebody living in it, or mending it.
  bool is_alone_without_owner() const noexcept {
    if (is_owner()) return false;
    for (Seat seat = 0; seat < segment_.seat_count(); ++seat) {
      const layout::SeatWord word{segment_.seats()[seat].word.load(std::memory_order_relaxed)};  // relaxed: mend_dead has asked the system
      if (seat != seat_ && word.state() != layout::SeatState::free) return false;
    }
    return true;
  }

  Segment segment_;
  Contents contents_;
  WaitPolicy wait_;
  platform::Park park_;
  liveness::Presence presence_;
  std::uint64_t id_;
  Seat seat_ = layout::nobody;
  std::atomic<std::int64_t> next_look_{0};
};

}  // namespace strait::segment
