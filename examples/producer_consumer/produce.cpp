// strait-produce: streams a file to strait-consume through a ring, read straight into the ring's nodes.

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
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using examples::StreamKind;
using examples::StreamMark;

constexpr auto usage = R"(usage: strait-produce [--ring NAME] [--wait SECONDS|forever] [FILE|-]
Streams FILE ('-': standard input; default: this program's own file) to strait-consume, which may be started before or after.
  --ring NAME     the ring's name, the same on both sides (default strait-producer-consumer)
  --wait SECONDS  how long to wait for the consumer to start (default 30)
)";

std::string own_file(const char* called_as) {
  const std::filesystem::path link = "/proc/self/exe";
  return std::filesystem::exists(link) ? std::filesystem::read_symlink(link).string() : called_as;
}

std::size_t read_some(std::istream& in, std::span<std::byte> room, const std::string& path) {
  in.read(reinterpret_cast<char*>(room.data()), static_cast<std::streamsize>(room.size()));
  if (in.bad()) throw std::runtime_error("cannot read " + path);
  return static_cast<std::size_t>(in.gcount());
}

// A ring whose owner lives may get another consumer, so its owner is never told `peer_lost`: on a ring that stays full it looks
// once a second whether its consumer still lives. A slow or stopped one does.
strait::WriteClaim claim_node(strait::CircularBuffer& ring) {
  for (;;) {
    strait::WriteClaim node = ring.claim(1s);
    if (node) return node;
    if (node.status() != strait::Status::timed_out || !examples::anybody_else(ring))
      throw std::runtime_error("the consumer is gone before the end of the stream");
  }
}

// The presence is asked before the read, so a receipt that is written just before the consumer leaves is still read.
StreamMark wait_for_receipt(strait::CircularBuffer& receipts) {
  for (;;) {
    const bool consumer_there = examples::anybody_else(receipts);
    StreamMark receipt{};
    if (receipts.read(receipt, 1s) == strait::Status::ok) return receipt;
    if (!consumer_there) throw std::runtime_error("the consumer is gone and has not confirmed the stream");
  }
}

// Returns the end of the stream: its size and checksum.
StreamMark stream(std::istream& in, const std::string& path, strait::CircularBuffer& ring) {
  std::atomic<std::uint64_t> sent = 0;
  examples::StatusLine progress(stderr, 500ms, [&, rate = examples::Rate()]() mutable {
    return "sent " + examples::megabytes(sent) + " MB, " + examples::fixed(rate(sent), 1) + " MB/s";
  });

  examples::Crc32c checksum;
  for (;;) {
    strait::WriteClaim node = claim_node(ring);
    const std::span<std::byte> data = node.bytes().subspan(sizeof(StreamMark));
    const std::size_t count = read_some(in, data, path);
    const StreamMark mark{count > 0 ? StreamKind::data : StreamKind::end, checksum.value(), sent};
    strait::copy_to_bytes(mark, node.bytes());
    checksum.update(data.first(count));
    node.publish(sizeof mark + count);
    if (mark.kind == StreamKind::end) return mark;
    sent += count;
  }
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const std::string name = line.text("--ring", examples::default_ring);
  const auto deadline = line.deadline("--wait", 30s);
  const auto files = line.positional(0, 1);
  const std::string path = files.empty() ? own_file(argv[0]) : files.front();

  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  examples::pass_bytes(stdin);
  if (!file) throw std::runtime_error("cannot open " + path);

  // One producer, one consumer: a second one is refused instead of taking away half of the stream.
  strait::RingOptions options;
  options.writers = options.readers = strait::Sharing::one;
  strait::CircularBuffer receipts(examples::receipt_ring(name), 2, sizeof(StreamMark), options);
  strait::CircularBuffer ring(name, examples::node_count, examples::node_buffer_size, options);

  std::cerr << "ring " << name << ": " << path << " to strait-consume\n";
  examples::wait_for_somebody(receipts, deadline);

  const auto start = std::chrono::steady_clock::now();
  const StreamMark end = stream(path == "-" ? std::cin : file, path, ring);
  const StreamMark receipt = wait_for_receipt(receipts);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;

  std::cerr << "sent " << end << ", " << examples::fixed(passed.count(), 2) << " s, "
            << examples::fixed(static_cast<double>(end.offset) / 1e6 / passed.count(), 1) << " MB/s\n";
  if (receipt == end) return 0;
  std::cerr << "strait-produce: the consumer received something else: " << receipt << '\n';
  return 1;
} catch (const examples::UsageError& error) {
  std::cerr << "strait-produce: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {  // strait::Error among them: what() says which segment, why, and what to do
  std::cerr << "strait-produce: " << error.what() << '\n';
  return 1;
}
