// A player's state in shared memory: one handle changes members, another is told which and by whom, and the bytes under the name are
// the struct's and nothing else.

#include "playback_state.hpp"

#include <strait/named_event.hpp>
#include <strait/shared_struct.hpp>

#include <iostream>

using examples::PlaybackState;

int main() try {
  strait::SharedStruct<PlaybackState> player("GlobalPlaybackState", PlaybackState{});
  strait::SharedStruct<PlaybackState> watcher("GlobalPlaybackState");
  strait::NamedEvent seen("GlobalPlaybackState.seen", strait::NamedEvent::Reset::automatic);

  const auto subscription = watcher.on_updated([&](const PlaybackState& now, const strait::Change& what) {
    std::cout << "change " << what.version << ":";
    if (what.has(&PlaybackState::timestamp)) std::cout << " at " << now.timestamp << " s";
    if (what.has(&PlaybackState::paused_state)) std::cout << (now.paused_state != 0 ? " paused" : " playing");
    if (what.has(&PlaybackState::output_buffer)) std::cout << " " << now.data_length << " bytes of output";
    std::cout << '\n';
    seen.set();
  });
  const auto wait_until_seen = [&] { return seen.wait(std::chrono::seconds(10)) == strait::Status::ok; };

  player.set(&PlaybackState::timestamp, 12.5);
  if (!wait_until_seen()) return 1;
  player.set(&PlaybackState::paused_state, 1);
  if (!wait_until_seen()) return 1;
  // Several members at once: nobody ever sees one without the others.
  player.update([](PlaybackState& state) {
    state.data_length = 4;
    state.output_buffer = {'d', 'o', 'n', 'e'};
  });
  if (!wait_until_seen()) return 1;
  std::cout << "version " << watcher.version() << ", " << sizeof(PlaybackState) << " bytes\n";
} catch (const strait::Error& error) {
  std::cerr << "playback_state: " << error.what() << '\n';
  return 1;
}
