// The reading side of a load test; ring_server is the other, and says when it ends by closing the ring.

#include "../common/command_line.hpp"
#include "../common/load.hpp"
#include "../common/meeting.hpp"
#include "../common/pattern.hpp"

#include <strait/circular_buffer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr auto usage = R"(usage: strait-ring-client [--ring NAME] [--readers N] [--wait SECONDS|forever]
Reads what strait-ring-server writes: compares 501 patterns, then reads with N threads until the server ends.
  --ring NAME     the ring's name, the same on both sides (default TEST)
  --readers N     threads of the throughput phase (default 3)
  --wait SECONDS  how long to wait for the server to start (default 60)
)";

// False when the server has closed the ring and everything in it is read.
bool read_message(strait::CircularBuffer& ring, std::span<std::byte> message, examples::Load& load) {
  for (;;) {
    const auto result = ring.read(message, 100ms);
    load.bytes += result.count;
    switch (result.status) {
      case strait::Status::ok:
        return true;
      case strait::Status::closed:
        return false;
      case strait::Status::peer_lost:
        throw std::runtime_error("the server is gone");
      case strait::Status::timed_out:
        ++load.waits;
    }
  }
}

void compare_patterns(strait::CircularBuffer& ring) {
  examples::Load load;
  const examples::LoadLine progress("Read", load);
  const examples::Patterns patterns(ring.node_buffer_size());
  std::vector<std::byte> message(ring.node_buffer_size());
  for (std::size_t i = 0; i < examples::integrity_messages; ++i) {
    if (!read_message(ring, message, load)) throw std::runtime_error("the server ended before the last pattern");
    if (!std::ranges::equal(message, patterns[i])) throw std::runtime_error("Buffers don't match!");
  }
}

void read_until_closed(strait::CircularBuffer& ring, std::size_t readers) {
  examples::Load load;
  std::atomic<bool> server_lost = false;
  {
    const examples::LoadLine progress("Read", load);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < readers; ++i)
      threads.emplace_back([&] {
        std::vector<std::byte> message(ring.node_buffer_size());
        try {
          while (read_message(ring, message, load)) {
          }
        } catch (const std::exception&) {  // an exception must not leave its thread
          server_lost = true;
        }
      });
  }
  if (server_lost) throw std::runtime_error("the server is gone");
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const auto name = line.text("--ring", "TEST");
  const auto readers = line.number("--readers", 3, 1, 64);
  const auto deadline = line.deadline("--wait", 60s);
  line.positional(0, 0);

  if (examples::is_terminal(stdin)) {
    std::cout << "Press <enter> to start client" << std::endl;
    std::cin.get();
  }
  std::cout << "Open existing shared memory circular buffer" << std::endl;
  strait::CircularBuffer ring = examples::open_when_there(name, deadline);
  std::cout << "Buffer " << ring.name() << " opened, NodeBufferSize: " << ring.node_buffer_size()
            << ", NodeCount: " << ring.node_count() << std::endl;

  std::cout << "Testing data integrity (high CPU, low bandwidth)..." << std::endl;
  compare_patterns(ring);
  std::cout << "Completed." << std::endl;

  std::cout << "Testing data throughput (low CPU, high bandwidth)..." << std::endl;
  read_until_closed(ring, readers);
  std::cout << "Completed." << std::endl;
} catch (const examples::UsageError& error) {
  std::cerr << "strait-ring-client: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "strait-ring-client: " << error.what() << '\n';
  return 1;
}
