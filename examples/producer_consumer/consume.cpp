// strait-consume: writes what strait-produce streams to a file, straight from the ring's nodes, and verifies it.

#include "../common/command_line.hpp"
#include "../common/meeting.hpp"
#include "../common/status_line.hpp"
#include "../common/system.hpp"
#include "crc32c.hpp"
#include "stream.hpp"

#include <strait/bytes.hpp>
#include <strait/circular_buffer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using examples::StreamKind;
using examples::StreamMark;

constexpr auto usage = R"(usage: strait-consume [--ring NAME] [--wait SECONDS|forever] FILE|-
Writes what strait-produce streams to FILE ('-': standard output). The producer may be started before or after.
  --ring NAME     the ring's name, the same on both sides (default strait-producer-consumer)
  --wait SECONDS  how long to wait for the producer to start (default 30)
)";

void write_all(std::ostream& out, std::span<const std::byte> data, const std::string& path) {
  if (!out.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size())))
    throw std::runtime_error("cannot write to " + path);
}

// `forever` is safe: it ends with `closed` when the producer closes the ring, and with `peer_lost` when the producer dies.
strait::ReadClaim take_message(strait::CircularBuffer& ring) {
  strait::ReadClaim message = ring.take(strait::forever);
  if (!message) throw std::runtime_error("the producer is gone before the end of the stream: what was written is incomplete");
  return message;
}

// Returns the end of the stream: its size and checksum, which are those of what was written.
StreamMark stream(strait::CircularBuffer& ring, std::ostream& out, const std::string& path) {
  std::atomic<std::uint64_t> received = 0;
  examples::StatusLine progress(stderr, 500ms, [&, rate = examples::Rate()]() mutable {
    return "received " + examples::megabytes(received) + " MB, " + examples::fixed(rate(received), 1) + " MB/s";
  });

  examples::Crc32c checksum;
  for (;;) {
    const strait::ReadClaim message = take_message(ring);  // given back to the producer at the end of this scope
    const auto mark = strait::from_bytes<StreamMark>(message.bytes());
    if (mark.offset != received || mark.checksum != checksum.value())
      throw std::runtime_error("the stream is not whole: it does not go on where this program is");
    if (mark.kind == StreamKind::end) return mark;
    const std::span<const std::byte> data = message.bytes().subspan(sizeof mark);
    checksum.update(data);
    write_all(out, data, path);
    received += data.size();
  }
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const std::string name = line.text("--ring", examples::default_ring);
  const auto deadline = line.deadline("--wait", 30s);
  const std::string path = line.positional(1, 1).front();

  std::cerr << "ring " << name << ": strait-produce to " << path << '\n';
  strait::CircularBuffer ring = examples::open_when_there(name, deadline);
  strait::CircularBuffer receipts(examples::receipt_ring(name));  // the producer makes it before the ring

  std::ofstream file;
  if (path != "-") file.open(path, std::ios::binary);
  examples::pass_bytes(stdout);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::ostream& out = path == "-" ? std::cout : file;

  const auto start = std::chrono::steady_clock::now();
  const StreamMark end = stream(ring, out, path);
  if (!out.flush()) throw std::runtime_error("cannot write to " + path);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;

  // Closed first, so that the names are free when the producer has its receipt and the next run may start.
  ring.close();
  if (receipts.write(end) != strait::Status::ok) throw std::runtime_error("the producer did not wait for the receipt");
  receipts.close();

  std::cerr << "received " << end << ", " << examples::fixed(passed.count(), 2) << " s, "
            << examples::fixed(static_cast<double>(end.offset) / 1e6 / passed.count(), 1) << " MB/s\n";
} catch (const examples::UsageError& error) {
  std::cerr << "strait-consume: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {  // strait::Error among them: what() says which segment, why, and what to do
  std::cerr << "strait-consume: " << error.what() << '\n';
  return 1;
}
