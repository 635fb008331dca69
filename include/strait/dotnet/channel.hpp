#pragma once
// One endpoint's hold on a channel of the C# library: which of the two it is, and its ends of the two rings.
//
//     master   has the mutex `nameSharedMemory_MasterMutex`, creates both rings      writes to the slave's ring, reads the master's
//     slave    finds the mutex held, opens both                                       the other way round
//
// C# takes whoever creates the mutex for the master; here it is whoever can hold it and create the rings, so that a mutex which a slave
// has merely kept open misleads nobody. C# cannot refuse a third endpoint, and lets it take the slave's messages; of ours, a second
// slave is refused by a mutex that C# does not know.

#include <strait/core/error.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/held_mutex.hpp>
#include <strait/dotnet/layout.hpp>
#include <strait/dotnet/object.hpp>
#include <strait/dotnet/ring_end.hpp>
#include <strait/dotnet/shared_ring.hpp>
#include <strait/rpc/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace strait::dotnet {

inline constexpr std::size_t least_capacity = 256;
inline constexpr std::size_t greatest_capacity = std::size_t{1} << 20;

class Channel {
 public:
  Channel(std::string_view name, const RpcOptions& options) : name_(checked_name(name)) {
    check(options);
    const core::Deadline deadline(options.open_timeout);
    // C# masters make the rings some time after the mutex.
    while (!become_master(options) && !become_slave(options, deadline.passed(core::Clock::now()))) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  bool is_master() const noexcept { return is_master_; }
  bool is_inherited() const noexcept { return in_->object->is_inherited(); }
  RingEnd& in() noexcept { return in_->end; }
  RingEnd& out() noexcept { return out_->end; }
  std::size_t node_buffer_size() const noexcept { return in_->end.nodes().node_buffer_size(); }
  std::size_t slice_size() const noexcept { return node_buffer_size() - sizeof(PacketHeader); }

  // The master has closed.
  bool is_shut_down() const noexcept { return in_->object->is_shut_down() || out_->object->is_shut_down(); }

  // This endpoint takes no part any more. What a slave does the format does not tell.
  void leave() {
    if (is_master_) {
      in_->object->shut_down();
      out_->object->shut_down();
    }
    wake();
  }

  // Whoever sleeps on either ring looks around.
  void wake() {
    in_->end.wake();
    out_->end.wake();
  }

 private:
  struct Half {
    Half(std::unique_ptr<Object> opened, const RingOptions& options)
        : object(std::move(opened)), end(object->name(), SharedRing::of(object->base(), object->size(), object->name()), options) {}
    std::unique_ptr<Object> object;
    RingEnd end;
  };

  void check(const RpcOptions& options) const {
    if (options.buffer_capacity < least_capacity || options.buffer_capacity > greatest_capacity) {
      throw Error(Errc::invalid_argument, name_,
                  "buffer_capacity is " + std::to_string(options.buffer_capacity) + "; it cannot be less than 256 bytes or larger than 1 MiB");
    }
    if (options.node_count < 2) {
      throw Error(Errc::invalid_argument, name_, "node_count is " + std::to_string(options.node_count) + "; a ring has at least 2 nodes");
    }
    if (!ring_size(options.node_count, options.buffer_capacity)) throw Error(Errc::too_large, name_, "the rings would exceed 2 GiB");
  }

  // Each ring has one writer and one reader, and each of them one thread at a time.
  static RingOptions alone(const RpcOptions& options) {
    RingOptions plain{options};
    plain.writers = plain.readers = Sharing::one;
    return plain;
  }

  bool become_master(const RpcOptions& options) {
    auto held = HeldMutex::try_hold(signal_name(name_, suffix::master_mutex), options);
    if (!held) return false;
    try {
      out_ = create(suffix::to_slave, options);
      in_ = create(suffix::to_master, options);
    } catch (const Error& error) {
      out_.reset();
      // A master without the mutex: a C# program whose thread that made it has ended; or a slave whose master is gone.
      if (error.code() == Errc::already_exists) return false;
      throw;
    }
    held_ = std::move(held);
    is_master_ = true;
    return true;
  }

  std::unique_ptr<Half> create(std::string_view suffix, const RpcOptions& options) {
    const auto fill = [&](std::byte* base) {
      SharedRing(base, static_cast<Index>(options.node_count), static_cast<std::int32_t>(options.buffer_capacity), name_).fill();
    };
    return std::make_unique<Half>(
        std::make_unique<Object>(name_, *ring_size(options.node_count, options.buffer_capacity), options, fill, suffix), alone(options));
  }

  // False: not yet.
  bool become_slave(const RpcOptions& options, bool is_last_try) {
    try {
      in_ = open(suffix::to_slave, options);
      out_ = open(suffix::to_master, options);
    } catch (const Error& error) {
      in_.reset();
      if (error.code() == Errc::not_found && !is_last_try) return false;
      throw;
    }
    if (is_shut_down()) {
      in_.reset();
      out_.reset();
      if (!is_last_try) return false;
      throw Error(Errc::closed, name_, "its master has closed and the slave still has it open: the channel begins anew when that closes too");
    }
    if (in_->end.nodes().node_buffer_size() != out_->end.nodes().node_buffer_size() || node_buffer_size() <= sizeof(PacketHeader)) {
      throw Error(Errc::broken, name_, "its two rings do not belong together");
    }
    held_ = HeldMutex::try_hold(signal_name(name_, suffix::slave_mutex), options);
    if (!held_) throw Error(Errc::channel_full, name_, "it has its two endpoints already; close one of them, or use another name");
    return true;
  }

  std::unique_ptr<Half> open(std::string_view suffix, const RpcOptions& options) {
    const std::string name = name_ + std::string(suffix);
    const auto is_whole = [&](const std::byte* base, std::uint64_t size) { return SharedRing::check(name, base, size) == SharedRing::State::ready; };
    return std::make_unique<Half>(std::make_unique<Object>(name_, options, is_whole, suffix), alone(options));
  }

  std::string name_;
  bool is_master_ = false;
  std::unique_ptr<HeldMutex> held_;
  std::unique_ptr<Half> in_;
  std::unique_ptr<Half> out_;
};

}  // namespace strait::dotnet
