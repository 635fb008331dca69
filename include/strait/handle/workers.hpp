#pragma once
// The threads of a handle that call its handlers. Each is inside the handle's gate while it works, so close() ends it.

#include <strait/handle/gate.hpp>

#include <atomic>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace strait::handle {

class Workers {
 public:
  Workers() = default;
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { join(); }

  // Runs `work()`, which returns when the gate closes, on a thread of its own. The caller is inside the gate.
  template <class Work>
  void start(Gate& gate, Work work) {
    const std::lock_guard lock(mutex_);
    reap();
    auto& worker = workers_.emplace_back();
    try {
      worker.thread = std::thread([&gate, &worker, work = std::move(work)]() mutable {
        {
          const Gate::Visit visit(gate);
          if (!gate.is_closing()) work();
        }
        worker.is_done.store(true, std::memory_order_release);  // SYNC worker: joined without waiting
      });
    } catch (...) {
      workers_.pop_back();
      throw;
    }
  }

  // After the gate was closed and is empty.
  void join() {
    const std::lock_guard lock(mutex_);
    for (Worker& worker : workers_) worker.thread.join();
    workers_.clear();
  }

  // In a forked child, which does not have the threads.
  void forget() noexcept { static_cast<void>(new std::list<Worker>(std::move(workers_))); }

 private:
  struct Worker {
    std::thread thread;
    std::atomic<bool> is_done{false};
  };

  void reap() {
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      // SYNC worker: its thread ends without touching anything more.
      if (worker->is_done.load(std::memory_order_acquire)) {
        worker->thread.join();
        worker = workers_.erase(worker);
      } else {
        ++worker;
      }
    }
  }

  std::mutex mutex_;
  std::list<Worker> workers_;
};

}  // namespace strait::handle
