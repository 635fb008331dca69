#pragma once
// What an endpoint's threads have to do: requests, for which there are so many slots, callbacks, and tasks.
//
// Requests are bounded. When as many wait as are kept, the other side is told (`on_full`), and its senders wait as they wait for
// room in the ring; packets, and with them replies, go on moving. What had been begun by then is taken all the same, so that the bound may be
// exceeded by one message for each thread that was sending.

#include <strait/rpc/bytes.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace strait::rpc {

struct Request {
  std::uint64_t id = 0;
  std::uint32_t from = 0;  // the caller's epoch
  bool forgotten = false;  // nobody waits for the reply
  Bytes payload;
  std::stop_source stop{std::nostopstate};  // its handler's, from the moment it is nobody else's any more
};

class Work {
 public:
  using Task = std::function<void()>;
  enum class Kind : std::uint8_t { nothing, task, callback, request };

  struct Item {
    Kind kind = Kind::nothing;
    Task task;
    Request request;
  };

  static constexpr std::size_t most_requests = 1024;
  static constexpr std::size_t most_bytes = std::size_t{64} << 20;
  // A peer that does not wait when it is told to: no honest one has so many threads that were sending.
  static constexpr std::size_t most_of_a_deaf_peer = 65'536;

  explicit Work(unsigned handler_threads) : slots_(handler_threads != 0 ? handler_threads : (std::max)(4u, std::thread::hardware_concurrency())) {}

  // ---- slots: handlers that run. Those that wait in a call of their own have none. -------------------------------------------

  bool try_take_slot() noexcept {
    auto running = running_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    while (running < slots_) {
      // SYNC slot: one after the other sees what the other did, where there is one slot.
      if (running_.compare_exchange_weak(running, running + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }
  void give_slot_back() noexcept { running_.fetch_sub(1, std::memory_order_acq_rel); }  // SYNC slot
  void retake_slot() noexcept { running_.fetch_add(1, std::memory_order_acq_rel); }     // SYNC slot

  // For a request that the thread that received it is to serve itself: nothing may be waiting before it.
  bool try_keep() noexcept { return requests_waiting() == 0 && try_take_slot(); }

  // ---- in ---------------------------------------------------------------------------------------------------------------

  // With the receiver's lock held. Returns memory for the next one. `on_full(true)` tells the other side to wait, `on_full(false)` to go
  // on; it is called under this lock, so that the last word is the right one.
  template <class OnFull>
  Bytes add(Request&& request, OnFull on_full) {
    const std::lock_guard lock(mutex_);
    bytes_ += request.payload.size();
    requests_.push_back(std::move(request));
    count(requests_waiting_, requests_.size());
    if (!full_ && (requests_.size() >= most_requests || bytes_ >= most_bytes)) on_full(full_ = true);
    Bytes spare;
    if (!spares_.empty()) {
      spare = std::move(spares_.back());
      spares_.pop_back();
    }
    return spare;
  }

  void add_task(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    count(tasks_waiting_, tasks_.size());
  }

  // False: dismissed, and the task is still the caller's to do.
  bool add_callback(Task& task) {
    const std::lock_guard lock(mutex_);
    if (dismissed_) return false;
    callbacks_.push_back(std::move(task));
    count(callbacks_waiting_, callbacks_.size());
    return true;
  }

  // ---- out --------------------------------------------------------------------------------------------------------------

  // SYNC work: after the announcement that this thread is about to sleep, or that it has arrived; whoever adds something looks at
  // who is there afterwards.
  bool has_some() const noexcept {
    return tasks_waiting_.load(std::memory_order_seq_cst) != 0 ||
           // SYNC work: as above. relaxed: whoever frees a slot looks for work itself
           (requests_waiting() != 0 && running_.load(std::memory_order_relaxed) < slots_) ||
           (callbacks_waiting_.load(std::memory_order_seq_cst) != 0 && callbacks_running_.load(std::memory_order_relaxed) < most_callbacks);
  }

  std::size_t requests_waiting() const noexcept { return requests_waiting_.load(std::memory_order_seq_cst); }  // SYNC work

  // A request comes with its slot. `begin(request)` runs under this lock: whoever wants to stop a request finds it either waiting here or
  // begun.
  template <class OnFull, class Begin>
  Item take(OnFull on_full, Begin begin) {
    Item item;
    const std::lock_guard lock(mutex_);
    if (!tasks_.empty()) {
      item.kind = Kind::task;
      item.task = std::move(tasks_.front());
      tasks_.pop_front();
      count(tasks_waiting_, tasks_.size());
    } else if (!callbacks_.empty() && callbacks_running_.load(std::memory_order_relaxed) < most_callbacks) {  // relaxed: under the lock
      item.kind = Kind::callback;
      item.task = std::move(callbacks_.front());
      callbacks_.pop_front();
      count(callbacks_waiting_, callbacks_.size());
      callbacks_running_.fetch_add(1, std::memory_order_relaxed);  // relaxed: as above
    } else if (!requests_.empty() && try_take_slot()) {
      item.kind = Kind::request;
      item.request = std::move(requests_.front());
      requests_.pop_front();
      bytes_ -= item.request.payload.size();
      begin(item.request);
      requests_went(on_full);
    }
    return item;
  }

  // relaxed: at worst the next one begins a little later
  void finished_callback() noexcept { callbacks_running_.fetch_sub(1, std::memory_order_relaxed); }

  // Large memory is used again: to get and return it costs more than to copy into it.
  void finished_request(Request& request) {
    const auto size = request.payload.capacity();
    if (size < least_spare || size > greatest_spare) return;
    const std::lock_guard lock(mutex_);
    if (spares_.size() < most_spares) spares_.push_back(std::move(request.payload));
  }

  // Requests that wait and for which `f` is true are never served.
  template <class F, class OnFull>
  void forget_requests(F f, OnFull on_full) {
    const std::lock_guard lock(mutex_);
    std::erase_if(requests_, [&](const Request& request) {
      if (!f(request)) return false;
      bytes_ -= request.payload.size();
      return true;
    });
    requests_went(on_full);
  }

  // ---- the end ------------------------------------------------------------------------------------------------------------

  // Requests need not be served any more; what else is there must be done.
  bool may_end() {
    const std::lock_guard lock(mutex_);
    return tasks_.empty() && callbacks_.empty();
  }

  // From now on callbacks are made by the one who adds them. False: there are some yet.
  bool dismiss() {
    const std::lock_guard lock(mutex_);
    return dismissed_ = callbacks_.empty();
  }

  static constexpr std::size_t greatest_spare = std::size_t{8} << 20;  // memory of this size at most is kept for the next request

 private:
  static constexpr std::uint32_t most_callbacks = 16;  // at a time
  static constexpr std::size_t least_spare = std::size_t{64} << 10;
  static constexpr std::size_t most_spares = 4;

  static void count(std::atomic<std::size_t>& waiting, std::size_t number) noexcept { waiting.store(number, std::memory_order_seq_cst); }  // SYNC work

  template <class OnFull>
  void requests_went(OnFull on_full) {
    count(requests_waiting_, requests_.size());
    if (full_ && requests_.size() <= most_requests / 2 && bytes_ <= most_bytes / 2) on_full(full_ = false);
  }

  const std::uint32_t slots_;
  alignas(64) std::atomic<std::uint32_t> running_{0};
  std::atomic<std::uint32_t> callbacks_running_{0};
  std::atomic<std::size_t> requests_waiting_{0};
  std::atomic<std::size_t> callbacks_waiting_{0};
  std::atomic<std::size_t> tasks_waiting_{0};

  std::mutex mutex_;
  std::deque<Request> requests_;
  std::deque<Task> callbacks_;
  std::deque<Task> tasks_;
  std::vector<Bytes> spares_;
  std::size_t bytes_ = 0;  // of the requests that wait
  bool full_ = false;
  bool dismissed_ = false;
};

}  // namespace strait::rpc
