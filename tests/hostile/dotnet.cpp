// Objects of the C# library in which somebody replaces numbers.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "restless.hpp"

#include <strait/dotnet/buffer_read_write.hpp>
#include <strait/dotnet/circular_buffer.hpp>
#include <strait/dotnet/packet.hpp>
#include <strait/dotnet/ring.hpp>
#include <strait/dotnet/rpc_buffer.hpp>
#include <strait/dotnet/shared_ring.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace strait;
using namespace strait::test;

namespace {

using Word = Restless<std::int32_t>;

// Two nodes, whose words change at every look.
struct RestlessRing {
  std::array<Word, 4>* cursors;
  std::array<std::atomic<std::int32_t>, 2>* amounts;
  bool flags_give_way = false;

  // A flag that is always set and always to be had.
  struct Flag {
    std::int32_t load(std::memory_order) const { return 1; }
    std::int32_t exchange(std::int32_t, std::memory_order) { return 1; }
    bool compare_exchange_strong(std::int32_t&, std::int32_t, std::memory_order, std::memory_order) { return true; }
  };
  static inline Flag flag;

  dotnet::Index count() const { return 2; }
  Word& read_end() const { return (*cursors)[0]; }
  Word& read_start() const { return (*cursors)[1]; }
  Word& write_end() const { return (*cursors)[2]; }
  Word& write_start() const { return (*cursors)[3]; }
  Flag& done_read(dotnet::Index) const { return flag; }
  Flag& done_write(dotnet::Index) const { return flag; }
  std::atomic<std::int32_t>& amount(dotnet::Index i) const { return (*amounts)[static_cast<std::size_t>(i)]; }
  dotnet::Index checked(dotnet::Index index) const { return index; }
};

}  // namespace

TEST_CASE("a ring of the C# library whose cursors change at every look is full, empty, and ends each step") {
  const Watchdog watchdog;
  std::int32_t number = 0;
  const auto toggles = [&] { return number++ & 1; };
  const auto zero = [] { return std::int32_t{0}; };
  const auto one = [] { return std::int32_t{1}; };
  std::array<std::atomic<std::int32_t>, 2> amounts{};
  std::array<Word, 4> cursors{Word{zero}, Word{zero}, Word{zero}, Word{zero}};
  dotnet::Ring<RestlessRing> ring(RestlessRing{&cursors, &amounts});
  auto& [read_end, read_start, write_end, write_start] = cursors;

  write_start.next = toggles;
  for (const auto& end : {std::function<std::int32_t()>(one), std::function<std::int32_t()>(zero)}) {
    read_end.next = end;
    number = 0;
    static_cast<void>(ring.seems_full());
    number = 0;
    CHECK_FALSE(ring.reserve_for_writing().has_value());
  }
  read_start.next = toggles;
  for (const auto& end : {std::function<std::int32_t()>(one), std::function<std::int32_t()>(zero)}) {
    write_end.next = end;
    number = 0;
    static_cast<void>(ring.seems_empty());
    number = 0;
    CHECK(ring.reserve_for_reading([](std::int32_t) { return true; }).what == dotnet::Ring<RestlessRing>::Found::What::empty);
    number = 0;
    CHECK(ring.reserve_for_reading([](std::int32_t) { return false; }).what == dotnet::Ring<RestlessRing>::Found::What::empty);
  }
  // Every node is always said to be finished.
  ring.post(0, 1);
  ring.give_back(0);
}

TEST_CASE("a ring of the C# library whose numbers change between the check and the use is refused") {
  NameGuard name("hostile");
  dotnet::CircularBuffer ring(name, 5, 100);
  std::vector<unsigned char> bytes = shm_bytes(name);
  bytes.resize(static_cast<std::size_t>(reinterpret_cast<const dotnet::SharedHeader*>(bytes.data())->shared_memory_size.load()));  // without the end of a page
  // Aligned as a mapping is.
  std::vector<std::uint64_t> words((bytes.size() + 7) / 8);
  auto* const base = reinterpret_cast<std::byte*>(words.data());
  auto* const header = reinterpret_cast<dotnet::RingHeader*>(base + sizeof(dotnet::SharedHeader));
  for (const auto& [count, size] : {std::pair{6, 100}, std::pair{5, 101}, std::pair{1, 100}, std::pair{-1, 100}, std::pair{5, -1}, std::pair{0x7fffffff, 0x7fffffff}}) {
    CAPTURE(count, size);
    std::memcpy(base, bytes.data(), bytes.size());
    CHECK(caught([&] { return dotnet::SharedRing::of(base, bytes.size(), name).count(); }).nothing());
    header->node_count = count;
    header->node_buffer_size = size;
    CHECK(caught([&] { return dotnet::SharedRing::of(base, bytes.size(), name).count(); }) == Errc::broken);
  }
}

TEST_CASE("cursors of a ring of the C# library that are no indices, however far, are told as broken by every call") {
  const Watchdog watchdog;
  for (const Sharing sharing : {Sharing::many, Sharing::one}) {
    NameGuard name("hostile");
    RingOptions options;
    options.writers = options.readers = sharing;
    dotnet::CircularBuffer ring(name, 200, 64, options);
    const BackDoor door(name);
    auto* const header = reinterpret_cast<dotnet::RingHeader*>(door.bytes() + sizeof(dotnet::SharedHeader));
    // Enough in a row that the ring looks how far it is ahead.
    for (int i = 0; i < 150; ++i) REQUIRE(ring.write(i, no_wait) == Status::ok);
    for (const std::int32_t wrong : {200, -1, (std::numeric_limits<std::int32_t>::max)(), (std::numeric_limits<std::int32_t>::min)()}) {
      const std::int32_t before[] = {header->read_end, header->read_start, header->write_end, header->write_start};
      header->read_end = wrong;
      CHECK(caught([&] { return ring.write(1, no_wait); }) == Errc::broken);
      header->read_end = before[0];
      header->write_start = wrong;
      CHECK(caught([&] { return ring.write(1, no_wait); }) == Errc::broken);
      header->write_start = before[3];
      int value = 0;
      header->read_start = wrong;
      CHECK(caught([&] { return ring.read(value, no_wait); }) == Errc::broken);
      header->read_start = before[1];
      header->write_end = wrong;
      CHECK(caught([&] { return ring.read(value, no_wait); }) == Errc::broken);
      header->write_end = before[2];
    }
    int value = -1;
    CHECK(ring.read(value, no_wait) == Status::ok);
    CHECK(value == 0);
  }
}

TEST_CASE("a packet of a call of the C# library whose numbers make no sense is none") {
  constexpr std::size_t slice = 100;
  std::array<std::byte, sizeof(dotnet::PacketHeader) + slice> node{};
  const auto parsed = [&](const dotnet::PacketHeader& header, std::size_t length = 132) {
    std::memcpy(node.data(), &header, sizeof header);
    // In memory of its own: nothing behind it may be looked at.
    const std::vector<std::byte> all(node.begin(), node.begin() + static_cast<std::ptrdiff_t>(length));
    const auto packet = dotnet::parse(all, slice);
    return packet.has_value();
  };
  dotnet::PacketHeader right{};
  right.type = 1;
  right.payload_size = 250;
  right.current_packet = 2;
  right.total_packets = 3;
  REQUIRE(parsed(right));
  for (const std::size_t length : {0u, 1u, 31u, 32u, 131u}) CHECK_FALSE(parsed(right, length));
  for (const int type : {0, 4, 255}) {
    auto wrong = right;
    wrong.type = static_cast<std::uint8_t>(type);
    CHECK_FALSE(parsed(wrong));
  }
  for (const std::int32_t size : {-1, -250, 0, 100, 199, 301, 0x7fffffff, -0x7fffffff - 1}) {
    auto wrong = right;
    wrong.payload_size = size;
    CHECK_FALSE(parsed(wrong));
  }
  // As an unsigned number this one is a whole number of slices, so that one packet, an empty one, would do.
  {
    auto wrong = right;
    wrong.payload_size = -16;
    wrong.current_packet = wrong.total_packets = 1;
    CHECK_FALSE(parsed(wrong));
  }
  for (const int current : {0, 4, 65535}) {
    auto wrong = right;
    wrong.current_packet = static_cast<std::uint16_t>(current);
    CHECK_FALSE(parsed(wrong));
  }
  for (const int total : {0, 1, 2, 4, 65535}) {
    auto wrong = right;
    wrong.total_packets = static_cast<std::uint16_t>(total);
    CHECK_FALSE(parsed(wrong));
  }
  // An empty message, and one of whole packets with an empty one behind it.
  right.payload_size = 0;
  right.current_packet = right.total_packets = 1;
  CHECK(parsed(right, sizeof right));
  right.payload_size = 200;
  right.current_packet = right.total_packets = 3;
  CHECK(parsed(right, sizeof right));
  right.current_packet = right.total_packets = 4;
  CHECK_FALSE(parsed(right));
}

TEST_CASE("slices of the C# library's calls that do not follow on each other make no message") {
  std::array<std::byte, 300> bytes{};
  const auto packet = [&](std::uint16_t current, std::int32_t size = 250, std::uint64_t id = 7) {
    dotnet::Packet one{};
    one.header.type = 1;
    one.header.message_id = id;
    one.header.payload_size = size;
    one.header.current_packet = current;
    one.header.total_packets = 3;
    one.slice = std::span<const std::byte>(bytes).first(current < 3 ? 100 : static_cast<std::size_t>(size) - 200);
    return one;
  };
  using Added = dotnet::Reassembly::Added;
  dotnet::Reassembly incoming;
  CHECK(incoming.add(packet(2)) == Added::lost);
  CHECK(incoming.add(packet(1)) == Added::more_to_come);
  CHECK(incoming.add(packet(3)) == Added::lost);
  CHECK(incoming.add(packet(1)) == Added::more_to_come);
  CHECK(incoming.add(packet(2, 290)) == Added::lost);
  CHECK(incoming.add(packet(1)) == Added::more_to_come);
  CHECK(incoming.add(packet(2, 250, 8)) == Added::lost);
  CHECK(incoming.add(packet(1)) == Added::more_to_come);
  CHECK(incoming.add(packet(2)) == Added::more_to_come);
  CHECK(incoming.add(packet(2)) == Added::lost);
  CHECK(incoming.add(packet(1)) == Added::more_to_come);
  CHECK(incoming.add(packet(2)) == Added::more_to_come);
  CHECK(incoming.add(packet(3)) == Added::complete);
  CHECK(incoming.view().size() == 250);
}

TEST_CASE("objects of the C# library may have names of 160 bytes, and not of 161, and nothing of them is left") {
  const Watchdog watchdog;
  NameGuard prefix("hostile");
  const std::string longest = prefix.str() + std::string(160 - prefix.str().size(), 'x');
  {
    const dotnet::BufferReadWrite buffer(longest, 100);
    const dotnet::BufferReadWrite other(longest);
  }
  {
    dotnet::CircularBuffer ring(longest, 3, 100);
    dotnet::CircularBuffer other(longest);
    CHECK(ring.write(1) == Status::ok);
  }
  {
    dotnet::RpcBuffer master(longest, [](std::uint64_t, std::span<const std::byte>) { return 3; });
    dotnet::RpcBuffer slave(longest);
    CHECK(slave.remote_request().outcome == RpcOutcome::ok);
  }
  const std::string longer = longest + "x";
  CHECK(caught([&] { dotnet::BufferReadWrite buffer(longer, 100); }) == Errc::invalid_argument);
  CHECK(caught([&] { dotnet::CircularBuffer ring(longer, 3, 100); }) == Errc::invalid_argument);
  CHECK(caught([&] { dotnet::RpcBuffer master(longer); }) == Errc::invalid_argument);
}
