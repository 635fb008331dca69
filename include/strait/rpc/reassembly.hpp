#pragma once
// Requests of which some packets have come and others have not. The packets of a message come in order, because one thread
// writes them one after the other into a first-in-first-out ring: a slice must begin where the last one ended. What is kept
// is bounded by what has really arrived, and goes when the caller gives the call up, dies or is followed by another.

#include <strait/rpc/bytes.hpp>
#include <strait/rpc/packet.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

namespace strait::rpc {

// One thread at a time: under the receiver's lock.
class Reassembly {
 public:
  enum class Added : std::uint8_t { more_to_come, complete, unknown, broken };  // unknown: forgotten, or never begun

  // `whole` gets the message when it is complete; at the first slice what it holds is taken as memory to use again.
  Added add(const Packet& packet, Bytes& whole) {
    const auto id = packet.header.id;
    auto half = halves_.find(id);
    if (packet.header.offset == 0) {
      if (half != halves_.end()) return forget(half);  // begun twice
      if (halves_.size() >= most_halves) return Added::broken;
      half = halves_.emplace(id, std::move(whole)).first;
      whole = {};
      half->second.bytes.start(packet.header.total);
      half->second.total = packet.header.total;
    } else if (half == halves_.end()) {
      return Added::unknown;
    }
    if (half->second.total != packet.header.total || half->second.bytes.size() != packet.header.offset) return forget(half);
    half->second.bytes.append(packet.slice);
    if (!packet.is_last()) return Added::more_to_come;
    whole = std::move(half->second.bytes);
    halves_.erase(half);
    return Added::complete;
  }

  bool forget(std::uint64_t id) { return halves_.erase(id) != 0; }
  void clear() { halves_.clear(); }
  std::size_t size() const noexcept { return halves_.size(); }

 private:
  // One per thread of the other side that is sending: far more than any honest one has.
  static constexpr std::size_t most_halves = 65'536;

  struct Half {
    Half(Bytes memory) : bytes(std::move(memory)) {}
    Bytes bytes;
    std::uint32_t total = 0;
  };
  using Halves = std::unordered_map<std::uint64_t, Half>;

  Added forget(Halves::iterator half) {
    halves_.erase(half);
    return Added::broken;
  }

  Halves halves_;
};

}  // namespace strait::rpc
