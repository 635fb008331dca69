#pragma once
// A cell in a segment, as one handle uses it: the algorithm (cell/cell.hpp), the writers' lock, who changed what, and waiting for
// a change.

#include <strait/cell/cell.hpp>
#include <strait/core/config.hpp>
#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/mutex_handle.hpp>
#include <strait/handle/opened.hpp>
#include <strait/handle/wait_source.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/seat.hpp>
#include <strait/platform/process.hpp>
#include <strait/platform/processor.hpp>
#include <strait/platform/shared_bytes.hpp>
#include <strait/segment/session.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace strait::handle {

using cell::Place;
using platform::Range;

// Where the bytes of a cell lie.
class CellMemory {
 public:
  // A struct: `value` is the object beside the segment.
  CellMemory(layout::CellBlock& block, std::byte* value, std::size_t size) noexcept : CellMemory(block, value, size, false) {}

  // A notifying buffer of `capacity` bytes: the value, a length and the bytes, lies behind the journals.
  static CellMemory with_length(layout::CellBlock& block, std::size_t capacity) noexcept {
    CellMemory memory(block, nullptr, capacity + layout::length_size, true);
    memory.value_ = memory.journals_ + 2 * memory.stride_;
    return memory;
  }

  std::atomic<std::uint64_t>& state() noexcept { return block_->state; }
  void keep(unsigned journal) noexcept { platform::copy_bytes(journal_at(journal), value_, in_use(value_)); }
  void put_back(unsigned journal) noexcept { platform::copy_bytes(value_, journal_at(journal), in_use(journal_at(journal))); }

  std::uint64_t settled(std::uint64_t bits) noexcept {
    if (platform::single_processor()) return bits;
    constexpr int patience = 64;  // pauses: 2 to 3 microseconds on the processors of the day
    for (int i = 0; i < patience; ++i) {
      platform::pause();
      // SYNC cell: as the reader's own look.
      if (const auto seen = block_->state.load(std::memory_order_acquire); seen != bits) return seen;
    }
    return bits;
  }

  layout::CellBlock& block() const noexcept { return *block_; }
  std::byte* value() const noexcept { return value_; }
  std::size_t size() const noexcept { return size_; }
  const std::byte* at(Place place) const noexcept {
    return place == Place::value ? value_ : journal_at(static_cast<unsigned>(place));
  }

  // Of what lies at `from`: another process's number, never believed beyond the size.
  std::size_t in_use(const std::byte* from) const noexcept {
    if (!has_length_) return size_;
    const auto length = platform::bytes::load<std::uint64_t>(from);
    return layout::length_size + static_cast<std::size_t>(std::min<std::uint64_t>(length, size_ - layout::length_size));
  }

 private:
  CellMemory(layout::CellBlock& block, std::byte* value, std::size_t size, bool has_length) noexcept
      : block_(&block),
        value_(value),
        journals_(reinterpret_cast<std::byte*>(&block + 1)),
        size_(size),
        stride_((size + 63) / 64 * 64),
        has_length_(has_length) {}

  std::byte* journal_at(unsigned journal) const noexcept { return journals_ + journal * stride_; }

  layout::CellBlock* block_;
  std::byte* value_;
  std::byte* journals_;
  std::size_t size_;
  std::size_t stride_;
  bool has_length_;
};

// What changed between two versions, and who made the last change.
struct Changed {
  std::uint64_t version = 0;
  Participant by{};
  std::size_t first = 0;  // the first byte of the value that may have changed
  std::size_t last = 0;   // the last
};

class CellHandle {
  using SignalName = layout::SignalName;

 public:
  using Session = segment::Session;

  CellHandle(Opened& opened, CellMemory memory)
      : opened_(&opened), memory_(memory), cell_(memory), mutex_(opened.session(), memory.block().first), told_(cell_.version()) {}

  // Calls copy(from) until what it copied is whole; the version. Inside a visit. Throws timed_out where the value has changed under
  // every copy for 3 s: honest writers copy as much as the reader does before each change, and do not get there.
  template <class Copy>
  STRAIT_HOT std::uint64_t read(Copy copy) const {
    Patience patience(*opened_);
    return cell_.read([this, copy, &patience](Place place) {
      patience.another();
      copy(memory_.at(place));
    });
  }

  std::uint64_t version() const noexcept { return cell_.version(); }

  const CellMemory& memory() const noexcept { return memory_; }

  // One change: `prepare()` runs under the lock and says which bytes to write where; if it throws, nothing has changed. Inside a visit.
  struct Write {
    Range range;
    const void* from = nullptr;
  };
  template <class Prepare>
  void change(Timeout lock_timeout, Prepare prepare) {
    if (!mutex_.lock(opened_->shared_session(), opened_->gate(), lock_timeout)) {
      throw Error(Errc::timed_out, opened_->name(), "another writer did not finish within lock_timeout");
    }
    const Unlock unlock{mutex_};
    const Write write = prepare();
    note(write.range);
    cell_.begin();
    platform::store_bytes(memory_.value() + write.range.first, write.from, write.range.count);
    cell_.finish();
    // Before the unlock: a sleeper takes longer to wake up than that.
    session().wake(SignalName::readers);
  }

  // ok: the version is another than `since`. `again`: just now nothing changed for a while, so this does not spin. Inside a visit.
  Status wait_for_change(std::uint64_t since, Timeout timeout, Session::For whom, bool again = false) const {
    bool closing = false;
    bool changed = false;
    const auto attempt = [&] {
      if (cell_.version_after_announcement() != since) return changed = true;
      closing = opened_->gate().is_closing();
      return closing;
    };
    auto waited = wait::Waited::timed_out;
    if (session().read_only()) {
      wait::poll(timeout, std::chrono::milliseconds(2), attempt);
    } else if (again) {
      waited = session().wait_on(SignalName::readers, timeout, whom, attempt, wait::idle_slice);
    } else {
      waited = session().wait(SignalName::readers, timeout, whom, attempt);
    }
    if (changed) return Status::ok;
    if (closing) return Status::closed;
    return waited == wait::Waited::stopped ? Status::peer_lost : Status::timed_out;
  }

  // It has come when there was a change since it last had, or the handle was opened.
  auto wait_source() const {
    return SessionSource(opened_->gate(), opened_->shared_session(), SignalName::readers, [this](Status& verdict) {
      verdict = Status::ok;
      const auto version = cell_.version_after_announcement();
      // relaxed: this handle's own note
      if (told_.load(std::memory_order_relaxed) == version) return false;
      told_.store(version, std::memory_order_relaxed);
      return true;
    });
  }

  // The changes from `since` on, up to and with `version`. What is not remembered any more may have changed everything.
  Changed changes(std::uint64_t since, std::uint64_t version) const {
    Changed all{version, {}, memory_.size(), 0};
    bool known = version - since <= layout::change_lines;
    Line line{};
    for (std::uint64_t one = known ? since + 1 : version; one <= version; ++one) {
      if (!read_line(one, line)) {
        known = false;
        continue;
      }
      all.first = (std::min)(all.first, static_cast<std::size_t>(line.first));
      all.last = (std::max)(all.last, static_cast<std::size_t>(line.last));
      if (one == version) all.by = participant(line);
    }
    if (!known || all.first > all.last || all.last >= memory_.size()) {
      all.first = 0;
      all.last = memory_.size() - 1;
    }
    return all;
  }

  // In the mend of a dead seat, while the lock word may still name it.
  static void mend(const segment::Segment& segment, CellMemory memory, layout::Seat dead) noexcept {
    const auto word = segment.control().lock.load(std::memory_order_relaxed);  // relaxed: the dead one's own value
    if ((word & ~layout::lock_abandoned) == dead + 1) cell::Cell<CellMemory>(memory).mend();
    MutexHandle::mend(memory.block().first, dead);
  }

 private:
  // An end for a reader whose every copy was torn.
  class Patience {
   public:
    explicit Patience(const Opened& opened) noexcept : opened_(&opened) {}
    void another() {
      if (++copies_ > 2) [[unlikely]] ask();
    }

   private:
    static constexpr std::chrono::seconds most{3};

    STRAIT_COLD void ask() {
      const auto now = core::Clock::now();
      if (copies_ == 3) end_ = now + most;
      if (now < end_) return;
      throw Error(Errc::timed_out, opened_->name(),
                  "it changed during every one of " + std::to_string(copies_) + " copies in 3 s; no whole value could be read");
    }

    const Opened* opened_;
    std::uint64_t copies_ = 0;
    core::Clock::time_point end_{};
  };

  struct Unlock {
    MutexHandle& mutex;
    ~Unlock() { mutex.unlock(); }
  };

  struct Line {
    std::uint64_t first;
    std::uint64_t last;
    std::uint64_t id;
    std::uint32_t seat;
    std::uint32_t pid;
  };

  Session& session() const noexcept { return opened_->session(); }

  // Before the change is finished, so that whoever sees its version finds it.
  void note(Range range) noexcept {
    const auto version = cell_.next_version();
    auto& line = memory_.block().changes[version % layout::change_lines];
    // SYNC change-line: whoever sees a part of what follows sees that it is not complete.
    line.version.store(0, std::memory_order_release);
    line.first.store(range.first, std::memory_order_release);                   // SYNC change-line
    line.last.store(range.first + range.count - 1, std::memory_order_release);  // SYNC change-line
    line.id.store(session().id(), std::memory_order_release);                   // SYNC change-line
    line.seat.store(session().seat(), std::memory_order_release);               // SYNC change-line
    line.pid.store(platform::process_id(), std::memory_order_release);          // SYNC change-line
    line.version.store(version, std::memory_order_release);
  }

  // False: it was overwritten by a later change.
  bool read_line(std::uint64_t version, Line& out) const noexcept {
    const auto& line = memory_.block().changes[version % layout::change_lines];
    // SYNC change-line: loaded before the version is looked at again.
    if (line.version.load(std::memory_order_acquire) != version) return false;
    out.first = line.first.load(std::memory_order_acquire);          // SYNC change-line
    out.last = line.last.load(std::memory_order_acquire);            // SYNC change-line
    out.id = line.id.load(std::memory_order_acquire);                // SYNC change-line
    out.seat = line.seat.load(std::memory_order_acquire);            // SYNC change-line
    out.pid = line.pid.load(std::memory_order_acquire);              // SYNC change-line
    return line.version.load(std::memory_order_relaxed) == version;  // relaxed: after the loads above
  }

  // Alive as far as its seat tells: to ask the system would cost a handler more than all the rest before its first line.
  Participant participant(const Line& line) const noexcept {
    const auto& segment = session().segment();
    if (line.seat >= segment.seat_count()) return {line.seat, line.pid, false, false, line.id};
    const auto& seat = segment.seats()[line.seat];
    // relaxed, all of it: what was true a moment ago
    const bool alive = layout::SeatWord{seat.word.load(std::memory_order_relaxed)}.state() == layout::SeatState::occupied &&
                       seat.id.load(std::memory_order_relaxed) == line.id;
    return {line.seat, line.pid, alive, session().control().owner.load(std::memory_order_relaxed) == line.id, line.id};
  }

  Opened* opened_;
  CellMemory memory_;
  mutable cell::Cell<CellMemory> cell_;
  MutexHandle mutex_;
  mutable std::atomic<std::uint64_t> told_;
};

}  // namespace strait::handle
