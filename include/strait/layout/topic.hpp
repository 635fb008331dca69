#pragma once
// The payload of a topic's registry: who publishes and who subscribes. One entry for each seat, of the one who sits there.
//
//     0          64                                 64 + 64 x seats
//     | changes  | entry 0 | entry 1 | ...          |
//
// entry:  | id u64 | role u32 | pid u32 |      role 0: nobody
//
// A publisher is first `coming`: from then on whoever mends its seat knows by the id which ring to remove. `changes` is counted on
// after every change of a role, so that who looks on sees that there was one.
//
// The ring of a publisher is a segment of its own: the topic's name, and a suffix that is made of the publisher's id.

#include <strait/layout/node_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace strait::layout {

enum class Role : std::uint32_t { none = 0, coming = 1, publisher = 2, lossless = 3, lossy = 4 };

struct TopicEntry {
  alignas(64) std::atomic<std::uint64_t> id;
  std::atomic<std::uint32_t> role;
  std::atomic<std::uint32_t> pid;
};

struct TopicBlock {
  alignas(64) std::atomic<std::uint64_t> changes;
};

inline constexpr std::uint64_t topic_entry_size = 64;
inline constexpr std::size_t topic_suffix_size = 18;

// What stands behind the topic's name in that of a publisher's ring.
inline std::string topic_suffix(std::uint64_t publisher) {
  std::string suffix = ".p";
  for (int shift = 60; shift >= 0; shift -= 4) suffix += "0123456789abcdef"[publisher >> shift & 15];
  return suffix;
}

static_assert(sizeof(TopicEntry) == topic_entry_size && sizeof(TopicBlock) == topic_entry_size);
static_assert(std::is_standard_layout_v<TopicEntry> && std::is_standard_layout_v<TopicBlock>);
static_assert(offsetof(TopicEntry, role) == 8 && offsetof(TopicEntry, pid) == 12);

}  // namespace strait::layout
