#pragma once
// How an endpoint's threads wait: for a reply, for a peer, for room, for packets. Whoever waits looks at the incoming ring while
// it spins, and before it sleeps it sees to it that somebody else attends that ring, or sleeps on it itself
// (rpc/attendance.hpp). So a full ring towards the peer never stops the reading of the ring from the peer.

#include <strait/core/timeout.hpp>
#include <strait/platform/processor.hpp>
#include <strait/rpc/attendance.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/call_table.hpp>
#include <strait/rpc/context.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/receiver.hpp>
#include <strait/rpc/running.hpp>
#include <strait/rpc/sender.hpp>
#include <strait/rpc/verdicts.hpp>
#include <strait/segment/session.hpp>
#include <strait/wait/blocking.hpp>
#include <strait/wait/signal.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace strait::rpc {

class Waiter {
 public:
  Waiter(Context& context, CallTable& table, Verdicts& verdicts, Receiver& receiver, Crew& crew, RunningHandlers& running)
      : context_(context), table_(table), verdicts_(verdicts), receiver_(receiver), crew_(crew), running_(running), attendance_(crew.attendance()) {}

  // ---- a caller --------------------------------------------------------------------------------------------------------------

  // Until `finished()` or the deadline.
  template <class Finished>
  void wait(Call& call, const core::Deadline& deadline, Finished finished) {
    attendance_.begin();
    Spin spin(*this);
    for (;;) {
      do {
        if (look(finished)) return attendance_.leave(*this, false);
      } while (spin.goes_on(deadline.at()));

      bool woken = true;
      if (!deadline.passed(spin.now)) woken = attendance_.sleep(*this, call, SleepUntil<Finished>{finished, deadline.left(spin.now, wait::slice)});
      spin.slept(woken);
      if (finished() || deadline.passed(spin.now)) return attendance_.leave(*this, false);
    }
  }

  enum class Sent : std::uint8_t { not_all, at_once, after_waiting };

  // `not_all`: `give_up()` said so, or the time is over. `call`: what the message is the request of, to be woken with.
  template <class GiveUp>
  Sent send(Sender& sender, Message& message, Call* call, GiveUp give_up, Clock::time_point until) {
    Sent sent = Sent::at_once;
    for (;;) {
      const bool had_room = sender.send_some(message);
      if (message.is_sent()) return sent;
      const auto start = Clock::now();
      if (start >= until || give_up()) return Sent::not_all;
      if (had_room) continue;
      sent = Sent::after_waiting;
      const bool found = wait_for_room([&] { return sender.try_packet(message); }, call, [&] { return give_up() || context_.gate.is_closing(); }, until);
      context_.counters.writing.max_wait.raise((Clock::now() - start).count());
      if (!found) return Sent::not_all;
    }
  }

  // Without waiting, but rather than have it copied: tries again for about as long as the copy of the rest would take.
  bool send_soon(Sender& sender, Message& message) {
    while (!message.is_sent()) {
      if (sender.send_some(message)) continue;
      constexpr std::size_t bytes_in_a_nanosecond = 8;
      const auto patience = (std::min)(context_.spin, std::chrono::nanoseconds(message.rest.size() / bytes_in_a_nanosecond));
      const auto end = core::later(Clock::now(), patience);
      bool found = false;
      while (!found && Clock::now() < end) {
        for (int tries = 0; tries < looks && !found; ++tries) {
          found = sender.try_packet(message);
          if (!found) platform::pause();
        }
      }
      if (!found) return false;
    }
    return true;
  }

  // ---- a worker ----------------------------------------------------------------------------------------------------------------

  // Receives until there is something else to do. `keep_time()`: when to wake up at the latest.
  template <class KeepTime>
  void attend(Worker& me, KeepTime keep_time) {
    if (!attendance_.begin_alone()) return;
    const auto finished = [&] { return me.has_mine || crew_.work().has_some() || context_.gate.is_closing() || attendance_.count() > 1; };
    Spin spin(*this);
    while (!finished()) {
      for (int tries = 0; tries < looks && !finished(); ++tries) {
        const auto futures_set = verdicts_.futures_set();
        if (receiver_.poll(&me)) {
          spin.starts = true;
          if (futures_set != verdicts_.futures_set()) std::this_thread::yield();  // to those who waited
        } else {
          platform::pause();
        }
      }
      if (finished()) break;
      if (spin.goes_on((Clock::time_point::max)())) continue;

      const auto next = keep_time();
      auto length = idle_length();
      if (next != (Clock::time_point::max)()) length = std::clamp<std::chrono::nanoseconds>(next - spin.now, std::chrono::microseconds(1), length);
      const bool woken = sleep_on_ring(SleepUntil{finished, length});
      sleeps_long_.store(false, std::memory_order_relaxed);  // relaxed: at worst one needless wake
      spin.slept(woken);
    }
    attendance_.end_alone();
  }

  // Whoever attends asks after the dead soon: a call or a handler began that a death could end.
  void shorten_sleep() noexcept {
    // SYNC idle: after the call or handler was put on its list
    if (sleeps_long_.load(std::memory_order_seq_cst)) [[unlikely]] wake_attender();
  }

  void wake_attender() noexcept { wait::wake(context_.channel().packets(), context_.channel().park()); }

  // ---- for the attendance ------------------------------------------------------------------------------------------------------

  template <class Finished>
  bool sleep_on_ring(SleepUntil<Finished> until) {
    Channel& channel = context_.channel();
    const std::uint32_t announced = wait::announce(channel.packets());
    channel.session().fence();  // between the announcement and the last look
    if (until.finished() || channel.in().may_have_message() || receiver_.peer_has_changed()) return true;
    segment::Session::count(channel.session().line().waits);
    return channel.park().sleep(channel.packets(), announced, until.length);
  }
  template <class Finished>
  bool sleep_on(Call& call, SleepUntil<Finished> until) {
    return context_.park.sleep(call.word.word(), static_cast<std::uint32_t>(At::asleep), until.length);
  }
  bool wake_follower() {
    return table_.wake_sleepers(false, [](const Call&) { return true; }, [this](std::atomic<std::uint32_t>& word) { context_.park.wake_all(word, static_cast<std::uint32_t>(At::asleep)); });
  }
  bool wake_idle() { return crew_.wake_idle(); }
  bool has_idle() const noexcept { return crew_.has_idle(); }

 private:
  static constexpr int looks = 96;  // between two looks at the clock

  // The clock of one wait: spin, sleep, and once a slice ask after the dead. It is first read after the first looks: a reply that
  // comes as soon as that costs no look at it.
  struct Spin {
    explicit Spin(Waiter& owner) noexcept : waiter(owner) {}

    bool goes_on(Clock::time_point until) {
      waiter.let_others_run();
      now = Clock::now();
      if (starts) {
        starts = false;
        end = core::later(now, waiter.context_.spin);
        if (slice_end == (Clock::time_point::min)()) slice_end = now + wait::slice;
      }
      if (now >= slice_end) ask();
      return (now < end || !waiter.context_.parks) && now < until;
    }

    void slept(bool woken) {
      now = Clock::now();
      if (!woken || now >= slice_end) ask();
      waiter.receiver_.check_peer();
      end = woken ? core::later(now, waiter.context_.spin) : now;
    }

    void ask() {
      waiter.context_.channel().session().mend_in_turn();
      waiter.receiver_.check_peer();
      slice_end = now + wait::slice;
    }

    Waiter& waiter;
    bool starts = true;  // (again) with the next look at the clock
    Clock::time_point now, end, slice_end = (Clock::time_point::min)();
  };

  template <class Finished>
  bool look(Finished& finished) {
    for (int tries = 0; tries < looks; ++tries) {
      if (finished()) return true;
      if (!receiver_.poll(nullptr)) platform::pause();
    }
    return false;
  }

  // The outgoing ring is full, or the other side takes no request now.
  template <class TryOnce, class GiveUp>
  bool wait_for_room(TryOnce try_once, Call* call, GiveUp give_up, Clock::time_point until) {
    Spin spin(*this);
    bool found = false;
    const auto finished = [&] { return give_up() || (found = try_once()); };
    for (;;) {
      attendance_.begin();
      bool over = false;
      do {
        over = look(finished);
      } while (!over && spin.goes_on(until));
      attendance_.leave(*this, !over);  // it sleeps now, however long: somebody is to come at once
      if (over) return found;

      bool woken = true;
      if (spin.now < until && (call == nullptr || call->word.settle(At::on_room))) {
        const std::uint32_t announced = wait::announce(context_.channel().room());
        context_.channel().session().fence();
        over = finished();
        if (!over) {
          segment::Session::count(context_.channel().session().line().waits);
          woken = context_.channel().park().sleep(context_.channel().room(), announced, std::min<Clock::duration>(until - spin.now, wait::slice));
        }
        if (call != nullptr) call->word.unsettle(At::on_room);
        if (over) return found;
      }
      spin.slept(woken);
      if (finished() || spin.now >= until) return found;
    }
  }

  // Several of us may spin on fewer processors: whoever could answer must get one.
  void let_others_run() const noexcept {
    if (attendance_.count() > 1) std::this_thread::yield();
  }

  // With nothing that a death could end, nobody need ask for it often.
  std::chrono::nanoseconds idle_length() {
    // SYNC idle: before the look; whoever begins something looks here afterwards.
    sleeps_long_.store(true, std::memory_order_seq_cst);
    if (table_.size() == 0 && running_.empty()) return 10 * wait::slice;
    sleeps_long_.store(false, std::memory_order_relaxed);  // relaxed: as above
    return wait::slice;
  }

  Context& context_;
  CallTable& table_;
  Verdicts& verdicts_;
  Receiver& receiver_;
  Crew& crew_;
  RunningHandlers& running_;
  Attendance<std::atomic<std::uint32_t>>& attendance_;
  alignas(64) std::atomic<bool> sleeps_long_{false};
};

}  // namespace strait::rpc
