// The targets of tests/fuzz/main.cpp.

#include "fuzz.hpp"

#include <strait/platform/shared_memory.hpp>
#include <strait/rpc/channel.hpp>
#include <strait/rpc_buffer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace strait::fuzz {

namespace {

const Kind& kind_of(std::span<const Kind> kinds, Bytes& bytes) { return kinds[bytes.take() % kinds.size()]; }

std::vector<Scribble> scribbles_of(Bytes& bytes) {
  std::vector<Scribble> all(bytes.take() % 16);
  for (Scribble& one : all) one = Scribble::from(bytes);
  return all;
}

// Of everything whose name begins so.
std::vector<std::string> objects_of(const std::string& name) {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    if (auto file = entry.path().filename().string(); file.starts_with(name)) all.push_back(std::move(file));
  }
  return all;
}

// A segment with some of its bytes replaced, opened and used: by its own class, by another, and by the inspector.
void open_one(std::span<const Kind> kinds, Bytes& bytes) {
  const Kind& kind = kind_of(kinds, bytes);
  const auto scribbles = scribbles_of(bytes);
  const bool by_another = (bytes.take() & 15) == 0;
  static const std::string name = unique("open");
  remove_all(name);
  auto keeper = kind.make(name);
  const std::string object = kind.object(name);
  {
    const BackDoor door(object);
    if (door.bytes() == nullptr) __builtin_trap();
    for (const Scribble& one : scribbles) one.apply(door.bytes(), door.size(), kind.header);
  }
  inspect_segment(object);
  verdict([&] { (by_another ? kind_of(kinds, bytes) : kind).use(name, bytes); });
  verdict([&] { keeper.reset(); });
  remove_all(name);
}

// The same while somebody goes on replacing them, on a processor of its own.
void scribble_one(std::span<const Kind> kinds, Bytes& bytes) {
  const Kind& kind = kind_of(kinds, bytes);
  const auto scribbles = scribbles_of(bytes);
  static const std::string name = unique("scribble");
  remove_all(name);
  auto keeper = kind.make(name);
  const std::string object = kind.object(name);
  {
    const BackDoor door(object);
    if (door.bytes() == nullptr) __builtin_trap();
    std::atomic<bool> ended{false};
    std::thread scribbler([&] {
      for (std::uint64_t round = 0; !ended.load(std::memory_order_relaxed); ++round) {
        for (Scribble one : scribbles) {
          if ((round & 1) != 0) one.value += round;
          one.apply(door.bytes(), door.size(), kind.header);
        }
        if (scribbles.empty() || round % 64 == 63) std::this_thread::yield();
      }
    });
    verdict([&] { kind.use(name, bytes); });
    inspect_segment(object);
    ended = true;
    scribbler.join();
  }
  verdict([&] { keeper.reset(); });
  remove_all(name);
}

}  // namespace

void remove_all(const std::string& name) {
  for (const std::string& object : objects_of(name)) ::unlink(path_of(object).c_str());
}

std::string Kind::object(const std::string& of) const {
  if (suffix != std::string_view("*")) return of + suffix;
  for (const std::string& object : objects_of(of)) {
    if (object != of) return object;
  }
  return of;
}

void open_segment(Bytes bytes) { open_one(kinds, bytes); }
void scribbled_segment(Bytes bytes) { scribble_one(kinds, bytes); }
void topics(Bytes bytes) { (bytes.take() & 1) != 0 ? scribble_one(topic_kinds, bytes) : open_one(topic_kinds, bytes); }
void dotnet_objects(Bytes bytes) { (bytes.take() & 1) != 0 ? scribble_one(dotnet_kinds, bytes) : open_one(dotnet_kinds, bytes); }

// A peer that is no endpoint: it writes packets as the fuzzer likes, while calls go both ways.
void rpc_packets(Bytes bytes) {
  static const std::string name = unique("packets");
  static RpcOptions options = [] {
    RpcOptions chosen;
    chosen.buffer_capacity = 256;
    chosen.node_count = 8;
    chosen.handler_threads = 1;
    chosen.wait.spin = std::chrono::nanoseconds(0);
    return chosen;
  }();
  struct Two {
    Two() : victim(name, [](std::uint64_t, std::span<const std::byte> all) { return std::vector<std::byte>(all.begin(), all.end()); }, options), peer(name, options) {}
    RpcBuffer victim;
    rpc::Channel peer;
  };
  static Two* const two = [] {
    remove_all(name);
    auto* made = new Two;  // for good: its name goes at once, so that nothing is left behind
    remove_all(name);
    return made;
  }();

  std::future<RpcResponse> pending;
  if ((bytes.take() & 1) != 0) {
    const std::vector<std::byte> arguments(bytes.take() * std::size_t{3});
    pending = two->victim.remote_request_async(arguments, Timeout(std::chrono::milliseconds(3)));
  }
  std::uint64_t id = 0;
  const auto drain = [&] {
    for (int i = 0; i < 16; ++i) {
      const auto taken = two->peer.in().take_once();
      if (taken.status != Status::ok) return;
      verdict([&] {
        const auto node = two->peer.in().message(taken.ticket);
        layout::PacketHeader header{};
        if (node.size() >= sizeof header) std::memcpy(&header, node.data(), sizeof header);
        if (header.type == static_cast<std::uint8_t>(layout::PacketType::request)) id = header.id;
      });
      two->peer.in().release(taken.ticket);
    }
  };
  for (int packets = 0; packets < 16 && !bytes.empty(); ++packets) {
    drain();
    const auto claimed = two->peer.out().claim_once();
    if (claimed.status != Status::ok) {
      std::this_thread::yield();
      continue;
    }
    const auto how = bytes.take();
    layout::PacketHeader header{};
    header.type = static_cast<std::uint8_t>(1 + how % 3);
    header.outcome = (how & 0x10) != 0 ? bytes.take() : std::uint8_t{0};
    header.from = (how & 0x20) != 0 ? bytes.take<std::uint32_t>() : two->peer.epoch();
    header.to = (how & 0x40) != 0 ? bytes.take<std::uint32_t>() : two->peer.peer().epoch();
    header.id = header.type == 2 ? id : bytes.take() & 3;
    const auto total = bytes.take();
    header.total = (how & 0x80) != 0 ? bytes.take<std::uint32_t>() & 0x800F'FFFF : total * 5u;
    header.offset = bytes.take() % 4 * 224u;
    const std::size_t slice = std::min<std::size_t>(224, header.total > header.offset ? header.total - header.offset : 0);
    const auto room = two->peer.out().room(claimed.ticket);
    std::memcpy(room.data(), &header, sizeof header);
    const auto length = bytes.take();
    const auto size = length < 8 ? bytes.take<std::uint32_t>() : sizeof header + slice;
    static_cast<void>(two->peer.out().publish(claimed.ticket, size));
  }
  drain();
  if (pending.valid()) {
    while (pending.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) drain();
    static_cast<void>(pending.get());
  }
}

}  // namespace strait::fuzz
