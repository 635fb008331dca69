#pragma once
// Removing what processes that were all killed left behind. Only Strait's segments, only this user's, and only under the
// exclusive life lock on the object that the name refers to: nobody holds it then, and nobody can come to hold it meanwhile.

#include <strait/core/death_point.hpp>
#include <strait/core/name.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/topic.hpp>
#include <strait/platform/clock.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/name_list.hpp>
#include <strait/platform/process.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/segment/beside.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::segment {

inline bool is_a_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= core::max_name_length + layout::topic_suffix_size &&
         std::all_of(name.begin(), name.end(), core::is_name_character);
}

// What becomes of an object with nothing in it. `stays`: who comes next under the name fills it, and a foreign program may be about to.
// `goes`: the name is a publisher's ring's, and nobody ever comes again under that; one who is about to fill it makes another.
enum class Empty : std::uint8_t { stays, goes };

// True if a dead segment of this name was removed.
inline bool remove_if_dead(const std::string& name, Empty empty = Empty::stays) noexcept {
  try {
    if (!is_a_name(name)) return false;
    auto object = platform::SharedObject::open(name, platform::SharedObject::Access::read_write);
    if (!object || !object->is_owned_by_this_user()) return false;
    const auto is_ours = [&] {
      layout::SegmentHeader header{};
      const auto size = object->read_start(static_cast<void*>(&header), sizeof header);
      if (object->size() == 0) return empty == Empty::goes;
      constexpr auto enough = offsetof(layout::SegmentHeader, park);
      return size >= enough && header.magic == layout::magic && layout::can_tell_life(header.presence);
    };
    if (!is_ours()) return false;  // foreign files are not even locked
    platform::LifeLock life(*object, name, layout::life_lock_offset);
    if (!life.try_exclusive() || !is_ours() || !object->is_named(name)) return false;
    // DEATH here: a dead segment that nobody holds, as before.
    core::death_point("sweep: exclusive");
    remove_beside(*object, name);
    return platform::SharedObject::remove_name(name);
  } catch (const std::exception&) {
    return false;  // not ours to open, or no descriptor left: somebody else will do it
  }
}

// What lies in the system under names that a topic's publishers' rings have.
inline std::vector<std::string> names_of_rings(const std::string& topic) {
  std::vector<std::string> rings;
  for (std::string& name : platform::shared_object_names()) {
    if (name.size() == topic.size() + layout::topic_suffix_size && name.starts_with(topic + ".p")) rings.push_back(std::move(name));
  }
  return rings;
}

// The user's own act, without any lock.
inline void remove_rings_by_hand(const std::string& topic) {
  for (const std::string& name : names_of_rings(topic)) {
    const auto object = platform::SharedObject::open(name, platform::SharedObject::Access::read_only);
    layout::SegmentHeader header{};
    if (!object || object->read_start(static_cast<void*>(&header), sizeof header) != sizeof header || header.magic != layout::magic) continue;
    if (header.kind != static_cast<std::uint32_t>(layout::Kind::broadcast)) continue;
    platform::LifeLock::Removal removal(name);
    if (platform::SharedObject::remove_name(name)) removal.done();
  }
}

inline std::size_t remove_dead(const std::vector<std::string>& names, Empty empty = Empty::stays) noexcept {
  std::size_t removed = 0;
  for (const std::string& name : names) removed += remove_if_dead(name, empty);
  return removed;
}

// The share of every create and open: a few names, picked at random, at most ten times a second in a process. So a machine that
// keeps using Strait does not fill up, whatever else lies in the folder.
inline void remove_a_few_dead() noexcept {
  static std::atomic<std::int64_t> next{0};
  const auto now = platform::coarse_milliseconds();
  auto due = next.load(std::memory_order_relaxed);  // relaxed: a clock
  if (now < due || !next.compare_exchange_strong(due, now + 100, std::memory_order_relaxed)) return;  // relaxed: as above
  try {
    constexpr std::size_t share = 8;
    remove_dead(platform::some_shared_object_names(share, platform::random_id()));
  } catch (const std::exception&) {
    // Out of memory: the next one does it.
  }
}

}  // namespace strait::segment
