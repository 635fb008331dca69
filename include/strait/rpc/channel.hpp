#pragma once
// One endpoint's hold on an RPC channel: its session, its place, and its ends of the two rings (layout/rpc_control.hpp).

#include <strait/core/death_point.hpp>
#include <strait/core/error.hpp>
#include <strait/handle/ring_end.hpp>
#include <strait/handle/shared_nodes.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/rpc_packet.hpp>
#include <strait/platform/park.hpp>
#include <strait/rpc/options.hpp>
#include <strait/segment/session.hpp>
#include <strait/wait/signal.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace strait::rpc {

using layout::PlaceState;
using layout::PlaceWord;
using layout::SignalName;

inline constexpr std::size_t least_capacity = 256;
inline constexpr std::size_t greatest_capacity = std::size_t{1} << 20;

class Channel {
 public:
  Channel(std::string_view name, const RpcOptions& options) : session_(open(name, options)) {
    const auto capacity = session_->segment().shape().element_size;
    if (capacity < least_capacity || capacity > greatest_capacity) {
      throw Error(Errc::broken, name, "its nodes have " + std::to_string(capacity) + " bytes; 256 to 1048576 are possible");
    }
    join();
    out_.emplace(*session_, control().rings[place_], nodes_of(session_->segment(), place_), capacity, handle::RingEnd::Sides::mine);
    in_.emplace(*session_, control().rings[1 - place_], nodes_of(session_->segment(), 1 - place_), capacity, handle::RingEnd::Sides::mine);
  }

  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  segment::Session& session() noexcept { return *session_; }
  handle::RingEnd& out() noexcept { return *out_; }
  handle::RingEnd& in() noexcept { return *in_; }
  bool is_master() const noexcept { return place_ == 0; }
  std::uint32_t epoch() const noexcept { return epoch_; }
  std::uint64_t node_count() const noexcept { return session_->segment().shape().element_count; }
  std::size_t slice_size() const noexcept {
    return static_cast<std::size_t>(session_->segment().shape().element_size) - sizeof(layout::PacketHeader);
  }

  // SYNC place, sleep: acquires what the other side did before it joined or left; the last look before sleeping.
  PlaceWord peer() const noexcept { return {control().places[1 - place_].word.load(std::memory_order_seq_cst)}; }

  // Has that life of the peer as many requests waiting as it keeps?
  // SYNC full, sleep: acquires nothing but the answer; the last look before sleeping for room.
  bool is_full(std::uint32_t epoch) const noexcept { return control().places[1 - place_].full.load(std::memory_order_seq_cst) == epoch; }

  // This endpoint has, or has no longer. With the receiver's lock held or, for `false`, at any time: an earlier life's late word
  // changes nothing, because it is about that life.
  void tell_full(bool full) noexcept {
    auto& word = control().places[place_].full;
    std::uint32_t mine = epoch_;
    if (full) {
      word.store(mine, std::memory_order_seq_cst);  // SYNC full
    } else if (word.compare_exchange_strong(mine, 0, std::memory_order_seq_cst, std::memory_order_relaxed)) {  // SYNC full: before the wake
      wait::wake(control().rings[1 - place_].signals[static_cast<unsigned>(SignalName::writers)].word, park());
    }
  }

  // How: the words are the segment's.
  const platform::Park& park() const noexcept { return session_->park(); }

  // Where this endpoint sleeps for packets, and for room.
  std::atomic<std::uint32_t>& packets() const noexcept { return control().rings[1 - place_].signals[static_cast<unsigned>(SignalName::readers)].word; }
  std::atomic<std::uint32_t>& room() const noexcept { return control().rings[place_].signals[static_cast<unsigned>(SignalName::writers)].word; }

  // Afterwards this endpoint reads from no ring. What it still writes bears an epoch that nobody listens to.
  void leave() noexcept {
    auto mine = PlaceWord::of(epoch_, PlaceState::occupied, before_, session_->seat()).bits;
    // SYNC place: our last look at the ring comes before the next endpoint's first.
    control().places[place_].word.compare_exchange_strong(mine, PlaceWord::of(epoch_, PlaceState::closed, before_).bits, std::memory_order_seq_cst,
                                                          std::memory_order_relaxed);
    // DEATH here: the place is free and nobody was told; the other side sees it when its slice ends.
    core::death_point("rpc leave: place free");
    wake_all(session_->segment());
  }

 private:
  static std::unique_ptr<segment::Session> open(std::string_view name, const RpcOptions& options) {
    if (options.buffer_capacity < least_capacity || options.buffer_capacity > greatest_capacity) {
      throw Error(Errc::invalid_argument, name,
                  "buffer_capacity is " + std::to_string(options.buffer_capacity) + "; it cannot be less than 256 bytes or larger than 1 MiB");
    }
    if (options.node_count < 2) {
      throw Error(Errc::invalid_argument, name, "node_count is " + std::to_string(options.node_count) + "; a ring has at least 2 nodes");
    }
    RingOptions plain{options};
    plain.max_participants = seats;
    const segment::Expectation expected{{layout::Kind::rpc, options.buffer_capacity, options.node_count, 1, 0}, false, false};
    try {
      return std::make_unique<segment::Session>(name, segment::Intent::open_or_create, expected, plain, contents());
    } catch (const Error& error) {
      if (error.code() == Errc::too_many_participants) throw_full(name);
      throw;
    }
  }

  // Two endpoints, and whoever is being refused at the moment.
  static constexpr std::uint32_t seats = 16;

  static segment::Contents contents() noexcept {
    return {[](const segment::Segment& segment) {
              for (unsigned ring = 0; ring < 2; ++ring) {
                control_of(segment).rings[ring].one_reader = 1;
                nodes_of(segment, ring).make_free();
              }
            },
            &mend};
  }

  // By the one mender of that seat; may be done again from the start.
  static std::uint32_t mend(const segment::Segment& segment, layout::Seat dead) {
    layout::RpcControl& control = control_of(segment);
    std::uint32_t given_back = 0;
    for (unsigned ring = 0; ring < 2; ++ring) {
      given_back += ring::Ring<handle::SharedNodes>(nodes_of(segment, ring)).mend(dead);
      // SYNC given-back: unconditionally, after the nodes.
      control.rings[ring].given_back.fetch_add(1, std::memory_order_seq_cst);
    }
    for (layout::PlaceLine& place : control.places) {
      PlaceWord seen{place.word.load(std::memory_order_relaxed)};  // relaxed: only this seat's mender changes what names it
      if (!seen.is_occupied() || seen.seat() != dead) continue;
      // SYNC place: after the nodes, so that whoever learns of the death finds everything that was published.
      place.word.compare_exchange_strong(seen.bits, PlaceWord::of(seen.epoch(), PlaceState::lost, seen.before()).bits, std::memory_order_seq_cst,
                                         std::memory_order_relaxed);
    }
    wake_all(segment);
    return given_back;
  }

  static layout::RpcControl& control_of(const segment::Segment& segment) noexcept { return *reinterpret_cast<layout::RpcControl*>(segment.payload()); }
  layout::RpcControl& control() const noexcept { return control_of(session_->segment()); }

  static handle::SharedNodes nodes_of(const segment::Segment& segment, unsigned ring) noexcept {
    const auto count = segment.shape().element_count;
    const auto stride = *layout::node_stride(segment.shape().element_size);
    return {segment.payload() + sizeof(layout::RpcControl) + ring * count * stride, count, stride, control_of(segment).rings[ring].given_back, segment.fence_method()};
  }

  static void wake_all(const segment::Segment& segment) noexcept {
    const platform::Park park = segment.park();
    for (layout::ControlBlock& ring : control_of(segment).rings) {
      for (layout::SignalLine& signal : ring.signals) wait::wake(signal.word, park);
    }
  }

  void join() {
    for (int tries = 0; tries < 100; ++tries) {
      bool both_live = true;
      for (place_ = 0; place_ < 2; ++place_) {
        if (try_take_place()) return;
        // SYNC place: as in peer()
        both_live &= session_->is_living(PlaceWord{control().places[place_].word.load(std::memory_order_seq_cst)}.seat());
      }
      if (both_live) break;
      // A dead one is mended by us, or somebody living is just doing it.
      if (session_->mend_dead() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw_full(session_->segment().name());
  }

  bool try_take_place() noexcept {
    auto& word = control().places[place_].word;
    // SYNC place: acquires what the last endpoint here did.
    PlaceWord seen{word.load(std::memory_order_seq_cst)};
    // As often as two newcomers never meet: an end for a word that somebody keeps scribbling over.
    for (int tries = 0; !seen.is_occupied() && tries < 10'000; ++tries) {
      const std::uint32_t epoch = seen.epoch() + 1 == 0 ? 1 : seen.epoch() + 1;
      const auto ours = PlaceWord::of(epoch, PlaceState::occupied, seen.state(), session_->seat());
      // SYNC place: ours from here on.
      if (!word.compare_exchange_strong(seen.bits, ours.bits, std::memory_order_seq_cst, std::memory_order_seq_cst)) continue;
      // DEATH here: joined and nobody was told; the mend frees the place.
      core::death_point("rpc join: place taken");
      epoch_ = epoch;
      before_ = ours.before();
      wake_all(session_->segment());
      return true;
    }
    return false;
  }

  [[noreturn]] static void throw_full(std::string_view name) {
    throw Error(Errc::channel_full, name, "it has its two endpoints already; close one of them, or use another name");
  }

  std::unique_ptr<segment::Session> session_;
  unsigned place_ = 0;
  std::uint32_t epoch_ = 0;
  PlaceState before_ = PlaceState::empty;
  std::optional<handle::RingEnd> out_;
  std::optional<handle::RingEnd> in_;
};

}  // namespace strait::rpc
