#pragma once
// The object beside a segment: the bytes of a SharedStruct, which have no header, lie under the struct's name, and everything else
// in its control segment, `name.ctl`. The control segment's life is the life of both:
//
//     create   with the control segment in creation, under its exclusive lock:  make the object empty -> record its identity
//              in the control segment -> give it its size and its bytes;  then the control segment is published
//     remove   under the exclusive lock of the control segment:  say that it is no longer ready -> remove the object, if the name
//              still means the one recorded and it is ours -> remove the control segment
//
//   B1  a name that means an object of ours that is not empty: the control segment's name is there, and has it recorded.
//   B2  only the object that was recorded is removed; what foreign programs made never.
//
// Without that first step of the removal an opener that was refused the exclusive lock, and then given the shared one because the
// closer had died, would join a control segment without its bytes. (tests/model/pair_model.hpp found that.)
//
// So a death at any step leaves either an empty object, which the next creator fills, or a control segment that nobody holds,
// with which whoever finds it removes both.

#include <strait/core/death_point.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/shared_memory.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::segment {

// The name of what lies beside the segment behind this name; nothing where there can be nothing.
inline std::optional<std::string> name_beside(std::string_view object_name) {
  const std::string_view suffix = layout::control_suffix;
  if (object_name.size() <= suffix.size() || !object_name.ends_with(suffix)) return std::nullopt;
  return std::string(object_name.substr(0, object_name.size() - suffix.size()));
}

// Which object of that name is recorded in the control segment as its own; nothing where none is.
inline std::optional<platform::ObjectIdentity> recorded_beside(const platform::SharedObject& control) {
  layout::SegmentHeader header{};
  if (control.read_start(static_cast<void*>(&header), sizeof header) != sizeof header || header.magic != layout::magic)
    return std::nullopt;
  constexpr std::uint64_t most = layout::header_size + std::uint64_t{layout::max_seats + 16} * layout::cache_line;
  if (header.kind != static_cast<std::uint32_t>(layout::Kind::structure) || header.payload_offset > most) return std::nullopt;
  std::vector<std::byte> bytes(static_cast<std::size_t>(header.payload_offset) + sizeof(layout::CellBlock));
  if (control.read_start(bytes.data(), bytes.size()) != bytes.size()) return std::nullopt;
  const std::byte* const block = bytes.data() + header.payload_offset;
  platform::ObjectIdentity identity;
  std::uint32_t is_ours = 0;
  std::memcpy(&identity.device, block + offsetof(layout::CellBlock, device), sizeof identity.device);
  std::memcpy(&identity.inode, block + offsetof(layout::CellBlock, inode), sizeof identity.inode);
  std::memcpy(&is_ours, block + offsetof(layout::CellBlock, is_ours), sizeof is_ours);
  if (is_ours == 0) return std::nullopt;
  return identity;
}

// Does the name mean the object that is recorded as the control segment's own? Both were made by one user: what another's control
// segment says of this user's objects is not believed.
inline bool is_recorded(const platform::SharedObject& control, const std::string& name) {
  const auto recorded = recorded_beside(control);
  if (!recorded) return false;
  const auto object = platform::SharedObject::open(name, platform::SharedObject::Access::read_only);
  return object && object->identity() == *recorded && object->has_owner_of(control);
}

// Under the exclusive lock: nobody joins it any more.
inline void end_readiness(const platform::SharedObject& control) noexcept {
  layout::SegmentHeader header{};
  if (control.read_start(static_cast<void*>(&header), sizeof header) != sizeof header) return;
  // relaxed: a local copy
  header.state.store(static_cast<std::uint32_t>(layout::State::creating), std::memory_order_relaxed);
  static_cast<void>(control.write_start(&header, sizeof header));
}

// Under the exclusive life lock of the control segment, through a descriptor that may write, before its own name is removed.
inline void remove_beside(const platform::SharedObject& control, const std::string& object_name) noexcept {
  try {
    const auto name = name_beside(object_name);
    if (!name || !is_recorded(control, *name)) return;
    end_readiness(control);
    // DEATH here: not ready, and nobody holds it: the next creator or opener removes both objects.
    core::death_point("struct: not ready");
    platform::SharedObject::remove_name(*name);
    // DEATH here: the bytes are removed and the control segment is left: the next creator or opener removes it.
    core::death_point("struct: bytes removed");
  } catch (const std::exception&) {
    // It cannot be looked at (no descriptor left, rights changed): then it stays, as a foreign object does.
  }
}

// The user's own act, whoever holds the lock: the control segment of the struct of this name, and its bytes where they are ours. False:
// there is no such struct.
inline bool remove_struct_by_hand(const std::string& name) {
  const std::string control_name = name + layout::control_suffix;
  platform::LifeLock::Removal removal(control_name);
  const auto control = platform::SharedObject::open(control_name, platform::SharedObject::Access::read_only);
  if (!control) return false;
  layout::SegmentHeader header{};
  if (control->read_start(static_cast<void*>(&header), sizeof header) != sizeof header || header.magic != layout::magic ||
      header.kind != static_cast<std::uint32_t>(layout::Kind::structure)) {
    return false;
  }
  if (is_recorded(*control, name)) platform::SharedObject::remove_name(name);
  const bool removed = platform::SharedObject::remove_name(control_name);
  if (removed) removal.done();
  return removed;
}

}  // namespace strait::segment
