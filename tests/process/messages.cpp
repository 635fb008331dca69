// A million numbered messages between real processes: nothing lost, doubled, torn or out of order per writer.
//
// Every reader records what it got, in its order, in a file of its own; the parent merges the records. Per writer the numbers in
// one record must rise (the ring is first in, first out), and all records together must hold each number exactly once.

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/circular_buffer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using strait::CircularBuffer;
using strait::Sharing;
using strait::Status;
using strait::test::Child;
using strait::test::ChildFunction;
using strait::test::hear;
using strait::test::NameGuard;
using strait::test::say;
using strait::test::Watchdog;

namespace {

// A million, or what STRAIT_TEST_MESSAGES says: under an emulator each sleep and wake takes a hundred times as long.
const std::uint32_t total = [] {
  const char* asked = std::getenv("STRAIT_TEST_MESSAGES");
  return asked != nullptr ? static_cast<std::uint32_t>(std::atoi(asked)) : 1'000'000u;
}();

struct Message {
  std::uint32_t writer;
  std::uint32_t number;
  std::array<std::uint64_t, 6> filling;  // the whole message is one cache line with its header, and shows tearing

  static Message of(std::uint32_t writer, std::uint32_t number) {
    Message message{writer, number, {}};
    for (auto& word : message.filling) word = (std::uint64_t{writer} << 32 | number) * 0x9e3779b97f4a7c15u;
    return message;
  }
  bool is_whole() const {
    for (const auto word : filling) {
      if (word != (std::uint64_t{writer} << 32 | number) * 0x9e3779b97f4a7c15u) return false;
    }
    return true;
  }
};

// arguments: ring, this writer's number, how many messages
const ChildFunction write_messages{"messages: write", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  const auto writer = static_cast<std::uint32_t>(std::stoul(arguments[1]));
  const auto count = static_cast<std::uint32_t>(std::stoul(arguments[2]));
  say("ready");
  hear();
  for (std::uint32_t number = 0; number < count; ++number) {
    if (ring.write(Message::of(writer, number), strait::forever) != Status::ok) return 1;
  }
  return 0;
}};

// arguments: ring, the record's path
const ChildFunction read_messages{"messages: read", [](std::span<const std::string> arguments) -> int {
  CircularBuffer ring(arguments[0]);
  std::ofstream record(arguments[1], std::ios::binary);
  say("ready");
  hear();
  for (;;) {
    Message message{};
    const Status status = ring.read(message, strait::forever);
    if (status == Status::closed) break;
    if (status != Status::ok || !message.is_whole()) return 1;
    const std::array<std::uint32_t, 2> entry{message.writer, message.number};
    record.write(reinterpret_cast<const char*>(entry.data()), sizeof entry);
  }
  record.close();
  return record ? 0 : 2;
}};

class Record {
 public:
  Record(const std::string& ring, std::size_t index) : path_(std::filesystem::temp_directory_path() / (ring + "-" + std::to_string(index))) {}
  Record(Record&&) = default;
  Record& operator=(Record&&) = delete;
  ~Record() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove(path_, error);
  }
  std::string path() const { return path_.string(); }
  std::vector<std::array<std::uint32_t, 2>> entries() const {
    std::vector<std::array<std::uint32_t, 2>> entries(static_cast<std::size_t>(std::filesystem::file_size(path_)) / 8);
    std::ifstream(path_, std::ios::binary).read(reinterpret_cast<char*>(entries.data()), static_cast<std::streamsize>(entries.size() * 8));
    return entries;
  }

 private:
  std::filesystem::path path_;
};

void exchange(std::uint32_t writers, std::size_t readers, std::size_t nodes, Sharing writer_side, Sharing reader_side) {
  const Watchdog watchdog(std::chrono::seconds(110), "a million messages");
  NameGuard name("messages");
  strait::RingOptions options;
  options.writers = writer_side;
  options.readers = reader_side;
  CircularBuffer ring(name, nodes, sizeof(Message), options);

  std::vector<Record> records;
  std::vector<Child> reading;
  std::vector<Child> writing;
  for (std::size_t i = 0; i < readers; ++i) {
    records.emplace_back(name.str(), i);
    reading.emplace_back("messages: read", std::vector<std::string>{name.str(), records.back().path()});
  }
  for (std::uint32_t i = 0; i < writers; ++i) {
    writing.emplace_back("messages: write", std::vector<std::string>{name.str(), std::to_string(i), std::to_string(total / writers)});
  }
  for (auto* children : {&reading, &writing}) {
    for (auto& child : *children) REQUIRE(child.read_line() == "ready");
  }
  for (auto* children : {&reading, &writing}) {
    for (auto& child : *children) child.write_line("go");
  }
  for (auto& child : writing) REQUIRE(child.wait().clean());
  ring.close();  // readers drain what is left, then get `closed`
  for (auto& child : reading) REQUIRE(child.wait().clean());

  std::vector<std::vector<std::uint8_t>> seen(writers, std::vector<std::uint8_t>(total / writers));
  std::size_t unknown = 0;
  std::size_t doubled = 0;
  std::size_t disordered = 0;
  std::size_t count = 0;
  for (const auto& record : records) {
    std::vector<std::int64_t> last(writers, -1);
    for (const auto& [writer, number] : record.entries()) {
      ++count;
      if (writer >= writers || number >= total / writers) {
        ++unknown;
        continue;
      }
      if (seen[writer][number]++ != 0) ++doubled;
      if (number <= last[writer]) ++disordered;
      last[writer] = number;
    }
  }
  CHECK(count == total);
  CHECK(unknown == 0);
  CHECK(doubled == 0);
  CHECK(disordered == 0);
}

}  // namespace

TEST_CASE("a million messages pass from one process to another") { exchange(1, 1, 256, Sharing::many, Sharing::many); }
TEST_CASE("a million messages pass from one process to another through exclusive sides") { exchange(1, 1, 256, Sharing::one, Sharing::one); }
TEST_CASE("a million messages pass from one exclusive writer to one of many readers") { exchange(1, 1, 64, Sharing::one, Sharing::many); }
TEST_CASE("a million messages pass from one of many writers to one exclusive reader") { exchange(1, 1, 64, Sharing::many, Sharing::one); }
TEST_CASE("a million messages pass from four processes to one") { exchange(4, 1, 256, Sharing::many, Sharing::many); }
TEST_CASE("a million messages pass from four processes to one exclusive reader") { exchange(4, 1, 64, Sharing::many, Sharing::one); }
TEST_CASE("a million messages pass from one process to four") { exchange(1, 4, 256, Sharing::many, Sharing::many); }
TEST_CASE("a million messages pass from one exclusive writer to four processes") { exchange(1, 4, 64, Sharing::one, Sharing::many); }
TEST_CASE("a million messages pass from four processes to four") { exchange(4, 4, 256, Sharing::many, Sharing::many); }
TEST_CASE("a million messages pass from four processes to four through three nodes") { exchange(4, 4, 3, Sharing::many, Sharing::many); }
