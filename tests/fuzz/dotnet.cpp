// The C# library's objects: arrays, buffers, rings, channels and their packets.

#include "fuzz.hpp"

#include <strait/dotnet/buffer_read_write.hpp>
#include <strait/dotnet/channel.hpp>
#include <strait/dotnet/circular_buffer.hpp>
#include <strait/dotnet/rpc_buffer.hpp>
#include <strait/dotnet/shared_array.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace strait::fuzz {

namespace {

using namespace std::chrono_literals;

template <class Buffer>
void use_locks(Buffer& buffer, std::uint8_t choice) {
  switch (choice % 6) {
    case 0:
      if (buffer.acquire_read_lock(no_wait)) buffer.release_read_lock();
      break;
    case 1:
      if (buffer.acquire_write_lock(Timeout(200us))) buffer.release_write_lock();
      break;
    case 2: buffer.release_read_lock(); break;
    case 3: buffer.release_write_lock(); break;
    case 4: static_cast<void>(buffer.is_owner()); break;
    default: static_cast<void>(buffer.shutting_down()); break;
  }
}

std::shared_ptr<void> make_array(const std::string& name) { return std::make_shared<dotnet::SharedArray<std::uint32_t>>(name, 50, quick()); }
void use_array(const std::string& name, Bytes& bytes) {
  dotnet::SharedArray<std::uint32_t> array(name, quick());
  array.read_write_timeout(1ms);
  static_cast<void>(std::as_const(array).at(array.size() - 1));
  repeat(bytes, [&](std::uint8_t choice) {
    std::array<std::uint32_t, 4> some{};
    if (choice >= 0xC0) return array.write(some, choice & 63);
    if (choice >= 0x80) return array.read(std::span(some), choice & 63);
    use_locks(array, choice);
  });
}

std::shared_ptr<void> make_buffer(const std::string& name) { return std::make_shared<dotnet::BufferReadWrite>(name, 100, quick()); }
void use_buffer(const std::string& name, Bytes& bytes) {
  dotnet::BufferReadWrite buffer(name, quick());
  buffer.read_write_timeout(1ms);
  const auto size = static_cast<std::size_t>(buffer.buffer_size());
  static_cast<void>(buffer.read<std::uint8_t>(size - 1));
  repeat(bytes, [&](std::uint8_t choice) {
    if (choice >= 0xC0) return buffer.write(std::uint64_t{choice}, choice & 63);
    if (choice >= 0x80) return static_cast<void>(buffer.read<std::uint64_t>(choice & 63));
    use_locks(buffer, choice);
  });
}

std::shared_ptr<void> make_ring(const std::string& name) {
  auto ring = std::make_shared<dotnet::CircularBuffer>(name, 5, 100, quick<RingOptions>());
  static_cast<void>(ring->write(1, no_wait));
  return ring;
}
void use_ring(const std::string& name, Bytes& bytes) {
  auto options = quick<RingOptions>();
  if ((bytes.take() & 1) != 0) options.writers = options.readers = Sharing::one;
  dotnet::CircularBuffer ring(name, options);
  repeat(bytes, [&](std::uint8_t choice) {
    const Timeout time = (choice & 0x80) != 0 ? Timeout(200us) : no_wait;
    std::array<std::byte, 100> some{};
    std::uint32_t number = 0;
    switch (choice % 6) {
      case 0:
      case 1: static_cast<void>(ring.write(std::span<const std::byte>(some).first(choice % 100), time)); break;
      case 2:
        static_cast<void>(ring.write_with(
            [&](std::span<std::byte> node) {
              std::memset(node.data(), 1, node.size());
              return std::size_t{choice} % 110;
            },
            time));
        break;
      case 3: static_cast<void>(ring.read(std::span<std::byte>(some), time)); break;
      case 4: static_cast<void>(ring.read(number, time)); break;
      default: static_cast<void>(ring.read_with(&read_all, time)); break;
    }
  });
}

RpcOptions channel_options() {
  auto options = quick<RpcOptions>();
  options.buffer_capacity = 256;
  options.node_count = 4;
  options.handler_threads = 1;
  return options;
}
std::vector<std::byte> echo(std::uint64_t, std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

std::shared_ptr<void> make_channel(const std::string& name) { return std::make_shared<dotnet::RpcBuffer>(name, &echo, channel_options()); }
void use_channel(const std::string& name, Bytes& bytes) {
  dotnet::RpcBuffer channel(name, &echo, channel_options());
  for (int i = 0; i < 6 && !bytes.empty(); ++i) {
    const auto choice = bytes.take();
    const std::vector<std::byte> arguments(std::size_t{choice} * 4);
    verdict([&] { static_cast<void>(channel.remote_request(arguments, (choice & 1) != 0 ? Timeout(2ms) : no_wait)); });
  }
}

constexpr std::array all_kinds{
    Kind{"array", "", &make_array, &use_array, sizeof(dotnet::SharedHeader)},
    Kind{"buffer", "", &make_buffer, &use_buffer, sizeof(dotnet::SharedHeader)},
    Kind{"ring", "", &make_ring, &use_ring, sizeof(dotnet::SharedHeader)},
    Kind{"ring to the slave", "_Slave_SharedMemory_MMF", &make_channel, &use_channel, sizeof(dotnet::SharedHeader)},
    Kind{"ring to the master", "_Master_SharedMemory_MMF", &make_channel, &use_channel, sizeof(dotnet::SharedHeader)},
};

}  // namespace

const std::span<const Kind> dotnet_kinds(all_kinds);

// A slave that is no endpoint: it writes packets as the fuzzer likes, while calls go both ways.
void dotnet_packets(Bytes bytes) {
  static const std::string name = unique("dotnet-packets");
  struct Two {
    Two() : victim(name, &echo, channel_options()), peer(name, channel_options()) {}
    dotnet::RpcBuffer victim;
    dotnet::Channel peer;
  };
  static Two* const two = [] {
    remove_all(name);
    auto* made = new Two;  // for good: its names go at once, so that nothing is left behind
    remove_all(name);
    return made;
  }();

  std::future<RpcResponse> pending;
  if ((bytes.take() & 1) != 0) {
    const std::vector<std::byte> arguments(bytes.take() * std::size_t{3});
    pending = two->victim.remote_request_async(arguments, Timeout(3ms));
  }
  std::uint64_t id = 0;
  const auto drain = [&] {
    for (int i = 0; i < 16; ++i) {
      auto& in = two->peer.in();
      const auto found = in.try_reserve_for_reading([](std::size_t) { return true; });
      if (found.what != dotnet::RingEnd::Found::What::reserved) return;
      const auto node = in.message(found.node);
      dotnet::PacketHeader header{};
      if (node.size() >= sizeof header) std::memcpy(&header, node.data(), sizeof header);
      if (header.type == 1) id = header.message_id;
      in.give_back(found.node);
    }
  };
  static std::uint64_t next_id = 0;
  for (int packets = 0; packets < 16 && !bytes.empty(); ++packets) {
    drain();
    auto& out = two->peer.out();
    const auto node = out.try_reserve_for_writing();
    if (!node) {
      std::this_thread::yield();
      continue;
    }
    const auto how = bytes.take();
    dotnet::PacketHeader header{};
    header.type = static_cast<std::uint8_t>(1 + how % 3);
    header.message_id = (how & 0x10) != 0 ? bytes.take() & 3 : ++next_id;
    header.response_id = header.type == 1 ? 0 : (how & 0x20) != 0 ? bytes.take() : id;
    const auto slice_size = two->peer.slice_size();
    const auto total = (how & 0x40) != 0 ? bytes.take<std::uint32_t>() & 0x807F'FFFF : bytes.take() * 5u;
    header.payload_size = static_cast<std::int32_t>(total);
    header.total_packets = static_cast<std::uint16_t>((how & 0x80) != 0 ? bytes.take<std::uint16_t>() : total / slice_size + 1);
    header.current_packet = static_cast<std::uint16_t>(bytes.take() % 4 + 1);
    const std::size_t offset = (header.current_packet - 1u) * slice_size;
    const std::size_t slice = std::min<std::size_t>(slice_size, total > offset ? total - offset : 0);
    std::memcpy(out.nodes().data(*node), &header, sizeof header);
    const auto length = bytes.take();
    out.post(*node, length < 8 ? bytes.take<std::uint32_t>() : sizeof header + slice);
  }
  drain();
  if (pending.valid()) {
    while (pending.wait_for(1ms) != std::future_status::ready) drain();
    static_cast<void>(pending.get());
  }
}

}  // namespace strait::fuzz
