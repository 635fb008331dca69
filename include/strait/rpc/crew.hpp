#pragma once
// The threads of an endpoint. Each is at any moment one of these:
//
//     attending   receives packets, because no caller does: spins, then sleeps on the incoming ring
//     serving     runs user code: a handler or a callback
//     idle        asleep on a word of its own; at most one of the idle ticks
//
// A quick handler runs on the thread that received its request, with no hand-over. While it runs nobody may be receiving, and
// that is what the ticking is for: an idle thread that finds nobody attending, and no packet read since it last looked a
// millisecond ago, takes over. Where handlers have proved slow, one is woken at once instead. When nothing has happened for a
// while the ticking stops; whoever leaves the ring unattended then calls an idle thread, once per burst of traffic and not once
// per call (rpc/attendance.hpp).
//
// Somebody idle, called or attending is always there while user code runs: threads are added when there is none, and leave
// when they have been idle for some seconds.

#include <strait/core/error_hook.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/park.hpp>
#include <strait/rpc/attendance.hpp>
#include <strait/rpc/work.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace strait::rpc {

using core::Clock;

struct Worker {
  std::atomic<std::uint32_t> word{0};  // 1: woken
  Request mine;                        // received by this very thread and kept to be served by it
  bool has_mine = false;
};

class Crew {
 public:
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // A request leaves the queue, or the ring, for the thread that will serve it.
  virtual void begin(Request&) noexcept {}

  Work& work() noexcept { return work_; }
  Attendance<std::atomic<std::uint32_t>>& attendance() noexcept { return attendance_; }

  // ---- work for the threads ------------------------------------------------------------------------------------------------

  // There is work, or a new time to keep: somebody who is not serving looks.
  void call_worker() {
    if (!has_idle() && attendance_.has_worker()) {
      wake_attender();
    } else {
      attendance_.call_relief(*this, true);
    }
  }

  void queue_callback(Work::Task task) {
    if (!work_.add_callback(task)) return run(task);  // closed, and the threads are gone
    call_worker();
  }
  void queue_task(Work::Task task) {
    work_.add_task(std::move(task));
    call_worker();
  }

  bool has_idle() const noexcept { return idle_count_.load(std::memory_order_seq_cst) != 0; }  // SYNC work

  // For the attendance. False: there is nobody, and no thread to be had; the next look tries again.
  bool wake_idle() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return !is_closing() && spawn();
    wake_last();
    return true;
  }

  static bool is_worker_of(const Crew* crew) noexcept { return current() == crew; }

 protected:
  explicit Crew(unsigned handler_threads) : work_(handler_threads) {}
  virtual ~Crew() = default;

  // ---- what the endpoint does ------------------------------------------------------------------------------------------

  virtual void attend(Worker& me) = 0;                  // until there is something else to do
  virtual void serve(Request& request) = 0;             // runs the handler and sends the reply
  virtual Clock::time_point keep_time() = 0;            // ends the calls whose time is over; when to look again
  virtual std::uint64_t progress() const noexcept = 0;  // grows with every packet read
  virtual void wake_attender() noexcept = 0;
  virtual void tell_full(bool full) noexcept = 0;       // the other side: no more requests, or go on
  virtual bool is_closing() const noexcept = 0;
  virtual std::shared_ptr<void> keep_alive() = 0;

  // ---- threads -------------------------------------------------------------------------------------------------------------

  void add_first_worker() {
    const std::lock_guard lock(mutex_);
    attendance_.expect_relief();
    if (!spawn()) attendance_.arrived();
  }

  void wake_all_workers() {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) wake_last();
  }

  // Not from a worker. Callbacks that are left are made first.
  void join_workers() {
    for (;;) {
      std::thread thread;
      {
        const std::lock_guard lock(mutex_);
        if (threads_.empty()) break;
        thread = std::move(threads_.begin()->second);
        threads_.erase(threads_.begin());
      }
      thread.join();
    }
    do {
      while (do_some_work()) {
      }
    } while (!work_.dismiss());
  }

  void detach_workers() {
    const std::lock_guard lock(mutex_);
    for (auto& [worker, thread] : threads_) thread.detach();
    threads_.clear();
  }

 private:
  static constexpr auto slow_from = std::chrono::microseconds(20);  // ten times what waking a thread costs
  static constexpr auto tick = std::chrono::milliseconds(1);
  static constexpr int quiet_ticks = 20;
  static constexpr auto idle_for = std::chrono::seconds(5);

  static const Crew*& current() noexcept {
    static thread_local const Crew* crew = nullptr;
    return crew;
  }

  void run_thread(Worker& me) {
    current() = this;
    attendance_.arrived();
    for (;;) {
      if (me.has_mine) {
        me.has_mine = false;
        serve_in_slot(me.mine);
      } else if (do_some_work()) {
      } else if (is_closing()) {
        if (work_.may_end()) return;
        std::this_thread::yield();  // the last callbacks are being made by others
      } else if (attendance_.count() == 0) {
        attend(me);
      } else if (!idle(me)) {
        return;
      }
    }
  }

  // ---- serving ---------------------------------------------------------------------------------------------------------------

  bool do_some_work() {
    if (!work_.has_some()) return false;
    Work::Item item = work_.take([this](bool full) { tell_full(full); }, [this](Request& request) { begin(request); });
    if (item.kind == Work::Kind::nothing) return false;
    if (work_.has_some() && slow_.load(std::memory_order_relaxed)) call_worker();  // relaxed: an estimate
    if (item.kind == Work::Kind::request) {
      serve_in_slot(item.request);
      work_.finished_request(item.request);
      return true;
    }
    run_user_code([&] {
      run(item.task);
      item.task = {};
    });
    if (item.kind == Work::Kind::callback) work_.finished_callback();
    return true;
  }

  void serve_in_slot(Request& request) {
    run_user_code([&] { serve(request); });
    work_.give_slot_back();
  }

  // Others must be able to go on whatever it does.
  template <class F>
  void run_user_code(F f) {
    // relaxed: an estimate, here and below
    if (attendance_.count() == 0) attendance_.call_relief(*this, slow_.load(std::memory_order_relaxed));
    // To look at the clock costs a tenth of a call, so quick ones are timed now and then.
    if (!slow_.load(std::memory_order_relaxed) && !is_timed()) return f();
    const auto start = Clock::now();
    f();
    slow_.store(Clock::now() - start > slow_from, std::memory_order_relaxed);
  }

  // relaxed: threads that lose counts to each other time more or less often
  bool is_timed() noexcept {
    const auto number = timing_.load(std::memory_order_relaxed);
    timing_.store(number + 1, std::memory_order_relaxed);
    return number % 8 == 0;
  }

  static void run(const Work::Task& task) {
    try {
      task();
    } catch (...) {
      core::ErrorHook::instance().report(std::current_exception(), "RpcBuffer callback");
    }
  }

  // ---- idle ------------------------------------------------------------------------------------------------------------------

  // False: this thread is not needed any more.
  bool idle(Worker& me) {
    {
      const std::lock_guard lock(mutex_);
      me.word.store(0, std::memory_order_relaxed);  // relaxed: nobody knows of it yet
      idle_.push_back(&me);
      idle_count_.store(idle_.size(), std::memory_order_seq_cst);  // SYNC work: before the look at the queues
    }
    // At the end, because nobody calls again; at the work only to save a tick: whoever ticks or was called looks at it.
    bool goes_on = work_.has_some() || is_closing();
    if (!goes_on && attendance_.begin_ticking()) {
      const bool quiet = keep_ticking(me);
      attendance_.end_ticking();
      goes_on = !quiet || attendance_.count() == 0;
    }
    const bool tired = !goes_on && !sleep_deeply(me);
    if (!unlist(me)) {
      attendance_.arrived();  // it was us who were called
      return true;
    }
    return !tired || !may_go(me);
  }

  // True: all has been quiet for a while. False: there is something to do.
  bool keep_ticking(Worker& me) {
    auto last_progress = progress();
    for (int quiet = 0; quiet < quiet_ticks;) {
      if (sleep(me, tick) || work_.has_some()) return false;
      const auto now = progress();
      if (now != last_progress) {
        last_progress = now;
        quiet = 0;
      } else if (attendance_.count() == 0) {
        return false;  // nobody has received anything for a tick: we do
      } else {
        ++quiet;
      }
    }
    return true;
  }

  // False: idle for so long that this thread may leave.
  bool sleep_deeply(Worker& me) {
    const auto end = Clock::now() + idle_for;
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
      if (sleep(me, end - now)) return true;
    }
    return false;
  }

  // True: woken, or this endpoint closes. Keeps the time of calls.
  bool sleep(Worker& me, Clock::duration at_most) {
    const auto next = keep_time();
    if (next != (Clock::time_point::max)()) at_most = std::clamp<Clock::duration>(next - Clock::now(), std::chrono::microseconds(1), at_most);
    park_.sleep(me.word, 0, at_most);
    // SYNC work: acquires what the one who woke us did.
    return me.word.load(std::memory_order_acquire) != 0 || is_closing();
  }

  // False: somebody took it from the list, to call it.
  bool unlist(Worker& me) {
    const std::lock_guard lock(mutex_);
    const auto listed = std::find(idle_.begin(), idle_.end(), &me);
    if (listed == idle_.end()) return false;
    idle_.erase(listed);
    idle_count_.store(idle_.size(), std::memory_order_seq_cst);  // SYNC work
    return true;
  }

  // Is there another one that is idle? Then this thread goes.
  bool may_go(Worker& me) {
    const std::lock_guard lock(mutex_);
    if (idle_.empty() || is_closing()) return false;
    const auto own = threads_.find(&me);
    if (own == threads_.end()) return false;
    own->second.detach();
    threads_.erase(own);
    return true;
  }

  void wake_last() {
    Worker& worker = *idle_.back();
    idle_.pop_back();
    idle_count_.store(idle_.size(), std::memory_order_seq_cst);  // SYNC work
    // SYNC work: what it is woken for comes before.
    worker.word.store(1, std::memory_order_seq_cst);
    park_.wake_all(worker.word, 0);
  }

  bool spawn() {
    try {
      auto worker = std::make_unique<Worker>();
      Worker* const key = worker.get();
      threads_.emplace(key, std::thread([this, alive = keep_alive(), own = std::move(worker)] { run_thread(*own); }));
      return true;
    } catch (const std::system_error&) {
      return false;  // those that are there go on
    }
  }

  Work work_;
  alignas(64) Attendance<std::atomic<std::uint32_t>> attendance_;
  alignas(64) std::atomic<std::size_t> idle_count_{0};
  std::atomic<bool> slow_{false};
  std::atomic<std::uint32_t> timing_{0};
  platform::Park park_ = platform::Park::of_this_process();

  std::mutex mutex_;
  std::vector<Worker*> idle_;
  std::unordered_map<Worker*, std::thread> threads_;
};

}  // namespace strait::rpc
