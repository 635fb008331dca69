// Byte for byte what the running C# library produced: written by ours, and understood by ours. golden/ holds its files; how each of
// them came about stands beside the code that does the same.

#include "dotnet.hpp"

#include <strait/dotnet/object.hpp>
#include <strait/dotnet/ring.hpp>
#include <strait/dotnet/shared_ring.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <set>

using namespace strait::test;
using namespace std::chrono_literals;
using strait::no_wait;
using strait::Status;
namespace dotnet = strait::dotnet;

namespace {

template <class Char>
struct Mixed {
  std::uint8_t b;
  std::int32_t i;
  double d;
  std::array<Char, 8> s;
};
#pragma pack(push, 1)
struct MixedPacked {
  std::uint8_t b;
  std::int32_t i;
  double d;
  std::array<char, 8> s;
};
#pragma pack(pop)
static_assert(sizeof(Mixed<char>) == 24 && sizeof(Mixed<char16_t>) == 32 && sizeof(MixedPacked) == 21);

// Field by field, so that padding stays zero.
template <class Element, class Char>
void set(Element& element, unsigned b, std::int32_t i, double d, const std::array<Char, 8>& s) {
  element.b = static_cast<std::uint8_t>(b);
  element.i = i;
  element.d = d;
  element.s = s;
}
template <class Element, class Char>
bool is(const Element& element, unsigned b, std::int32_t i, double d, const std::array<Char, 8>& s) {
  return element.b == b && element.i == i && element.d == d && element.s == s;
}

template <class Char>
std::array<Char, 8> row(int first) {
  std::array<Char, 8> text;
  for (int i = 0; i < 8; ++i) text[static_cast<std::size_t>(i)] = static_cast<Char>(first + i);
  return text;
}

// The ring's algorithm on the very bytes of a name, as another process would run it.
struct Other {
  explicit Other(const std::string& name)
      : object(name, {}, [](const std::byte*, std::uint64_t) { return true; }), ring(dotnet::SharedRing::of(object.base(), object.size(), object.name())) {}
  dotnet::Object object;
  dotnet::Ring<dotnet::SharedRing> ring;
};

std::string next_int(dotnet::CircularBuffer& ring) {
  std::int32_t value = 0;
  return ring.read(value, no_wait) == Status::ok ? std::to_string(value) : "nothing";
}

}  // namespace

TEST_CASE("dotnet golden: an array of int has the bytes of the C# library's, both ways") {
  const NameGuard name("dotnet-array");
  dotnet::SharedArray<std::int32_t> array(name, 10);
  array[0] = 123;
  array[9] = 456;
  CHECK(differs(name, "a_sharedarray_int10") == "");

  put(name, "a_sharedarray_int10");
  const dotnet::SharedArray<std::int32_t> other(name.str());
  REQUIRE(other.size() == 10);
  CHECK(other[0] == 123);
  CHECK(other[5] == 0);
  CHECK(other[9] == 456);
}

TEST_CASE("dotnet golden: arrays of structs have the bytes of the C# library's, with default packing, with UTF-16 and packed") {
  SECTION("default packing") {
    const NameGuard name("dotnet-mixed");
    dotnet::SharedArray<Mixed<char>> array(name, 3);
    for (int i = 0; i < 3; ++i) set(array[static_cast<std::size_t>(i)], 0xA0u + static_cast<unsigned>(i), -1 - i, 1.5 + i, row<char>('a' + 8 * i));
    CHECK(differs(name, "b_sharedarray_mixed_fixedbyte8") == "");
    const dotnet::SharedArray<Mixed<char>> other(name.str());
    REQUIRE(other.size() == 3);
    CHECK(is(other[2], 0xA2, -3, 3.5, row<char>('q')));
  }
  SECTION("UTF-16") {
    const NameGuard name("dotnet-mixed");
    dotnet::SharedArray<Mixed<char16_t>> array(name, 2);
    for (int i = 0; i < 2; ++i) set(array[static_cast<std::size_t>(i)], 0xB0u + static_cast<unsigned>(i), 1000 + i, -2.25 - i, row<char16_t>(0x410 + 8 * i));
    CHECK(differs(name, "b_sharedarray_mixed_fixedchar8") == "");
    const dotnet::SharedArray<Mixed<char16_t>> other(name.str());
    CHECK(is(other[1], 0xB1, 1001, -3.25, row<char16_t>(0x418)));
  }
  SECTION("packed") {
    const NameGuard name("dotnet-mixed");
    dotnet::SharedArray<MixedPacked> array(name, 3);
    std::vector<MixedPacked> elements;
    for (int i = 0; i < 3; ++i) elements.push_back({static_cast<std::uint8_t>(0xC0 + i), 7 + i, 0.125 * i, row<char>('0')});
    array.write(elements);
    CHECK(differs(name, "b_sharedarray_mixed_pack1") == "");
    std::vector<MixedPacked> read(3);
    dotnet::SharedArray<MixedPacked>(name.str()).read(read);
    CHECK(std::memcmp(read.data(), elements.data(), 3 * sizeof(MixedPacked)) == 0);
  }
  SECTION("two of four elements written at once") {
    const NameGuard name("dotnet-mixed");
    dotnet::SharedArray<Mixed<char>> array(name, 4);
    std::vector<Mixed<char>> elements(2);
    std::memset(static_cast<void*>(elements.data()), 0, 2 * sizeof(Mixed<char>));
    set(elements[0], 1, 2, 3.0, std::array<char, 8>{});
    set(elements[1], 4, 5, 6.0, std::array<char, 8>{});
    array.write(elements);
    CHECK(differs(name, "b_sharedarray_mixed_arraywrite") == "");
    put(name, "b_sharedarray_mixed_arraywrite");
    CHECK(is(dotnet::SharedArray<Mixed<char>>(name.str())[1], 4, 5, 6.0, std::array<char, 8>{}));
  }
}

TEST_CASE("dotnet golden: a buffer has the bytes of the C# library's, also when its owner has closed") {
  const NameGuard name("dotnet-buffer");
  dotnet::BufferReadWrite buffer(name, 1024);
  buffer.write(std::int32_t{123}, 0);
  buffer.write(std::int32_t{456}, 1000);
  CHECK(differs(name, "c_bufferreadwrite_1024") == "");

  put(name, "c_bufferreadwrite_1024");
  dotnet::BufferReadWrite other(name.str());
  CHECK(other.buffer_size() == 1024);
  CHECK(other.shared_memory_size() == 1040);
  CHECK(other.read<std::int32_t>(1000) == 456);
  CHECK_FALSE(other.shutting_down());
  buffer.close();
  CHECK(other.shutting_down());
  CHECK(differs(name, "c_bufferreadwrite_1024_ownerclosed") == "");
  CHECK(other.read<std::int32_t>() == 123);
}

TEST_CASE("dotnet golden: a ring of three nodes goes through the states of the C# library's, step by step") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer writer(name, 3, 4);
  dotnet::CircularBuffer reader(name.str());
  const auto write = [&](std::int32_t value) { return writer.write(value, no_wait); };
  CHECK(differs(name, "d00_cb3x4_fresh") == "");
  CHECK(write(123) == Status::ok);
  CHECK(differs(name, "d01_cb3x4_1write") == "");
  CHECK(write(456) == Status::ok);
  CHECK(differs(name, "d02_cb3x4_2writes") == "");
  CHECK(writer.write(std::int32_t{999}, 20ms) == Status::timed_out);
  CHECK(differs(name, "d03_cb3x4_full_3rd_write_timeout") == "");
  CHECK(next_int(reader) == "123");
  CHECK(differs(name, "d04_cb3x4_2writes_1read") == "");
  CHECK(write(789) == Status::ok);
  CHECK(differs(name, "d05_cb3x4_3writes_1read") == "");
  CHECK(next_int(reader) == "456");
  CHECK(differs(name, "d06_cb3x4_3writes_2reads") == "");
  CHECK(write(-1) == Status::ok);
  CHECK(differs(name, "d07_cb3x4_4writes_2reads_wrapped") == "");
  CHECK(next_int(reader) == "789");
  CHECK(differs(name, "d08_cb3x4_4writes_3reads") == "");
  CHECK(next_int(reader) == "-1");
  CHECK(differs(name, "d09_cb3x4_4writes_4reads_empty") == "");
  std::int32_t value = 0;
  CHECK(reader.read(value, 20ms) == Status::timed_out);
  CHECK(differs(name, "d10_cb3x4_empty_read_timeout") == "");
  writer.close();
  CHECK(differs(name, "d11_cb3x4_owner_closed") == "");
  CHECK(reader.read(value, 20ms) == Status::closed);
}

TEST_CASE("dotnet golden: each state of the C# library's ring is understood, and goes on from there") {
  const Watchdog watchdog;
  struct State {
    const char* file;
    std::vector<std::string> holds;
    int room;
  };
  for (const State& state : {State{"d00_cb3x4_fresh", {}, 2}, State{"d01_cb3x4_1write", {"123"}, 1}, State{"d02_cb3x4_2writes", {"123", "456"}, 0},
                             State{"d03_cb3x4_full_3rd_write_timeout", {"123", "456"}, 0}, State{"d04_cb3x4_2writes_1read", {"456"}, 1},
                             State{"d05_cb3x4_3writes_1read", {"456", "789"}, 0}, State{"d06_cb3x4_3writes_2reads", {"789"}, 1},
                             State{"d07_cb3x4_4writes_2reads_wrapped", {"789", "-1"}, 0}, State{"d08_cb3x4_4writes_3reads", {"-1"}, 1},
                             State{"d09_cb3x4_4writes_4reads_empty", {}, 2}, State{"d10_cb3x4_empty_read_timeout", {}, 2}}) {
    INFO(state.file);
    const NameGuard name("dotnet-ring");
    const dotnet::CircularBuffer keeper(name, 3, 4);
    put(name, state.file);
    dotnet::CircularBuffer ring(name.str());
    CHECK(ring.node_count() == 3);
    CHECK(ring.node_buffer_size() == 4);
    std::vector<std::string> expected = state.holds;
    for (int i = 0; i < state.room; ++i) {
      CHECK(ring.write(std::int32_t{1000 + i}, no_wait) == Status::ok);
      expected.push_back(std::to_string(1000 + i));
    }
    CHECK(ring.write(std::int32_t{1}, no_wait) == Status::timed_out);
    for (const std::string& one : expected) CHECK(next_int(ring) == one);
    CHECK(next_int(ring) == "nothing");
  }
  const NameGuard name("dotnet-ring");
  const dotnet::CircularBuffer keeper(name, 3, 4);
  put(name, "d11_cb3x4_owner_closed");
  dotnet::CircularBuffer ring(name.str());
  CHECK(ring.shutting_down());
  CHECK(ring.write(std::int32_t{1}) == Status::closed);
}

TEST_CASE("dotnet golden: what is in flight, inside a callback, has the bytes of the C# library's") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 4, 8);
  const auto store = [](std::span<std::byte> to, std::uint64_t value) {
    std::memcpy(to.data(), &value, sizeof value);
    return sizeof value;
  };
  const Status written = ring.write_with([&](std::span<std::byte> to) {
    const auto length = store(to, 0x1111);
    CHECK(differs(name, "d20_cb4x8_inflight_1reserved") == "");
    CHECK(ring.write_with([&](std::span<std::byte> inner) { return store(inner, 0x2222); }) == Status::ok);
    CHECK(differs(name, "d21_cb4x8_inflight_outoforder_post") == "");
    return length;
  });
  CHECK(written == Status::ok);
  CHECK(differs(name, "d22_cb4x8_both_posted") == "");
  const Status read = ring.read_with([&](std::span<const std::byte>) {
    CHECK(differs(name, "d23_cb4x8_inflight_1reading") == "");
    CHECK(ring.read_with([](std::span<const std::byte>) {}) == Status::ok);
    CHECK(differs(name, "d24_cb4x8_inflight_outoforder_return") == "");
  });
  CHECK(read == Status::ok);
  CHECK(differs(name, "d25_cb4x8_both_returned") == "");
}

TEST_CASE("dotnet golden: what a C# process has in flight is waited for, and goes on when it is done") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  const dotnet::CircularBuffer keeper(name, 4, 8);
  dotnet::CircularBuffer ring(name.str());
  Other other(name);
  std::uint64_t value = 0;

  // A C# writer has node 0 and has not posted it.
  put(name, "d20_cb4x8_inflight_1reserved");
  CHECK(ring.read(value, no_wait) == Status::timed_out);
  CHECK(ring.write(std::uint64_t{0x2222}) == Status::ok);
  CHECK(differs(name, "d21_cb4x8_inflight_outoforder_post") == "");
  CHECK(ring.read(value, no_wait) == Status::timed_out);

  put(name, "d21_cb4x8_inflight_outoforder_post");
  CHECK(ring.read(value, no_wait) == Status::timed_out);
  other.ring.post(0, 8);
  CHECK(differs(name, "d22_cb4x8_both_posted") == "");

  put(name, "d22_cb4x8_both_posted");
  CHECK(ring.read(value, no_wait) == Status::ok);
  CHECK(value == 0x1111);
  CHECK(ring.read(value, no_wait) == Status::ok);
  CHECK(value == 0x2222);
  CHECK(differs(name, "d25_cb4x8_both_returned") == "");

  // A C# reader has node 0 and has not returned it.
  put(name, "d23_cb4x8_inflight_1reading");
  CHECK(ring.write(std::uint64_t{0x3333}, no_wait) == Status::ok);
  CHECK(ring.write(std::uint64_t{0x4444}, no_wait) == Status::timed_out);  // nodes 0, 1 and 2
  put(name, "d23_cb4x8_inflight_1reading");
  CHECK(ring.read(value, no_wait) == Status::ok);
  CHECK(value == 0x2222);
  CHECK(differs(name, "d24_cb4x8_inflight_outoforder_return") == "");

  put(name, "d24_cb4x8_inflight_outoforder_return");
  other.ring.give_back(0);
  CHECK(differs(name, "d25_cb4x8_both_returned") == "");

  put(name, "d25_cb4x8_both_returned");
  for (const std::uint64_t i : {1u, 2u, 3u}) CHECK(ring.write(i, no_wait) == Status::ok);
  CHECK(ring.write(value, no_wait) == Status::timed_out);
  for (const std::uint64_t i : {1u, 2u, 3u}) {
    CHECK(ring.read(value, no_wait) == Status::ok);
    CHECK(value == i);
  }
}

TEST_CASE("dotnet golden: messages of any length, wrapped and read into what is too small, have the bytes of the C# library's") {
  const Watchdog watchdog;
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 5, 100);
  const auto message = [](int number, std::size_t length) {
    Bytes bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<unsigned char>(static_cast<std::size_t>(number) * 16 + i);
    return bytes;
  };
  const std::array<std::size_t, 4> lengths{10, 100, 1, 57};
  for (int t = 0; t < 4; ++t) CHECK(ring.write(message(t, lengths[static_cast<std::size_t>(t)])) == Status::ok);
  CHECK(differs(name, "e0_cb5x100_4writes_10_100_1_57") == "");

  put(name, "e0_cb5x100_4writes_10_100_1_57");
  Bytes to(100);
  CHECK(ring.read(to).count == 10);
  CHECK(std::equal(to.begin(), to.begin() + 10, message(0, 10).begin()));
  CHECK(ring.read(to).count == 100);
  CHECK(to == message(1, 100));
  CHECK(differs(name, "e1_cb5x100_after_2reads") == "");

  Bytes falling(150);
  for (std::size_t i = 0; i < 150; ++i) falling[i] = static_cast<unsigned char>(255 - i);
  // C# cuts the 150 bytes to a node's 100 without a word; ours refuses them.
  CHECK(caught([&] { return ring.write(falling); }) == strait::Errc::message_too_large);
  CHECK(ring.write(std::span<const unsigned char>(falling).first(100)) == Status::ok);
  CHECK(ring.write(std::span<const unsigned char>(falling).subspan(140)) == Status::ok);
  CHECK(differs(name, "e2_cb5x100_wrap_150_and_startindex140") == "");

  CHECK(ring.read(to).count == 1);
  // C# throws away what does not fit; ours leaves the message where it is.
  Bytes four(4);
  CHECK(caught([&] { return ring.read(four); }) == strait::Errc::buffer_too_small);
  CHECK(ring.read_with([](std::span<const std::byte> bytes) { CHECK(bytes.size() == 57); }) == Status::ok);
  CHECK(differs(name, "e3_cb5x100_short_destination") == "");
  put(name, "e3_cb5x100_short_destination");
  CHECK(ring.read(to).count == 100);
  CHECK(to[99] == 255 - 99);
  CHECK(ring.read(to).count == 10);
  CHECK(to[0] == 255 - 140);
}

TEST_CASE("dotnet golden: the smallest ring, and structs and arrays as messages, have the bytes of the C# library's") {
  {
    const NameGuard name("dotnet-ring");
    dotnet::CircularBuffer ring(name, 2, 16);
    CHECK(differs(name, "e4_cb2x16_fresh") == "");
    put(name, "e4_cb2x16_fresh");
    CHECK(dotnet::CircularBuffer(name.str()).node_buffer_size() == 16);
  }
  const NameGuard name("dotnet-ring");
  dotnet::CircularBuffer ring(name, 3, 32);
  Mixed<char> mixed;
  std::memset(static_cast<void*>(&mixed), 0, sizeof mixed);
  set(mixed, 9, -9, 9.5, std::array<char, 8>{});
  CHECK(ring.write(mixed) == Status::ok);
  CHECK(ring.write(std::array<std::int64_t, 4>{1, 2, 3, 4}) == Status::ok);
  CHECK(differs(name, "e5_cb3x32_struct_and_longarray") == "");
  put(name, "e5_cb3x32_struct_and_longarray");
  Mixed<char> read{};
  CHECK(ring.read(read) == Status::ok);
  CHECK(is(read, 9, -9, 9.5, std::array<char, 8>{}));
  std::array<std::int64_t, 4> numbers{};
  CHECK(ring.read(std::span<std::int64_t>(numbers)).count == 4);
  CHECK(numbers == std::array<std::int64_t, 4>{1, 2, 3, 4});
}

TEST_CASE("dotnet golden: every file that the C# library produced is used by a test") {
  std::set<std::string> used;
  for (const char* source : {"golden.cpp", "golden_calls.cpp"}) {
    std::ifstream file(golden_folder().parent_path() / source);
    for (std::string line; std::getline(file, line);) {
      for (auto from = line.find('"'); from != std::string::npos;) {
        const auto to = line.find('"', from + 1);
        if (to == std::string::npos) break;
        used.insert(line.substr(from + 1, to - from - 1));
        from = line.find('"', to + 1);
      }
    }
  }
  if (used.empty()) {
    WARN("skipped: the sources are not where this program was built");
    return;
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder())) {
    ++files;
    INFO(entry.path().stem().string());
    CHECK(used.contains(entry.path().stem().string()));
  }
  CHECK(files == 55);
}
