#pragma once
// A publisher's ring, as one subscriber uses it: the segment, the algorithm (broadcast/reader.hpp), and the message that is being put
// together from its parts.

#include <strait/broadcast/reader.hpp>
#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/handle/broadcast_end.hpp>
#include <strait/handle/broadcast_nodes.hpp>
#include <strait/handle/topic.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/platform/process.hpp>
#include <strait/platform/shared_bytes.hpp>
#include <strait/segment/session.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace strait::handle {

class BroadcastSource {
 public:
  using Session = segment::Session;

  // `gone` is set when the publisher was seen to be gone. Throws not_found where it is already.
  BroadcastSource(const std::string& name, const Topic& topic, const Member& publisher, std::shared_ptr<const std::atomic<bool>> gone,
                  layout::LineState delivery, const OpenOptions& options)
      : publisher_(publisher),
        gone_(std::move(gone)),
        suffix_(layout::topic_suffix(publisher.id)),
        session_(name, segment::Intent::open, {{layout::Kind::broadcast, 1, 2, 64, 0}, false, false, suffix_}, RingOptions{options}, contents()),
        nodes_(session_.segment(), topic.session().segment().fence_method()),
        reader_(nodes_),
        is_lossless_(delivery == layout::LineState::lossless && !session_.read_only()),
        node_size_(static_cast<std::size_t>(session_.segment().shape().element_size)),
        room_(&session_.signal(SignalName::writers)),
        park_(&session_.park()) {
    const std::uint64_t history = BroadcastNodes::block(session_.segment()).history.load(std::memory_order_relaxed);  // relaxed: as above
    if (session_.read_only()) {
      reader_.join_unseen(history);
      return;
    }
    auto& line = nodes_.line(session_.seat());
    // relaxed: ordered by the line's state
    line.id.store(0, std::memory_order_relaxed);
    line.pid.store(platform::process_id(), std::memory_order_relaxed);
    // DEATH here: a line that does not count yet; its next owner writes it again.
    core::death_point("subscribe: line written");
    reader_.join(session_.seat(), delivery, history);
    // DEATH here: a subscriber that holds its publisher back, of which nobody was told; the publisher mends it when it waits.
    core::death_point("subscribe: joined");
    // SYNC connected, sleep: only now is the first message known that it will get; the look at the sleepers follows.
    line.id.store(topic.id(), std::memory_order_seq_cst);
    session_.wake(SignalName::writers);  // it may have waited for what this one stepped over
    session_.wake(SignalName::readers);
  }

  BroadcastSource(const BroadcastSource&) = delete;
  BroadcastSource& operator=(const BroadcastSource&) = delete;

  ~BroadcastSource() {
    if (session_.read_only() || session_.is_inherited()) return;
    broadcast::Reader<BroadcastNodes>::leave(nodes_, session_.seat());
    session_.wake(SignalName::writers);
    session_.wake(SignalName::readers);
  }

  const Member& publisher() const noexcept { return publisher_; }
  std::uint64_t missed() const noexcept { return reader_.missed(); }

  // The next message, if it lies there whole and needs no more looks; used_in_place() when it was used.
  STRAIT_HOT bool look_in_place(std::span<const std::byte>& message) noexcept {
    std::uint32_t size = 0;
    if (!is_lossless_ || is_put_together_ || !reader_.is_simple(size) || size > node_size_) return false;
    message = {nodes_.payload(reader_.index()), size};
    return true;
  }

  STRAIT_HOT void used_in_place() noexcept {
    reader_.got_message();
    move_on();
  }

  enum class Got : std::uint8_t { nothing, message, end };

  // The next message; used() when it was. Where the bytes may change under who reads them they are copied to `scratch`.
  Got look(std::span<const std::byte>& message, std::vector<std::byte>& scratch) {
    if (is_put_together_) {
      message = parts_;
      return Got::message;
    }
    bool ended = false;
    // Far beyond what happens: whoever is kept here that long looks at its deadline first.
    const std::uint64_t most_looks = 16 * nodes_.node_count() + 4096;
    for (std::uint64_t looks = 0; looks < most_looks; ++looks) {
      auto look = reader_.look(ended);
      if (look == broadcast::Look::none) {
        if (ended || !is_over()) return Got::nothing;
        ended = true;
        continue;
      }
      if (look == broadcast::Look::end) return Got::end;
      if (look == broadcast::Look::overrun) {
        reader_.jump(ended);
        continue;
      }
      const broadcast::Part part = reader_.part();
      if (!reader_.is_whole()) {
        reader_.jump(ended);
        continue;
      }
      if (part.size > node_size_) drop_broken();
      const broadcast::Use use = reader_.use(part);
      if (use == broadcast::Use::ignore) {
        move_on();
        continue;
      }
      const bool is_last = (part.flags & layout::last_part) != 0;
      if (use == broadcast::Use::begin && is_last) {
        if (is_lossless_) {
          message = {nodes_.payload(reader_.index()), part.size};
          return Got::message;
        }
        scratch.resize(part.size);
        if (!load(scratch.data(), part.size, ended)) continue;
        message = scratch;
        return Got::message;
      }
      if (use == broadcast::Use::begin) begin(part);
      if (part.size > total_ - parts_.size()) drop_broken();
      const std::size_t before = parts_.size();
      parts_.resize(before + part.size);
      if (!load(parts_.data() + before, part.size, ended)) continue;
      if (is_last && parts_.size() != total_) drop_broken();
      move_on();
      if (is_last) {
        is_put_together_ = true;
        message = parts_;
        return Got::message;
      }
    }
    return Got::nothing;
  }

  // The message that look() gave is done with.
  void used() noexcept {
    told_ = reader_.missed();
    reader_.got_message();
    if (is_put_together_) {
      is_put_together_ = false;
      parts_.clear();
    } else {
      move_on();
    }
  }

  // How many were missed between the last message and the one that look() gave.
  std::uint64_t missed_before() const noexcept { return reader_.missed() - told_; }

  // The bytes of a message that was put together, where that is so: they need not be copied.
  bool take_parts(std::vector<std::byte>& out) noexcept {
    if (!is_put_together_) return false;
    out = std::move(parts_);
    parts_ = {};
    return true;
  }

 private:
  static segment::Contents contents() {
    segment::Contents contents;
    contents.mend = &BroadcastEnd::mend;
    return contents;
  }

  // SYNC gone: acquires what the publisher did. (Closed: Session::is_closed.)
  bool is_over() const noexcept { return gone_->load(std::memory_order_acquire) || session_.is_closed(); }

  void begin(const broadcast::Part& part) {
    // Another process's number: no message is longer than its ring.
    if (part.total > session_.segment().plan().payload_size) drop_broken();
    total_ = static_cast<std::size_t>(part.total);
    parts_.clear();
    parts_.reserve(total_);
  }

  // False: it was written over meanwhile.
  bool load(std::byte* to, std::size_t size, bool ended) {
    const std::byte* const from = nodes_.payload(reader_.index());
    if (is_lossless_) {
      if (size != 0) std::memcpy(to, from, size);
      return true;
    }
    platform::load_bytes(to, from, size);
    if (reader_.is_whole()) return true;
    reader_.jump(ended);
    return false;
  }

  void move_on() noexcept {
    // DEATH here: a part that was read and still holds its publisher back; the publisher mends that when it waits.
    core::death_point("subscribe: part read");
    reader_.advance();
    if (!is_lossless_) return;
    // DEATH here: room for the publisher, which was not woken; it finds the room when its slice ends.
    core::death_point("subscribe: moved on");
    wait::wake(*room_, *park_);
  }

  [[noreturn]] STRAIT_COLD void drop_broken() {
    reader_.give_up_message();
    move_on();
    throw Error(Errc::broken, session_.segment().name(), "a node of its publisher " + suffix_ + " says it holds more than it can; the message was dropped");
  }

  Member publisher_;
  std::shared_ptr<const std::atomic<bool>> gone_;
  std::string suffix_;
  Session session_;
  BroadcastNodes nodes_;
  broadcast::Reader<BroadcastNodes> reader_;
  bool is_lossless_;
  std::size_t node_size_;
  std::atomic<std::uint32_t>* room_;  // what the publisher sleeps on for room
  const platform::Park* park_;
  std::vector<std::byte> parts_;
  std::size_t total_ = 0;
  std::uint64_t told_ = 0;
  bool is_put_together_ = false;
};

}  // namespace strait::handle
