#pragma once
// What a handle does with a ring: one attempt, or as many as its time allows.
//
// Our writers reserve one at a time, and so do our readers, because indices cannot tell a lap (ring.hpp): a named mutex for each
// side, held for some nanoseconds, and given on by the system if its holder is killed. Where the user promises that one thread alone
// is on that side (`Sharing::one`), it is left out.

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/ring.hpp>
#include <strait/dotnet/shared_ring.hpp>
#include <strait/dotnet/signals.hpp>
#include <strait/dotnet/waiting.hpp>
#include <strait/handle/pace.hpp>
#include <strait/platform/processor.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace strait::dotnet {

class RingEnd {
 public:
  RingEnd(std::string_view name, SharedRing nodes, const RingOptions& options)
      : name_(name),
        nodes_(nodes),
        ring_(nodes),
        wait_(options.wait),
        data_exists_(signal_name(name, suffix::data_exists), false, false, options),
        node_available_(signal_name(name, suffix::node_available), false, false, options) {
    if (options.writers == Sharing::many) writers_.emplace(signal_name(name, suffix::writers_turn), options);
    if (options.readers == Sharing::many) readers_.emplace(signal_name(name, suffix::readers_turn), options);
  }

  RingEnd(const RingEnd&) = delete;
  RingEnd& operator=(const RingEnd&) = delete;

  const SharedRing& nodes() const noexcept { return nodes_; }
  Event& data_exists() noexcept { return data_exists_; }
  Event& node_available() noexcept { return node_available_; }

  bool seems_full() { return ring_.seems_full(); }
  bool seems_empty() { return ring_.seems_empty(); }

  // ---- writers -------------------------------------------------------------------------------------------------------

  std::optional<Index> try_reserve_for_writing() {
    if (ring_.seems_full()) return std::nullopt;
    const Turn turn(writers_);
    const auto node = turn ? ring_.reserve_for_writing() : std::nullopt;
    // DEATH here: a node is reserved for writing: the format tells nobody whose it is. The ring holds what lies before it, and no more.
    if (node) core::death_point("dotnet write: reserved");
    return node;
  }

  // `ended()`: the verdict, if no message may be written any more.
  template <class Ended>
  Status reserve_for_writing(Timeout timeout, Ended ended, Index& node) {
    const auto attempt = [&] {
      const auto found = try_reserve_for_writing();
      if (found) node = *found;
      return found.has_value();
    };
    if (writing_.in_row()) {
      platform::prefetch_for_store(nodes_.cursors());  // what is asked next lies beside them
      leave_cursors_to_readers();
    }
    if (const auto end = ended()) return *end;
    if (attempt()) {
      writing_.moved();
      return Status::ok;
    }
    writing_.let_other_ahead();
    return wait_on(node_available_, wait_, timeout, attempt, ended, [this] { return !ring_.seems_full(); });
  }

  // C# readers are told after every message, also where C# would not tell them.
  void post(Index node, std::size_t amount) {
    ring_.post(node, static_cast<std::int32_t>(amount));
    data_exists_.set();
  }

  // ---- readers -------------------------------------------------------------------------------------------------------

  using Found = typename Ring<SharedRing>::Found;

  // `accept(amount)`: what it refuses stays. An amount that no node can hold is reserved too, to be thrown away: see message().
  template <class Accept>
  Found try_reserve_for_reading(Accept accept) {
    if (ring_.seems_empty()) return {Found::What::empty, 0};
    const Turn turn(readers_);
    if (!turn) return {Found::What::empty, 0};
    const Found found = ring_.reserve_for_reading([&](std::int32_t amount) { return !is_possible(amount) || accept(static_cast<std::size_t>(amount)); });
    // DEATH here: a node is reserved for reading: the format tells nobody whose it is. Its message is lost, and its node with it.
    if (found.what == Found::What::reserved) core::death_point("dotnet read: reserved");
    return found;
  }

  template <class Accept, class Ended>
  Status reserve_for_reading(Timeout timeout, Accept accept, Ended ended, Found& found) {
    const auto attempt = [&] {
      found = try_reserve_for_reading(accept);
      return found.what != Found::What::empty;
    };
    if (reading_.in_row()) platform::prefetch_for_store(nodes_.cursors());
    if (attempt()) {
      reading_.moved();
      return Status::ok;
    }
    reading_.let_other_ahead();
    return wait_on(data_exists_, wait_, timeout, attempt, ended, [this] { return !ring_.seems_empty(); });
  }

  // Of a node that is reserved for reading. Throws broken, and gives the node back, where its length cannot be.
  std::span<const std::byte> message(Index node) {
    const std::int32_t amount = ring_.amount(node);
    if (!is_possible(amount)) [[unlikely]] {
      give_back(node);
      throw Error(Errc::broken, name_,
                  "a writer said that it wrote " + std::to_string(amount) + " bytes into a node of " + std::to_string(nodes_.node_buffer_size()) +
                      "; the message was thrown away");
    }
    return {nodes_.data(node), static_cast<std::size_t>(amount)};
  }

  std::int32_t amount(Index node) { return ring_.amount(node); }

  void give_back(Index node) {
    ring_.give_back(node);
    node_available_.set();
  }

  // Sleepers of this handle look around, and some of others'.
  void wake() {
    data_exists_.set();
    node_available_.set();
  }

  // Nobody is inside any more.
  void close() {
    data_exists_.close();
    node_available_.close();
    if (writers_) writers_->close();
    if (readers_) readers_->close();
  }

 private:
  // All four cursors lie in one cache line: while both sides are at work, each takes it from the other several times per message, and
  // that is nearly all a message costs. So a writer in a row of messages that sees a reader at work, with enough to read before it,
  // waits for about a microsecond; a reader that has run out of messages waits for a writer in the same way (handle/pace.hpp).
  void leave_cursors_to_readers() {
    // relaxed: a guess. In 64 bits, because anything may stand there.
    const Index end = nodes_.read_end().load(std::memory_order_relaxed);
    const std::int64_t backlog = std::int64_t{nodes_.write_start().load(std::memory_order_relaxed)} - end;
    const Index seen = seen_read_end_.exchange(end, std::memory_order_relaxed);
    if (seen == end || platform::single_processor()) return;
    if ((backlog < 0 ? backlog + nodes_.count() : backlog) < (std::min)(enough_to_read, nodes_.count() / 2)) return;
    for (int i = 0; i < pauses; ++i) platform::pause();
  }
  static constexpr Index enough_to_read = 64;
  static constexpr int pauses = 40;  // 25 to 45 ns each

  // The right to reserve.
  class Turn {
   public:
    explicit Turn(std::optional<Mutex>& mutex) : mutex_(mutex ? &*mutex : nullptr) {
      // Held for so short a time that "would not wait" is not told from "waited". A holder that is stopped holds up all.
      held_ = mutex_ == nullptr || mutex_->lock(no_wait) || mutex_->lock(longest_sleep);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      if (mutex_ != nullptr && held_) mutex_->unlock();
    }
    explicit operator bool() const noexcept { return held_; }

   private:
    Mutex* mutex_;
    bool held_ = false;
  };

  bool is_possible(std::int32_t amount) const noexcept { return amount >= 0 && static_cast<std::size_t>(amount) <= nodes_.node_buffer_size(); }

  std::string name_;
  SharedRing nodes_;
  Ring<SharedRing> ring_;
  WaitPolicy wait_;
  Event data_exists_;
  Event node_available_;
  std::optional<Mutex> writers_;
  std::optional<Mutex> readers_;
  std::atomic<Index> seen_read_end_{0};
  handle::Pace writing_;
  handle::Pace reading_;
};

}  // namespace strait::dotnet
