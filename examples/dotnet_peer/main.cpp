// One side of a ring or channel of the C# SharedMemory library; the other side is a C# program, or this program once more.
//
//   create NAME NODES SIZE SECONDS            makes a ring and keeps it for so long
//   write NAME COUNT TIMEOUT_MS               writes so many messages into a ring that is there
//   read NAME COUNT TIMEOUT_MS                reads and checks them
//   rpcserve NAME COUNT TIMEOUT_MS            the slave: replies with the payload reversed, and with an error where it begins with 0xEE
//   rpccall NAME COUNT CAPACITY NODES         the master: random payloads of one byte to three packets, checks the answers
//
// A message is its number (int32, from 0), l bytes (uint8)(number * 7 + i), and the 32-bit FNV-1a hash of all that.

#include <strait/dotnet/circular_buffer.hpp>
#include <strait/dotnet/rpc_buffer.hpp>
#include <strait/on_error.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iostream>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using strait::RpcOutcome;
using strait::Status;
using strait::dotnet::CircularBuffer;
using strait::dotnet::RpcBuffer;
using Clock = std::chrono::steady_clock;

constexpr std::string_view usage =
    "strait-dotnet-peer create NAME NODES SIZE SECONDS\n"
    "strait-dotnet-peer read|write NAME COUNT TIMEOUT_MS\n"
    "strait-dotnet-peer rpcserve NAME COUNT TIMEOUT_MS\n"
    "strait-dotnet-peer rpccall NAME COUNT CAPACITY NODES\n";

std::int32_t number(std::string_view text) {
  std::int32_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size() || value < 0) throw std::invalid_argument("not a number: " + std::string(text));
  return value;
}

std::uint32_t fnv1a(std::span<const std::byte> bytes) {
  std::uint32_t hash = 2166136261u;
  for (const std::byte b : bytes) hash = (hash ^ std::to_integer<std::uint32_t>(b)) * 16777619u;
  return hash;
}

std::byte filling(std::int32_t sequence, std::size_t i) {
  return static_cast<std::byte>(static_cast<std::uint32_t>(sequence) * 7 + static_cast<std::uint32_t>(i));
}

// Opens it as soon as it is there.
template <class Open>
auto when_there(std::chrono::milliseconds timeout, Open open) {
  for (const auto deadline = Clock::now() + timeout;;) {
    try {
      return open();
    } catch (const strait::Error& error) {
      if (error.code() != strait::Errc::not_found || Clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(10ms);
  }
}

int create(const std::string& name, std::int32_t nodes, std::int32_t size, std::int32_t seconds) {
  const CircularBuffer ring(name, static_cast<std::size_t>(nodes), static_cast<std::size_t>(size));
  std::cout << "created " << name << std::endl;
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  return 0;
}

int write(const std::string& name, std::int32_t count, std::chrono::milliseconds timeout) {
  auto ring = when_there(timeout, [&] { return CircularBuffer(name); });
  if (ring.node_buffer_size() < 9) throw std::runtime_error("the ring's nodes are too small: 9 bytes at least");
  std::mt19937 random(std::random_device{}());
  std::int32_t written = 0;
  for (; written < count; ++written) {
    const std::size_t l = random() % (ring.node_buffer_size() - 8);
    const Status status = ring.write_with(
        [&](std::span<std::byte> to) {
          std::memcpy(to.data(), &written, 4);
          for (std::size_t i = 0; i < l; ++i) to[4 + i] = filling(written, i);
          const std::uint32_t hash = fnv1a(to.first(4 + l));
          std::memcpy(to.data() + 4 + l, &hash, 4);
          return 4 + l + 4;
        },
        timeout);
    if (status != Status::ok) break;
  }
  std::cout << "written " << written << std::endl;
  return written == count ? 0 : 1;
}

int read(const std::string& name, std::int32_t count, std::chrono::milliseconds timeout) {
  auto ring = when_there(timeout, [&] { return CircularBuffer(name); });
  std::int32_t done = 0, bad = 0, out_of_order = 0;
  for (; done < count; ++done) {
    const Status status = ring.read_with(
        [&](std::span<const std::byte> message) {
          if (message.size() < 8) {
            ++bad;
            return;
          }
          std::int32_t sequence = 0;
          std::memcpy(&sequence, message.data(), 4);
          std::uint32_t hash = 0;
          std::memcpy(&hash, message.data() + message.size() - 4, 4);
          bool whole = hash == fnv1a(message.first(message.size() - 4));
          for (std::size_t i = 0; i + 8 < message.size(); ++i) whole &= message[4 + i] == filling(sequence, i);
          bad += whole ? 0 : 1;
          out_of_order += sequence == done ? 0 : 1;
        },
        timeout);
    if (status != Status::ok) break;
  }
  std::cout << "read " << done << " bad=" << bad << " outOfOrder=" << out_of_order << std::endl;
  return done == count && bad == 0 && out_of_order == 0 ? 0 : 1;
}

int serve(const std::string& name, std::int32_t count, std::chrono::milliseconds timeout) {
  // Who comes first is the master: so the master's ring must be there.
  when_there(timeout, [&] { return CircularBuffer(name + "_Slave_SharedMemory_MMF").close(); });
  strait::on_error([](std::exception_ptr, std::string_view) {});  // what the handler throws is meant for the caller
  RpcBuffer slave(name, [](std::uint64_t, std::span<const std::byte> payload) {
    if (!payload.empty() && payload[0] == std::byte{0xEE}) throw std::runtime_error("it begins with 0xEE");
    std::vector<std::byte> reversed(payload.begin(), payload.end());
    std::reverse(reversed.begin(), reversed.end());
    return reversed;
  });
  if (slave.is_master()) throw std::runtime_error("the master has gone");
  std::uint64_t served = 0;
  for (auto last = Clock::now(); served < static_cast<std::uint64_t>(count) && Clock::now() - last < timeout;) {
    std::this_thread::sleep_for(1ms);
    const auto now = slave.statistics().messages_sent;
    if (now != served) last = Clock::now();
    served = now;
  }
  std::cout << "served " << served << std::endl;
  return served == static_cast<std::uint64_t>(count) ? 0 : 1;
}

int call(const std::string& name, std::int32_t count, std::int32_t capacity, std::int32_t nodes) {
  strait::RpcOptions options;
  options.buffer_capacity = static_cast<std::size_t>(capacity);
  options.node_count = static_cast<std::size_t>(nodes);
  RpcBuffer master(name, options);
  if (!master.is_master()) throw std::runtime_error("there is a master already");
  std::cout << "master of " << name << std::endl;
  const std::size_t packet = options.buffer_capacity - 32;
  std::mt19937 random(std::random_device{}());
  int bad = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    std::vector<std::byte> payload(i % 8 == 0 ? packet * (1 + random() % 3) : 1 + random() % (3 * packet));
    for (std::byte& b : payload) b = static_cast<std::byte>(random());
    const bool fails = payload[0] == std::byte{0xEE};
    const auto response = master.remote_request(payload);
    std::reverse(payload.begin(), payload.end());
    const bool good = fails ? response.outcome == RpcOutcome::handler_failed : response.success() && response.data == payload;
    bad += good ? 0 : 1;
    if (response.outcome == RpcOutcome::timed_out) break;
  }
  std::cout << "called " << count << " bad=" << bad << std::endl;
  return bad == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto is = [&](std::string_view what, std::size_t count) { return words.size() == count && words[0] == what; };
  if (is("create", 5)) return create(words[1], number(words[2]), number(words[3]), number(words[4]));
  if (is("write", 4)) return write(words[1], number(words[2]), std::chrono::milliseconds(number(words[3])));
  if (is("read", 4)) return read(words[1], number(words[2]), std::chrono::milliseconds(number(words[3])));
  if (is("rpcserve", 4)) return serve(words[1], number(words[2]), std::chrono::milliseconds(number(words[3])));
  if (is("rpccall", 5)) return call(words[1], number(words[2]), number(words[3]), number(words[4]));
  std::cerr << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "dotnet_peer: " << error.what() << '\n';
  return 1;
}
