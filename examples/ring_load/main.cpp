// Load on a ring within one process: writers on one handle, readers on another, as in two processes but in one debugger.

#include "../common/command_line.hpp"
#include "../common/status_line.hpp"

#include <strait/circular_buffer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr auto usage = R"(usage: strait-ring-load [options]
Writes messages that fill a node with some threads, reads them with others, and counts.
  --writers N      writing threads (default 1)
  --readers N      reading threads (default 1)
  --buffer-size B  bytes of a node (default 1048576)
  --nodes N        nodes of the ring (default 50)
  --elements N     messages to write (default 100000)
)";

struct Counters {
  std::atomic<std::uint64_t> started = 0, written = 0, read = 0, writer_waits = 0, reader_waits = 0;
};

void write_messages(strait::CircularBuffer& ring, std::uint64_t elements, Counters& counters) {
  const std::vector<std::byte> message(ring.node_buffer_size(), std::byte{0x5A});
  while (counters.started++ < elements) {
    while (ring.write(std::span(message), 100ms) != strait::Status::ok) ++counters.writer_waits;
    ++counters.written;
  }
}

void read_messages(strait::CircularBuffer& ring, Counters& counters) {
  std::vector<std::byte> message(ring.node_buffer_size());
  for (;;) {
    const auto result = ring.read(std::span(message), 100ms);
    if (result)
      ++counters.read;
    else if (result.status == strait::Status::timed_out)
      ++counters.reader_waits;
    else
      return;  // closed, and everything is read
  }
}

std::string report(const Counters& counters, examples::Rate& rate, std::size_t node_buffer_size) {
  const std::uint64_t read = counters.read;  // before written, so that the difference is never negative
  const std::uint64_t written = counters.written;
  return "Write: " + std::to_string(written) + ", Read: " + std::to_string(read) + ", Diff: " + std::to_string(written - read) +
         ", Wait(cli/svr): " + std::to_string(counters.reader_waits) + '/' + std::to_string(counters.writer_waits) + ", " +
         examples::fixed(rate(read * node_buffer_size), 0) + "MB/s";
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const auto writers = line.number("--writers", 1, 1, 1000);
  const auto readers = line.number("--readers", 1, 1, 1000);
  const std::size_t buffer_size = line.number("--buffer-size", 1024 * 1024, 1);
  const std::size_t nodes = line.number("--nodes", 50, 2);
  const auto elements = line.number("--elements", 100'000);
  line.positional(0, 0);

  std::cout << "Node buffer size: " << buffer_size << ", count: " << nodes << ", writers: " << writers << ", readers " << readers
            << ", elements: " << elements << std::endl;

  const std::string name = "strait-ring-load-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  strait::CircularBuffer server(name, nodes, buffer_size);
  strait::CircularBuffer client(name);

  Counters counters;
  const auto start = std::chrono::steady_clock::now();
  {
    const examples::StatusLine progress(stdout, 100ms,
                                        [&, rate = examples::Rate()]() mutable { return report(counters, rate, buffer_size); });
    std::vector<std::jthread> reading;
    for (std::uint64_t i = 0; i < readers; ++i) reading.emplace_back([&] { read_messages(client, counters); });
    {
      std::vector<std::jthread> writing;
      for (std::uint64_t i = 0; i < writers; ++i) writing.emplace_back([&] { write_messages(server, elements, counters); });
    }
    server.close();  // the owner's close: readers take what is left and are then told `closed`
  }
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;

  const double moved = static_cast<double>(counters.read * buffer_size) / 1e6;
  std::cout << "Total Time: " << examples::fixed(passed.count(), 3) << " s, " << examples::fixed(moved / passed.count(), 0)
            << "MB/s\n";
  if (counters.read == elements) return 0;
  std::cerr << "strait-ring-load: " << counters.read << " of " << elements << " messages were read\n";
  return 1;
} catch (const examples::UsageError& error) {
  std::cerr << "strait-ring-load: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "strait-ring-load: " << error.what() << '\n';
  return 1;
}
