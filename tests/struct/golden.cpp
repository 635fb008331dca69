// The two structs of the original's example, written field by field: the same bytes as the original's, without padding.

#include "../support/catch.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"

#include <strait/shared_struct.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using namespace strait::test;

namespace {

#pragma pack(push, 1)
struct ProcessControllerData {
  double timestamp;
  double total_duration;
  std::int32_t paused_state;
  std::int32_t mute_state;
  std::int32_t heartbeat_signal;
  std::int32_t control_flags;
  std::int32_t data_length;
  std::array<unsigned char, 1024> message_buffer;
};
struct PlaybackStateData {
  double timestamp;
  double total_duration;
  std::int32_t paused_state;
  std::int32_t mute_state;
  std::int32_t heartbeat_signal;
  std::uint32_t control_flags;
  std::int32_t data_length;
  std::array<unsigned char, 1024> input_buffer;
  std::array<unsigned char, 1024> output_buffer;
};
#pragma pack(pop)
static_assert(sizeof(ProcessControllerData) == 1060 && sizeof(PlaybackStateData) == 2084);
static_assert(offsetof(PlaybackStateData, input_buffer) == 36 && offsetof(PlaybackStateData, output_buffer) == 1060);

std::vector<unsigned char> golden(std::string_view file) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "golden" / file;
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("a process controller's data has the golden bytes in shared memory") {
  const auto expected = golden("g_controllerdata_pack1.bin");
  REQUIRE(expected.size() == 1060);
  NameGuard name("golden");
  strait::SharedStruct<ProcessControllerData> shared(name, ProcessControllerData{});
  shared.set(&ProcessControllerData::timestamp, 1.25);
  shared.set(&ProcessControllerData::total_duration, -3.5);
  shared.set(&ProcessControllerData::paused_state, 1);
  shared.set(&ProcessControllerData::mute_state, 2);
  shared.set(&ProcessControllerData::heartbeat_signal, 0x01020304);
  shared.set(&ProcessControllerData::control_flags, -2);
  shared.set(&ProcessControllerData::data_length, 12);
  shared.update([](ProcessControllerData& data) {
    constexpr std::string_view text = "hello world!";
    std::copy(text.begin(), text.end(), data.message_buffer.begin());
  });
  CHECK(shared.version() == 8);
  CHECK(shm_holds(name, expected));
}

TEST_CASE("a playback state has the golden bytes in shared memory") {
  const auto expected = golden("g_playbackstate_pack1.bin");
  REQUIRE(expected.size() == 2084);
  NameGuard name("golden");
  strait::SharedStruct<PlaybackStateData> shared(name, PlaybackStateData{});
  shared.set(&PlaybackStateData::timestamp, 0.5);
  shared.set(&PlaybackStateData::total_duration, 1e9);
  shared.set(&PlaybackStateData::paused_state, 0);
  shared.set(&PlaybackStateData::mute_state, 1);
  shared.set(&PlaybackStateData::heartbeat_signal, 7);
  shared.set(&PlaybackStateData::control_flags, 0x80000001u);
  shared.set(&PlaybackStateData::data_length, 1024);
  shared.update([](PlaybackStateData& data) {
    for (std::size_t i = 0; i < data.input_buffer.size(); ++i) data.input_buffer[i] = static_cast<unsigned char>(i % 251);
    std::reverse_copy(data.input_buffer.begin(), data.input_buffer.end(), data.output_buffer.begin());
  });
  CHECK(shm_holds(name, expected));
}

TEST_CASE("golden bytes that a foreign program laid down are read field by field") {
  NameGuard name("golden");
  shm_write(name, golden("g_controllerdata_pack1.bin"));
  {
    const strait::SharedStruct<ProcessControllerData> shared(name);
    CHECK(shared.get(&ProcessControllerData::timestamp) == 1.25);
    CHECK(shared.get(&ProcessControllerData::total_duration) == -3.5);
    CHECK(shared.get(&ProcessControllerData::heartbeat_signal) == 0x01020304);
    CHECK(shared.get(&ProcessControllerData::data_length) == 12);
    const auto data = shared.load();
    CHECK(std::string(reinterpret_cast<const char*>(data.message_buffer.data())) == "hello world!");
  }
  CHECK(shm_exists(name));
  shm_forget(name);
}
