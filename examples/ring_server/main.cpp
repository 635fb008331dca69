// The writing side of a load test over a ring of 50 nodes of 1 MiB; ring_client is the other.

#include "../common/command_line.hpp"
#include "../common/load.hpp"
#include "../common/meeting.hpp"
#include "../common/pattern.hpp"

#include <strait/circular_buffer.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto usage = R"(usage: strait-ring-server [--ring NAME] [--seconds N] [--wait SECONDS|forever]
Creates a ring and writes to it: 501 patterns that ring_client compares, then as much as goes through in N seconds.
  --ring NAME     the ring's name, the same on both sides (default TEST)
  --seconds N     length of the throughput phase (default 10)
  --wait SECONDS  how long to wait for the client to start (default 60)
)";

// The server owns the ring, which outlives its client: whether there still is one, it asks when the ring stays full.
void write_message(strait::CircularBuffer& ring, std::span<const std::byte> message, examples::Load& load) {
  for (;;) {
    const strait::Status status = ring.write(message, 100ms);
    if (status == strait::Status::ok) break;
    ++load.waits;
    if (status != strait::Status::timed_out || !examples::anybody_else(ring)) throw std::runtime_error("the client is gone");
  }
  load.bytes += message.size();
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const auto name = line.text("--ring", "TEST");
  const std::chrono::seconds length(line.number("--seconds", 10));
  const auto deadline = line.deadline("--wait", 60s);
  line.positional(0, 0);

  if (examples::is_terminal(stdin)) {
    std::cout << "Press <enter> to start Server" << std::endl;
    std::cin.get();
  }
  std::cout << "Create shared memory circular buffer" << std::endl;
  strait::CircularBuffer ring(name, 50, 1024 * 1024);
  std::cout << "Circular buffer producer created.\nReady for client..." << std::endl;
  examples::wait_for_somebody(ring, deadline);

  const examples::Patterns patterns(ring.node_buffer_size());
  std::cout << "Testing data integrity..." << std::endl;
  {
    examples::Load load;
    const examples::LoadLine progress("Write", load);
    for (std::size_t i = 0; i < examples::integrity_messages; ++i) write_message(ring, patterns[i], load);
  }
  std::cout << "Completed." << std::endl;

  std::cout << "Testing throughput..." << std::endl;
  {
    examples::Load load;
    const examples::LoadLine progress("Write", load);
    for (const auto end = Clock::now() + length; Clock::now() < end;) write_message(ring, patterns[0], load);
  }
  std::cout << "Completed." << std::endl;
  // The ring is the server's: when it goes out of scope here, the client reads what is left and is then told `closed`.
} catch (const examples::UsageError& error) {
  std::cerr << "strait-ring-server: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "strait-ring-server: " << error.what() << '\n';
  return 1;
}
