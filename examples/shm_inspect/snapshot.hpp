#pragma once
// What a segment holds at one moment, read without a lock, a seat or a store: nobody notices, whether or not its processes hang.
// Every number in it is another process's and is checked before it is used; what is read while others write may not fit together.

#include <strait/error.hpp>
#include <strait/layout/broadcast.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/control.hpp>
#include <strait/layout/event.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/node_word.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/seat.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/layout/topic.hpp>
#include <strait/liveness/presence.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/segment/expectation.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

namespace layout = strait::layout;
namespace platform = strait::platform;

struct Counts {
  std::uint64_t messages = 0, bytes = 0, waits = 0, repairs = 0, redeliveries = 0;
};

struct Handle {
  std::uint32_t seat = 0, pid = 0;
  std::uint64_t id = 0;
  bool alive = false, owner = false;
  std::uint32_t read_locks = 0;
  std::string program;  // of a process that this one can see
};

// Nodes by what is in them; of those that somebody holds, by whom.
struct Ring {
  std::string label;
  std::uint64_t nodes = 0, node_size = 0, waiting = 0, skipped = 0;
  std::vector<std::uint32_t> writing, reading;  // seats
  bool closed = false;
};

struct Lock {
  std::optional<std::uint32_t> writer;  // its seat
  bool abandoned = false;
};

struct Snapshot {
  enum class State : std::uint8_t { ready, creating, dead, unreadable };

  std::string name;
  State state = State::unreadable;
  std::string why;  // unreadable
  std::string kind;
  std::uint64_t size = 0, created_at = 0, epoch = 0;
  std::uint32_t seats = 0;
  std::vector<Handle> handles;
  Counts counts;
  bool closed = false;
  Lock lock;
  std::vector<Ring> rings;
  std::vector<std::string> remarks;  // what else its kind has to tell

  std::size_t alive() const { return static_cast<std::size_t>(std::ranges::count_if(handles, &Handle::alive)); }
};

namespace detail {

inline std::string program_of([[maybe_unused]] std::uint32_t pid) {
  std::string name;
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");  // where there is none, it stays empty
  std::getline(file, name);
  return name;
}

// relaxed, all that follow: numbers to show, of which nothing is concluded

inline void look_at_handles(const strait::liveness::Presence& presence, const layout::SeatLine* lines, std::uint64_t owner, Snapshot& out) {
  for (std::uint32_t seat = 0; seat < out.seats; ++seat) {
    const layout::SeatLine& line = lines[seat];
    out.counts.messages += line.messages.load(std::memory_order_relaxed);
    out.counts.bytes += line.bytes.load(std::memory_order_relaxed);
    out.counts.waits += line.waits.load(std::memory_order_relaxed);
    out.counts.repairs += line.repairs.load(std::memory_order_relaxed);
    out.counts.redeliveries += line.redeliveries.load(std::memory_order_relaxed);
    const layout::SeatWord word{line.word.load(std::memory_order_relaxed)};
    if (word.state() == layout::SeatState::free) continue;
    Handle handle;
    handle.seat = seat;
    handle.pid = line.pid.load(std::memory_order_relaxed);
    handle.id = line.id.load(std::memory_order_relaxed);
    handle.alive = !presence.is_dead(seat);
    handle.owner = handle.id == owner;
    handle.read_locks = line.readers.load(std::memory_order_relaxed);
    if (handle.alive) handle.program = program_of(handle.pid);
    out.handles.push_back(std::move(handle));
  }
}

inline Ring look_at_ring(std::string label, const std::byte* nodes, std::uint64_t count, std::uint64_t node_size, bool closed) {
  Ring ring;
  ring.label = std::move(label);
  ring.nodes = count;
  ring.node_size = node_size;
  ring.closed = closed;
  const auto stride = *layout::node_stride(node_size);
  for (std::uint64_t index = 0; index < count; ++index) {
    const layout::NodeWord word{reinterpret_cast<const layout::Node*>(nodes + index * stride)->word.load(std::memory_order_relaxed)};
    switch (word.phase()) {
      case layout::Phase::free: break;
      case layout::Phase::published: ++ring.waiting; break;
      case layout::Phase::skipped: ++ring.skipped; break;
      case layout::Phase::claimed: ring.writing.push_back(word.seat()); break;
      case layout::Phase::reading: ring.reading.push_back(word.seat()); break;
    }
  }
  return ring;
}

inline Lock look_at_lock(const std::atomic<std::uint32_t>& lock) {
  const auto word = lock.load(std::memory_order_relaxed);
  const auto holder = word & ~layout::lock_abandoned;
  Lock out;
  out.abandoned = (word & layout::lock_abandoned) != 0;
  if (holder != 0) out.writer = holder - 1;
  return out;
}

inline void look_at_channel(const std::byte* payload, const layout::Shape& shape, Snapshot& out) {
  const auto& channel = *reinterpret_cast<const layout::RpcControl*>(payload);
  constexpr const char* names[] = {"master", "slave"};
  for (int place = 0; place < 2; ++place) {
    const layout::PlaceWord word{channel.places[place].word.load(std::memory_order_relaxed)};
    std::string text = names[place];
    switch (word.state()) {
      case layout::PlaceState::empty: text += ": nobody yet"; break;
      case layout::PlaceState::occupied: text += ": seat " + std::to_string(word.seat()) + ", life " + std::to_string(word.epoch()); break;
      case layout::PlaceState::closed: text += ": closed, life " + std::to_string(word.epoch()) + " was the last"; break;
      case layout::PlaceState::lost: text += ": lost, life " + std::to_string(word.epoch()) + " was the last"; break;
    }
    if (word.is_occupied() && channel.places[place].full.load(std::memory_order_relaxed) == word.epoch()) text += ", takes no further requests now";
    out.remarks.push_back(text);
  }
  const auto bytes = *layout::node_stride(shape.element_size) * shape.element_count;
  const std::byte* const nodes = payload + sizeof(layout::RpcControl);
  out.rings.push_back(look_at_ring("master to slave", nodes, shape.element_count, shape.element_size, false));
  out.rings.push_back(look_at_ring("slave to master", nodes + bytes, shape.element_count, shape.element_size, false));
}

inline void look_at_cell(const std::byte* payload, Snapshot& out) {
  const layout::CellState state{reinterpret_cast<const layout::CellBlock*>(payload)->state.load(std::memory_order_relaxed)};
  out.remarks.push_back("version " + std::to_string(state.version()) + (state.is_writing() ? ", being changed" : "") +
                        (state.put_back() != 0 ? ", changes undone after a death: " + std::to_string(state.put_back()) : ""));
}

inline void look_at_event(const std::byte* payload, const layout::Shape& shape, Snapshot& out) {
  const auto& event = *reinterpret_cast<const layout::EventBlock*>(payload);
  std::string text = event.manual != 0 ? "manual" : "automatic";
  text += (event.state.load(std::memory_order_relaxed) & layout::event_is_set) != 0 ? ", set" : ", not set";
  if (event.manual == 0 && shape.element_count > layout::event_block_entries) {
    const auto* const entries = reinterpret_cast<const std::atomic<std::uint64_t>*>(&event + 1);
    std::size_t waiting = 0;
    for (std::uint64_t i = 0; i < shape.element_count - layout::event_block_entries; ++i) {
      waiting += layout::EventEntry{entries[i].load(std::memory_order_relaxed)}.state() == layout::EntryState::waiting;
    }
    text += ", waiting threads: " + std::to_string(waiting);
  }
  out.remarks.push_back(text);
}

// Who publishes and who subscribes: one entry for each seat, of which only those count that somebody sits in.
inline void look_at_topic(const std::byte* payload, const layout::Shape& shape, Snapshot& out) {
  const auto* const entries = reinterpret_cast<const layout::TopicEntry*>(payload + sizeof(layout::TopicBlock));
  std::uint32_t publishers = 0, lossless = 0, lossy = 0;
  for (const Handle& handle : out.handles) {
    if (handle.seat + 1 >= shape.element_count) continue;  // its header contradicts itself
    switch (static_cast<layout::Role>(entries[handle.seat].role.load(std::memory_order_relaxed))) {
      case layout::Role::publisher: ++publishers; break;
      case layout::Role::lossless: ++lossless; break;
      case layout::Role::lossy: ++lossy; break;
      case layout::Role::coming:
      case layout::Role::none: break;
    }
  }
  out.remarks.push_back("publishers " + std::to_string(publishers) + ", subscribers " + std::to_string(lossless) + " lossless, " + std::to_string(lossy) + " lossy");
}

// What a publisher has written, and how far behind each of its subscribers is.
inline void look_at_broadcast(const std::byte* payload, const layout::Shape& shape, Snapshot& out) {
  const auto& block = *reinterpret_cast<const layout::BroadcastBlock*>(payload);
  const auto* const lines = reinterpret_cast<const layout::SubscriberLine*>(payload + sizeof(layout::BroadcastBlock));
  const std::uint64_t claimed = block.claimed.load(std::memory_order_relaxed);
  out.remarks.push_back(std::to_string(block.messages.load(std::memory_order_relaxed)) + " messages published, " + std::to_string(shape.element_count) + " nodes of " +
                        std::to_string(shape.element_size) + " bytes");
  const std::uint32_t used = (std::min)(block.used.load(std::memory_order_relaxed), out.seats);
  for (std::uint32_t seat = 0; seat < used; ++seat) {
    const auto state = static_cast<layout::LineState>(lines[seat].state.load(std::memory_order_relaxed));
    if (state != layout::LineState::lossless && state != layout::LineState::lossy) continue;
    const std::uint64_t position = lines[seat].position.load(std::memory_order_relaxed);
    const std::uint64_t behind = position < claimed ? claimed - position : 0;
    out.remarks.push_back(std::string(state == layout::LineState::lossless ? "lossless" : "lossy") + " subscriber in pid " +
                          std::to_string(lines[seat].pid.load(std::memory_order_relaxed)) + " is " + std::to_string(behind) + (behind == 1 ? " node behind" : " nodes behind"));
  }
}

inline void look_inside(const platform::SharedObject& object, const std::string& name, const layout::SegmentHeader& header, Snapshot& out) {
  const layout::Shape shape{static_cast<layout::Kind>(header.kind), header.element_size, header.element_count, header.element_alignment, header.fingerprint};
  // What its own header says is what is expected: this checks that it makes sense, and fits the object.
  auto expected_shape = shape;
  expected_shape.element_alignment = 1;
  const auto plan = strait::segment::checked_plan(name, header, {expected_shape, false, false}, object.size());
  if (shape.kind == layout::Kind::event && (shape.element_size != layout::event_entry_size || shape.element_count < layout::event_block_entries)) {
    throw strait::Error(strait::Errc::broken, name, "its header leaves no room for an event");
  }
  // Elements and bytes are not looked at, so they need not be mapped. Of the rest every page is touched while that can be refused: a hole
  // in a full /dev/shm would otherwise end in a signal.
  const bool payload_matters = shape.kind != layout::Kind::array && shape.kind != layout::Kind::buffer && shape.kind != layout::Kind::mutex;
  const platform::Mapping mapping(object, name, payload_matters ? plan.segment_size : plan.payload_offset, platform::SharedObject::Access::read_only, false);
  auto* const lines = reinterpret_cast<layout::SeatLine*>(mapping.data() + layout::header_size);
  const auto& control = *reinterpret_cast<const layout::ControlBlock*>(mapping.data() + plan.control_offset);
  const std::byte* const payload = mapping.data() + plan.payload_offset;

  out.seats = header.seat_count;
  out.created_at = control.created_at;
  out.closed = control.closed.load(std::memory_order_relaxed) != 0;
  out.lock = look_at_lock(control.lock);
  look_at_handles(strait::liveness::Presence(static_cast<layout::PresenceMethod>(header.presence), object, lines), lines,
                  control.owner.load(std::memory_order_relaxed), out);
  switch (shape.kind) {
    case layout::Kind::ring:
      out.rings.push_back(look_at_ring("", payload, shape.element_count, shape.element_size, out.closed));
      if (control.one_writer != 0) out.remarks.push_back("one writer");
      if (control.one_reader != 0) out.remarks.push_back("one reader");
      break;
    case layout::Kind::rpc: look_at_channel(payload, shape, out); break;
    case layout::Kind::structure:
    case layout::Kind::latest: look_at_cell(payload, out); break;
    case layout::Kind::event: look_at_event(payload, shape, out); break;
    case layout::Kind::topic: look_at_topic(payload, shape, out); break;
    case layout::Kind::broadcast: look_at_broadcast(payload, shape, out); break;
    case layout::Kind::array:
    case layout::Kind::buffer:
      out.remarks.push_back(std::to_string(shape.element_count) + (shape.kind == layout::Kind::array ? " elements of " + std::to_string(shape.element_size) : "") + " bytes");
      break;
    case layout::Kind::mutex: break;
  }
}

}  // namespace detail

// Nothing: there is no such object, or its bytes are not Strait's.
inline std::optional<Snapshot> look(const std::string& name) {
  Snapshot out;
  out.name = name;
  try {
    auto object = platform::SharedObject::open_bytes(name, platform::SharedObject::Access::read_only);
    if (!object) return std::nullopt;
    layout::SegmentHeader header{};
    const auto got = object->read_start(static_cast<void*>(&header), sizeof header);
    if (got < sizeof header.magic || header.magic != layout::magic) return std::nullopt;
    out.size = object->size();
    out.epoch = header.epoch;
    out.kind = layout::name_of(static_cast<layout::Kind>(header.kind));
    const auto control_suffix = std::string_view(layout::control_suffix);
    if (static_cast<layout::Kind>(header.kind) == layout::Kind::structure && name.ends_with(control_suffix)) out.name.erase(name.size() - control_suffix.size());
    if (got < sizeof header) throw strait::Error(strait::Errc::broken, name, "it was cut short");
    if (!layout::can_tell_life(header.presence)) throw strait::Error(strait::Errc::wrong_version, name, "built otherwise: whether it lives cannot be told");
    platform::LifeLock life(*object, name, layout::life_lock_offset);
    const bool is_held = life.is_held_by_another();
    life.pass_on();
    const bool is_ready = header.state.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(layout::State::ready);  // relaxed: a copy
    out.state = !is_held ? Snapshot::State::dead : is_ready ? Snapshot::State::ready : Snapshot::State::creating;
    if (is_ready) detail::look_inside(*object, name, header, out);
  } catch (const strait::Error& error) {
    if (error.code() == strait::Errc::not_a_segment) return std::nullopt;
    out.state = Snapshot::State::unreadable;
    out.why = error.what();
  }
  return out;
}

}  // namespace inspect
