#pragma once
// The threads of an endpoint. Each is at any moment one of these:
//
//     attending   receives packets, because no caller does: spins, then parks on the incoming ring
//     serving     runs user code: a handler or a callback
//     idle        parked on a word of its own; at most one of the idle ticks: it looks once a millisecond
//
// A quick handler runs on the thread that received its request, with no hand-over. While it runs nobody may be receiving, and
// that is what the ticking is for: an idle thread that finds nobody attending at two ticks with no packet read in between takes over.
// Where handlers have proved slow, it is woken at once instead. When nothing has happened for a while the ticking stops;
// whoever leaves the ring unattended then wakes an idle thread, once per burst of traffic and not once per call.
//
// Somebody idle, ticking or attending is always there while user code runs: threads are added when there is none, and leave
// when they have been idle for some seconds.

#include <strait/core/error_report.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/park.hpp>
#include <strait/rpc/bytes.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace strait::rpc {

using core::Clock;

struct Request {
  std::uint64_t id = 0;
  std::uint32_t from = 0;  // the caller's epoch
  bool forgotten = false;  // nobody waits for the reply
  Bytes payload;
};

struct Worker {
  std::atomic<std::uint32_t> word{0};  // 1: woken
  Request mine;                        // received by this very thread and kept to be served by it
  bool has_mine = false;
};

class Crew {
 public:
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

 protected:
  using Task = std::function<void()>;

  explicit Crew(unsigned handler_threads) : limit_(handler_threads != 0 ? handler_threads : std::max(4u, std::thread::hardware_concurrency())) {}
  virtual ~Crew() = default;

  // ---- what the endpoint does ------------------------------------------------------------------------------------------

  virtual void attend(Worker& me) = 0;                 // until there is something else to do
  virtual void serve(Request& request) = 0;            // runs the handler and sends the reply
  virtual Clock::time_point keep_time() = 0;           // ends the calls whose time is over; when to look again
  virtual std::uint64_t progress() const noexcept = 0; // grows with every packet read
  virtual void wake_attender() noexcept = 0;
  virtual bool is_closing() const noexcept = 0;
  virtual std::shared_ptr<void> keep_alive() = 0;

  // ---- who receives ------------------------------------------------------------------------------------------------------
  // SYNC attend: seq_cst, all of it: whoever leaves looks for a ticker afterwards, whoever stops ticking looks for attenders
  // afterwards; one of the two sees the other.

  void begin_attending() noexcept { attenders_.fetch_add(1, std::memory_order_seq_cst); }  // SYNC attend

  // Only where nobody does.
  bool begin_attending_alone() noexcept {
    std::uint32_t none = 0;
    // SYNC attend: as above
    return attenders_.load(std::memory_order_relaxed) == 0 && attenders_.compare_exchange_strong(none, 1, std::memory_order_seq_cst);
  }

  // True: nobody is left.
  bool end_attending() noexcept { return attenders_.fetch_sub(1, std::memory_order_seq_cst) == 1; }  // SYNC attend

  std::uint32_t attenders() const noexcept { return attenders_.load(std::memory_order_seq_cst); }  // SYNC attend

  // After the last one left: within two ticks somebody else attends; `at_once`: now.
  void provide_attendance(bool at_once) {
    // SYNC attend: after the departure
    if (at_once || !ticking_.load(std::memory_order_seq_cst)) wake_idle();
  }

  // ---- work --------------------------------------------------------------------------------------------------------------

  // A handler's slot. Handlers that wait in a call of their own have none.
  bool try_take_slot() noexcept {
    auto running = running_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    while (running < limit_) {
      // SYNC slot: one after the other sees what the other did, where there is one slot.
      if (running_.compare_exchange_weak(running, running + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }
  void give_slot_back() noexcept { running_.fetch_sub(1, std::memory_order_acq_rel); }  // SYNC slot
  void retake_slot() noexcept { running_.fetch_add(1, std::memory_order_acq_rel); }     // SYNC slot

  // To be kept by the thread that received it: nothing may be waiting before it.
  // relaxed: those before it were queued by whoever held the receiver's lock before us
  bool try_keep() noexcept { return queued_.load(std::memory_order_relaxed) == 0 && try_take_slot(); }

  void queue(Request&& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    queued_.store(requests_.size(), std::memory_order_relaxed);  // relaxed: a hint, looked at again by every idle thread's tick
  }

  // Requests that wait for a thread and for which `f` is true are forgotten.
  template <class F>
  void forget_requests(F f) {
    const std::lock_guard lock(mutex_);
    std::erase_if(requests_, f);
    queued_.store(requests_.size(), std::memory_order_relaxed);  // relaxed: as above
  }

  // User code of which up to `most_callbacks` run at a time.
  void queue_callback(Task task) {
    {
      std::unique_lock lock(mutex_);
      if (dismissed_) {  // the endpoint is closed and its threads are gone: the one who called does it
        lock.unlock();
        return run(task);
      }
      callbacks_.push_back(std::move(task));
      callbacks_queued_.store(callbacks_.size(), std::memory_order_relaxed);  // relaxed: as above
    }
    call_worker();
  }

  // What cannot wait for the end of user code.
  void queue_task(Task task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      tasks_queued_.store(tasks_.size(), std::memory_order_relaxed);  // relaxed: as above
    }
    call_worker();
  }

  // relaxed: hints
  std::size_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }
  bool has_work() const noexcept {
    return tasks_queued_.load(std::memory_order_relaxed) != 0 ||
           (queued_.load(std::memory_order_relaxed) != 0 && running_.load(std::memory_order_relaxed) < limit_) ||
           (callbacks_queued_.load(std::memory_order_relaxed) != 0 && callbacks_running_.load(std::memory_order_relaxed) < most_callbacks);
  }

  // There is work, or a new time to keep: somebody who is not serving looks.
  void call_worker() {
    // relaxed: an attending worker looks at the queues, under the lock that we have just left, after its announcement
    if (idle_count_.load(std::memory_order_relaxed) == 0 && worker_attends_.load(std::memory_order_relaxed)) {
      wake_attender();
    } else {
      wake_idle();
    }
  }

  // Before user code: others must be able to go on whatever it does.
  void before_user_code() {
    if (attenders() == 0) provide_attendance(slow_.load(std::memory_order_relaxed));  // relaxed: an estimate
  }
  void after_user_code(Clock::duration took) noexcept {
    const bool slow = took > slow_from;
    // relaxed: an estimate
    if (slow_.load(std::memory_order_relaxed) != slow) slow_.store(slow, std::memory_order_relaxed);
  }

  // ---- threads -------------------------------------------------------------------------------------------------------------

  static bool is_worker_of(const Crew* crew) noexcept { return current() == crew; }

  void add_worker() {
    const std::lock_guard lock(mutex_);
    spawn();
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
    for (;;) {
      while (do_some_work()) {
      }
      const std::lock_guard lock(mutex_);
      dismissed_ = callbacks_.empty();
      if (dismissed_) return;
    }
  }

  void detach_workers() {
    const std::lock_guard lock(mutex_);
    for (auto& [worker, thread] : threads_) thread.detach();
    threads_.clear();
  }

  std::atomic<bool> worker_attends_{false};

 private:
  static constexpr std::uint32_t most_callbacks = 16;
  static constexpr auto slow_from = std::chrono::microseconds(20);  // ten times what waking a thread costs
  static constexpr auto tick = std::chrono::milliseconds(1);
  static constexpr int quiet_ticks = 20;
  static constexpr auto idle_for = std::chrono::seconds(5);

  static const Crew*& current() noexcept {
    static thread_local const Crew* crew = nullptr;
    return crew;
  }

  void work(Worker& me) {
    current() = this;
    for (;;) {
      if (me.has_mine) {
        me.has_mine = false;
        serve_in_slot(me.mine);
      } else if (do_some_work()) {
      } else if (is_closing()) {
        if (!may_leave()) continue;
        return;
      } else if (attenders() == 0) {
        attend(me);
      } else if (!idle(me)) {
        return;
      }
    }
  }

  void serve_in_slot(Request& request) {
    before_user_code();
    serve(request);
    give_slot_back();
  }

  bool do_some_work() {
    // relaxed: whoever queues something calls a worker afterwards
    if (!has_work()) return false;
    Task task;
    Request request;
    enum { nothing, a_task, a_callback, a_request } kind = nothing;
    {
      const std::lock_guard lock(mutex_);
      if (!tasks_.empty()) {
        kind = a_task;
        task = std::move(tasks_.front());
        tasks_.pop_front();
        tasks_queued_.store(tasks_.size(), std::memory_order_relaxed);  // relaxed: hints, here and below
      } else if (!callbacks_.empty() && callbacks_running_.load(std::memory_order_relaxed) < most_callbacks) {
        kind = a_callback;
        task = std::move(callbacks_.front());
        callbacks_.pop_front();
        callbacks_queued_.store(callbacks_.size(), std::memory_order_relaxed);
        callbacks_running_.fetch_add(1, std::memory_order_relaxed);
      } else if (!requests_.empty() && try_take_slot()) {
        kind = a_request;
        request = std::move(requests_.front());
        requests_.pop_front();
        queued_.store(requests_.size(), std::memory_order_relaxed);
      }
    }
    if (kind == nothing) return false;
    if (has_work() && slow_.load(std::memory_order_relaxed)) call_worker();  // relaxed: an estimate
    if (kind == a_request) {
      serve_in_slot(request);
      return true;
    }
    before_user_code();
    const auto start = Clock::now();
    run(task);
    task = {};
    after_user_code(Clock::now() - start);
    if (kind == a_callback) callbacks_running_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }

  static void run(const Task& task) {
    try {
      task();
    } catch (...) {
      core::ErrorReport::report(std::current_exception(), "RpcBuffer callback");
    }
  }

  // False: this thread is not needed any more.
  bool idle(Worker& me) {
    {
      const std::lock_guard lock(mutex_);
      if (has_work() || is_closing()) return true;
      me.word.store(0, std::memory_order_relaxed);  // relaxed: nobody knows of it yet
      idle_.push_back(&me);
      idle_count_.store(idle_.size(), std::memory_order_relaxed);  // relaxed: a hint
    }
    // SYNC attend: before the look at the attenders
    if (!ticking_.exchange(true, std::memory_order_seq_cst)) {
      const bool quiet = keep_ticking(me);
      // SYNC attend: as above
      ticking_.store(false, std::memory_order_seq_cst);
      if (!quiet || attenders() == 0) {
        unlist(me);
        return true;
      }
    }
    const bool stays = sleep_deeply(me);
    const bool was_woken = !unlist(me);
    const std::lock_guard lock(mutex_);
    if (stays || was_woken || idle_.empty() || is_closing()) return true;
    const auto own = threads_.find(&me);
    if (own == threads_.end()) return true;
    own->second.detach();
    threads_.erase(own);
    return false;
  }

  // True: all has been quiet for a while. False: there is something to do.
  bool keep_ticking(Worker& me) {
    auto last_progress = progress();
    for (int quiet = 0; quiet < quiet_ticks;) {
      if (sleep(me, tick)) return false;
      if (has_work()) return false;
      const bool moved = progress() != std::exchange(last_progress, progress());
      if (moved) {
        quiet = 0;
      } else if (attenders() == 0) {
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
    if (next != Clock::time_point::max()) at_most = std::clamp<Clock::duration>(next - Clock::now(), std::chrono::microseconds(1), at_most);
    park_.sleep(me.word, 0, at_most);
    // SYNC work: acquires what the one who woke us did.
    return me.word.load(std::memory_order_acquire) != 0 || is_closing();
  }

  // False: whoever woke us has done it.
  bool unlist(Worker& me) {
    const std::lock_guard lock(mutex_);
    const auto listed = std::find(idle_.begin(), idle_.end(), &me);
    if (listed == idle_.end()) return false;
    idle_.erase(listed);
    idle_count_.store(idle_.size(), std::memory_order_relaxed);  // relaxed: a hint
    return true;
  }

  bool may_leave() {
    const std::lock_guard lock(mutex_);
    return tasks_.empty() && callbacks_.empty();
  }

  void wake_idle() {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      wake_last();
    } else if (!is_closing()) {
      spawn();
    }
  }

  void wake_last() {
    Worker& worker = *idle_.back();
    idle_.pop_back();
    idle_count_.store(idle_.size(), std::memory_order_relaxed);  // relaxed: a hint
    // SYNC work: what it is woken for comes before.
    worker.word.store(1, std::memory_order_seq_cst);
    park_.wake_all(worker.word);
  }

  void spawn() {
    try {
      auto worker = std::make_unique<Worker>();
      Worker* const key = worker.get();
      threads_.emplace(key, std::thread([this, alive = keep_alive(), own = std::move(worker)] { work(*own); }));
    } catch (const std::system_error&) {
      // No thread to be had: those that are there go on, and the next look tries again.
    }
  }

  const std::uint32_t limit_;
  platform::Park park_;
  alignas(64) std::atomic<std::uint32_t> attenders_{0};
  std::atomic<bool> ticking_{false};
  alignas(64) std::atomic<std::uint32_t> running_{0};
  std::atomic<std::uint32_t> callbacks_running_{0};
  std::atomic<std::size_t> queued_{0};
  std::atomic<std::size_t> callbacks_queued_{0};
  std::atomic<std::size_t> tasks_queued_{0};
  std::atomic<std::size_t> idle_count_{0};
  std::atomic<bool> slow_{false};

  std::mutex mutex_;
  std::deque<Request> requests_;
  std::deque<Task> callbacks_;
  std::deque<Task> tasks_;
  std::vector<Worker*> idle_;
  bool dismissed_ = false;
  std::unordered_map<Worker*, std::thread> threads_;
};

}  // namespace strait::rpc
