// What a player shares with whoever watches it: no padding, so that a C or C# program lays it out alike.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace examples {

#pragma pack(push, 1)
struct PlaybackState {
  double timestamp;
  double total_duration;
  std::int32_t paused_state;
  std::int32_t mute_state;
  std::int32_t heartbeat_signal;
  std::int32_t control_flags;
  std::int32_t data_length;
  std::array<unsigned char, 1024> input_buffer;
  std::array<unsigned char, 1024> output_buffer;
};
#pragma pack(pop)
static_assert(sizeof(PlaybackState) == 2084 && offsetof(PlaybackState, output_buffer) == 1060);

}  // namespace examples
