#pragma once
// The threads of one endpoint under the scheduler: callers, a sender that waits for room, and workers, with rpc/attendance.hpp's
// own source for who receives. What stands here for rpc/waiter.hpp, receiver.hpp, crew.hpp and verdicts.hpp does the same in the same
// order. A section under a mutex is one step. The ring is a row of packets behind one lock. No slice ends and no time is
// over: whatever is left to that is a failure here. A tick may pass at any moment.
//
// Packets:  a b   the reply to caller 0, 1      q  a request, served at once
//           s     a request whose handler ends when everything that follows has been received and served
// The peer: publishes its packets in order; `|` waits until all so far were received, `!` until all so far were served, `R` makes room
// for the sender.

#include "word.hpp"

#include <strait/rpc/attendance.hpp>
#include <strait/rpc/sleep_word.hpp>
#include <strait/wait/signal.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

struct AttendanceScenario {
  std::string name;
  int callers = 0;
  bool sender = false;
  int workers = 1;  // one at the start, the others made when one is called and none is idle
  std::string_view peer;
  bool slow = false;  // handlers have proved slow: relief is called at once
  int preemptions = 2;
};

class AttendanceModel final : public Model {
 public:
  explicit AttendanceModel(const AttendanceScenario& scenario) : scenario_(scenario) {
    const auto name = [](Word32& word, const char* what, int index) { word.describe(what, index, nullptr, nullptr); };
    int index = 0;
    attendance_.each_word([&](Word32& word) { name(word, "attendance", index++); });
    for (int i = 0; i < most; ++i) {
      name(calls_[at(i)].word.word(), "call", i);
    }
    name(packets_, "packets' signal", 0);
    name(room_, "room's signal", 0);
    name(published_, "published", 0);
    name(taken_, "taken", 0);
    name(reading_, "reading", 0);
    name(has_room_, "room", 0);
    name(gate_, "gate", 0);
  }

  int actor_count() const override { return first_worker() + scenario_.workers + 1; }
  int party_of(int) const override { return 0; }
  bool may_die(int) const override { return false; }

  void reset() override {
    scheduler.wake_only_one(false);
    attendance_.each_word([](Word32& word) { word.reset(0); });
    for (int i = 0; i < most; ++i) {
      calls_[at(i)].word.word().reset(0);
      calls_[at(i)].listed = true;
      workers_[at(i)] = {};
      workers_[at(i)].born = i == 0;
    }
    for (Word32* word : {&packets_, &room_, &published_, &taken_, &reading_, &has_room_, &gate_}) word->reset(0);
    attendance_.expect_relief();
    row_.clear();
    queue_.clear();
    idle_.clear();
    received_ = served_ = requests_ = 0;
    on_its_way_ = 1;
    for (const char packet : scenario_.peer) requests_ += packet == 'q' || packet == 's';
  }

  void run(int actor) override {
    if (actor < scenario_.callers) return call(calls_[at(actor)]);
    if (scenario_.sender && actor == scenario_.callers) return send();
    if (actor == actor_count() - 1) return be_peer();
    work(workers_[at(actor - first_worker())]);
  }

  void died(int) override {}

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(1, static_cast<std::uint64_t>(received_) | static_cast<std::uint64_t>(served_) << 8);
    for (const char packet : row_) hash = mix(hash, static_cast<std::uint64_t>(packet));
    hash = mix(hash, static_cast<std::uint64_t>(on_its_way_) << 8);
    for (const char packet : queue_) hash = mix(hash, static_cast<std::uint64_t>(packet));
    hash = mix(hash, 2);
    for (const int worker : idle_) hash = mix(hash, static_cast<std::uint64_t>(worker));
    for (int i = 0; i < most; ++i) {
      const Worker& worker = workers_[at(i)];
      hash = mix(hash, static_cast<std::uint64_t>(worker.born) | static_cast<std::uint64_t>(worker.has_mine) << 1 | static_cast<std::uint64_t>(worker.woken) << 2 | static_cast<std::uint64_t>(worker.mine) << 8 |
                           static_cast<std::uint64_t>(calls_[at(i)].listed) << 16);
    }
    return hash;
  }

  void finish() override {
    for (int actor = 0; actor < first_worker(); ++actor) {
      if (scheduler.state(actor) == Scheduler::State::parked) return scheduler.fail("PROGRESS: a caller or sender sleeps for ever");
    }
    if (scheduler.state(actor_count() - 1) == Scheduler::State::parked) return scheduler.fail("PROGRESS: nobody receives, and the peer waits for ever");
    if (taken_.peek() != published_.peek()) return scheduler.fail("PROGRESS: a packet is never received");
    if (served_ != requests_) return scheduler.fail("PROGRESS: a request is never served");
  }

  // ---- the hands that rpc/attendance.hpp asks for --------------------------------------------------------------------------------

  bool wake_follower() {
    for (int i = 0; i < scenario_.callers; ++i) {
      Caller& call = calls_[at(i)];
      scheduler.step();
      scheduler.saw(call.listed);
      if (!call.listed || !call.word.unsettle(rpc::At::asleep)) continue;
      scheduler.wake(&call.word.word());
      return true;
    }
    return false;
  }

  // False where all workers are there: one of them is awake and looks.
  bool wake_idle() {
    scheduler.step();
    if (++on_its_way_ > 1) scheduler.fail("THREADS: relief is called while one that was called is on its way");
    if (!idle_.empty()) {
      Worker& worker = workers_[at(idle_.back())];
      idle_.pop_back();
      worker.woken = true;
      scheduler.wake(&worker.woken);
      return true;
    }
    for (int i = 0; i < scenario_.workers; ++i) {
      Worker& worker = workers_[at(i)];
      if (worker.born) continue;
      worker.born = true;
      scheduler.wake(&worker.born);
      return true;
    }
    --on_its_way_;
    scheduler.saw(1);
    return false;
  }

  bool has_idle() const { return idle_count() != 0; }

  template <class Finished>
  bool sleep_on_ring(Finished finished) {
    const auto announced = wait::announce(packets_);
    if (finished() || may_have_message()) return true;
    return sleep(packets_, announced);
  }

 private:
  static constexpr int most = 3;
  static constexpr int quiet_ticks = 1;
  using Word32 = Word<std::uint32_t>;

  struct Caller {
    rpc::SleepWord<Word32> word;
    bool listed = true;
  };
  struct Worker {
    bool woken = false;  // under the mutex, as `born`
    char mine = 0;
    bool has_mine = false;
    bool born = false;
  };
  struct Waker {
    void wake_all(Word32& word, std::uint32_t) { scheduler.wake(&word); }
  };

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  int first_worker() const { return scenario_.callers + (scenario_.sender ? 1 : 0); }

  static bool sleep(Word32& word, std::uint32_t as) { return scheduler.park(&word, word.peek() == as); }
  void wake(Word32& signal) {
    Waker waker;
    wait::wake(signal, waker);
  }

  // ---- receiving ---------------------------------------------------------------------------------------------------------------------

  bool may_have_message() { return published_.load() != taken_.load(); }

  bool poll(Worker* me) {
    if (!may_have_message()) return false;
    if (reading_.exchange(1) != 0) {
      sleep(reading_, 1);  // it spins, until the other one is done
      return false;
    }
    bool queued_some = false;
    while (!(me != nullptr && me->has_mine) && may_have_message()) accept(row_[taken_.peek()], me, queued_some);
    reading_.store(0);
    scheduler.wake(&reading_);
    if (queued_some && me == nullptr) call_worker();
    return true;
  }

  void accept(char packet, Worker* me, bool& queued_some) {
    ++received_;
    switch (packet) {
      case 'a': mark_done(calls_[0]); break;
      case 'b': mark_done(calls_[1]); break;
      default:
        if (me != nullptr && waiting() == 0) {
          me->mine = packet;
          me->has_mine = true;
        } else {
          scheduler.step();
          queue_ += packet;
          queued_some = true;
        }
    }
    taken_.fetch_add(1);
    wake(gate_);
  }

  void mark_done(Caller& call) {
    scheduler.step();
    call.listed = false;
    switch (call.word.finish()) {
      case rpc::At::asleep: scheduler.wake(&call.word.word()); break;
      case rpc::At::on_ring: wake(packets_); break;
      default: break;
    }
  }

  // ---- a caller, a sender, the peer -----------------------------------------------------------------------------------------------------

  struct Hands {
    AttendanceModel& model;
    bool wake_follower() { return model.wake_follower(); }
    bool wake_idle() { return model.wake_idle(); }
    bool has_idle() const { return model.has_idle(); }
    template <class Finished>
    bool sleep_on_ring(Finished finished) { return model.sleep_on_ring(finished); }
    template <class Finished>
    bool sleep_on(Caller& call, Finished) { return sleep(call.word.word(), static_cast<std::uint32_t>(rpc::At::asleep)); }
  };

  void call(Caller& call) {
    Hands hands{*this};
    const auto finished = [&] { return call.word.is_done(); };
    attendance_.begin();
    for (std::uint64_t round = 0;; round = 1) {
      scheduler.begin(1 + round);
      if (finished()) break;
      poll(nullptr);
      if (finished()) break;
      attendance_.sleep(hands, call, finished);
    }
    attendance_.leave(hands, false);
  }

  void send() {
    Hands hands{*this};
    for (;;) {
      scheduler.begin(1);
      attendance_.begin();
      const bool found = has_room_.load() != 0;
      if (!found) poll(nullptr);
      attendance_.leave(hands, !found);
      if (found) return;
      const auto announced = wait::announce(room_);
      if (has_room_.load() != 0) return;
      sleep(room_, announced);
    }
  }

  void be_peer() {
    std::uint64_t place = 0;
    for (const char what : scenario_.peer) {
      scheduler.begin(++place);
      if (what == '|') {
        wait_at_gate([&] { return taken_.load() == row_.size(); });
      } else if (what == '!') {
        wait_at_gate([&] { return all_served(); });
      } else if (what == 'R') {
        has_room_.store(1);
        wake(room_);
      } else {
        row_ += what;
        published_.fetch_add(1);
        wake(packets_);
      }
    }
  }

  bool all_served() {
    scheduler.step();
    const bool all = served_ == std::count_if(row_.begin(), row_.end(), [](char packet) { return packet == 'q' || packet == 's'; });
    scheduler.saw(all);
    return all;
  }

  template <class Open>
  void wait_at_gate(Open open) {
    while (!open()) {
      const auto announced = wait::announce(gate_);
      if (open()) return;
      sleep(gate_, announced);
    }
  }

  // ---- a worker ----------------------------------------------------------------------------------------------------------------------

  void work(Worker& me) {
    const int number = static_cast<int>(&me - workers_.data());
    if (!me.born) scheduler.park(&me.born, true);
    arrive();
    for (;;) {
      scheduler.begin(1);
      if (me.has_mine) {
        me.has_mine = false;
        serve(me.mine);
      } else if (waiting() != 0) {
        const char request = take_from_queue();
        if (request == 0) continue;
        if (scenario_.slow && waiting() != 0) call_worker();
        serve(request);
      } else if (attendance_.count() == 0) {
        attend(me);
      } else {
        idle(me, number);
      }
    }
  }

  char take_from_queue() {
    scheduler.step();
    const char request = queue_.empty() ? '\0' : queue_.front();
    if (request != 0) queue_.erase(queue_.begin());
    scheduler.saw(static_cast<std::uint64_t>(request));
    return request;
  }

  void arrive() {
    scheduler.step();
    --on_its_way_;
    attendance_.arrived();
  }

  void attend(Worker& me) {
    if (!attendance_.begin_alone()) return;
    const auto finished = [&] { return me.has_mine || waiting() != 0 || attendance_.count() > 1; };
    for (;;) {
      scheduler.begin(2);
      if (finished()) break;
      poll(&me);
      if (finished()) break;
      sleep_on_ring(finished);
    }
    attendance_.end_alone();
  }

  void serve(char request) {
    if (attendance_.count() == 0) attendance_.call_relief(*this, scenario_.slow);
    if (request == 's') wait_at_gate([&] { return everything_else(); });
    ++served_;
    scheduler.progress();
    wake(gate_);
  }
  // All that the peer has to say is received, and all but this one is served.
  bool everything_else() {
    const auto taken = taken_.load();
    const auto packets = static_cast<std::uint32_t>(std::count_if(scenario_.peer.begin(), scenario_.peer.end(), [](char what) { return what >= 'a' && what <= 'z'; }));
    const bool all = taken == packets && served_ + 1 >= requests_;
    scheduler.saw(all);
    return all;
  }

  void idle(Worker& me, int number) {
    scheduler.step();
    me.woken = false;
    idle_.push_back(number);
    bool goes_on = waiting() != 0;
    if (!goes_on && attendance_.begin_ticking()) {
      const bool quiet = keep_ticking(me);
      attendance_.end_ticking();
      goes_on = !quiet || attendance_.count() == 0;
    }
    if (!goes_on) scheduler.park(&me.woken, !me.woken);
    scheduler.step();
    const auto listed = std::find(idle_.begin(), idle_.end(), number);
    const bool was_called = listed == idle_.end();
    scheduler.saw(was_called);
    if (was_called) return arrive();
    idle_.erase(listed);
  }

  bool keep_ticking(Worker& me) {
    auto last = progress();
    for (int quiet = 0; quiet < quiet_ticks;) {
      scheduler.give_turn();
      scheduler.saw(me.woken);
      if (me.woken || waiting() != 0) return false;
      const auto now = progress();
      if (now != last) {
        last = now;
        quiet = 0;
      } else if (attendance_.count() == 0) {
        return false;
      } else {
        ++quiet;
      }
    }
    return true;
  }

  int progress() const {
    scheduler.step();
    scheduler.saw(static_cast<std::uint64_t>(received_));
    return received_;
  }

  // What is counted under the mutex and looked at without.
  std::size_t waiting() const { return size_of(queue_); }
  std::size_t idle_count() const { return size_of(idle_); }
  template <class List>
  static std::size_t size_of(const List& list) {
    scheduler.step();
    scheduler.saw(list.size());
    return list.size();
  }

  void call_worker() {
    if (idle_count() == 0 && attendance_.has_worker()) {
      wake(packets_);
    } else {
      attendance_.call_relief(*this, true);
    }
  }

  const AttendanceScenario& scenario_;
  rpc::Attendance<Word32> attendance_;
  std::array<Caller, most> calls_;
  std::array<Worker, most> workers_;
  Word32 packets_, room_, published_, taken_, reading_, has_room_, gate_;
  std::string row_;    // what was published
  std::string queue_;  // requests that wait for a worker
  std::vector<int> idle_;
  int received_ = 0, served_ = 0, requests_ = 0;
  int on_its_way_ = 0;  // workers that were called
};

inline std::vector<AttendanceScenario> attendance_scenarios() {
  constexpr bool sender = true, slow = true;
  return {
      {"2 callers, 2 replies", 2, !sender, 1, "ab"},
      {"2 callers, the replies apart", 2, !sender, 1, "b|a"},
      {"1 caller, a request between", 1, !sender, 2, "qa"},
      {"no caller, 3 requests", 0, !sender, 2, "qqq"},
      {"1 caller, then a request", 1, !sender, 2, "a|q"},
      {"1 caller, whose reply comes when the request was served", 1, !sender, 2, "q!a"},
      {"the same, with quiet times", 1, !sender, 2, "q!q!a", !slow, 1},
      {"2 callers, served between", 2, !sender, 1, "a|q!b"},
      {"a stuck handler, and the reply after it", 1, !sender, 2, "sa"},
      {"a stuck handler, and requests after it", 0, !sender, 3, "sqq"},
      {"a stuck handler after a quick one", 0, !sender, 3, "qsq"},
      {"a stuck handler when all has been quiet", 0, !sender, 3, "q|sq"},
      {"2 callers, a stuck handler", 2, !sender, 2, "sb|a", !slow, 1},
      {"slow handlers, 1 caller", 1, !sender, 3, "sqa", slow, 1},
      {"a sender waits for room until the peer's packets are received", 0, sender, 2, "qq|R"},
      {"a sender and a caller", 1, sender, 2, "q|Ra", !slow, 1},
      {"a sender and 2 callers", 2, sender, 1, "b|R|a", !slow, 1},
      {"a sender, and a stuck handler", 0, sender, 3, "s|Rq", !slow, 1},
  };
}

}  // namespace strait::model
