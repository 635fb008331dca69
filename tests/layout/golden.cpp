// The bytes, pinned: field, offset, size of every struct that lies in shared memory. A change here is a new format version.

#include "support/catch.hpp"

#include <strait/layout/broadcast.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/control.hpp>
#include <strait/layout/event.hpp>
#include <strait/layout/mutex.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/rpc_control.hpp>
#include <strait/layout/rpc_packet.hpp>
#include <strait/layout/seat.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/topic.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/posix/poll_park.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

using namespace strait::layout;

namespace {

struct Field {
  std::string_view name;
  std::size_t offset;
  std::size_t size;
  std::size_t golden_offset;
  std::size_t golden_size;
};

void check_fields(std::string_view type, const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    INFO(type << "::" << field.name);
    CHECK(field.offset == field.golden_offset);
    CHECK(field.size == field.golden_size);
  }
}

}  // namespace

#define STRAIT_FIELD(type, field, golden_offset, golden_size) Field{#field, offsetof(type, field), sizeof(type::field), golden_offset, golden_size}

TEST_CASE("the segment header has the golden layout") {
  CHECK(sizeof(SegmentHeader) == 128);
  CHECK(alignof(SegmentHeader) == 8);
  check_fields("SegmentHeader",
               {STRAIT_FIELD(SegmentHeader, magic, 0, 8), STRAIT_FIELD(SegmentHeader, version, 8, 4), STRAIT_FIELD(SegmentHeader, kind, 12, 4),
                STRAIT_FIELD(SegmentHeader, state, 16, 4), STRAIT_FIELD(SegmentHeader, presence, 20, 2), STRAIT_FIELD(SegmentHeader, park, 22, 2),
                STRAIT_FIELD(SegmentHeader, segment_size, 24, 8), STRAIT_FIELD(SegmentHeader, payload_offset, 32, 8),
                STRAIT_FIELD(SegmentHeader, payload_size, 40, 8), STRAIT_FIELD(SegmentHeader, element_size, 48, 8),
                STRAIT_FIELD(SegmentHeader, element_count, 56, 8), STRAIT_FIELD(SegmentHeader, fingerprint, 64, 8),
                STRAIT_FIELD(SegmentHeader, epoch, 72, 8), STRAIT_FIELD(SegmentHeader, seat_count, 80, 4),
                STRAIT_FIELD(SegmentHeader, element_alignment, 84, 4), STRAIT_FIELD(SegmentHeader, fences, 88, 4), STRAIT_FIELD(SegmentHeader, reserved, 92, 36)});
}

TEST_CASE("a seat has the golden layout") {
  CHECK(sizeof(SeatLine) == 64);
  CHECK(alignof(SeatLine) == 8);
  check_fields("SeatLine", {STRAIT_FIELD(SeatLine, word, 0, 8), STRAIT_FIELD(SeatLine, id, 8, 8), STRAIT_FIELD(SeatLine, presence, 16, 8),
                            STRAIT_FIELD(SeatLine, pid, 24, 4), STRAIT_FIELD(SeatLine, readers, 28, 4), STRAIT_FIELD(SeatLine, messages, 32, 8),
                            STRAIT_FIELD(SeatLine, bytes, 40, 8), STRAIT_FIELD(SeatLine, waits, 48, 8), STRAIT_FIELD(SeatLine, repairs, 56, 4),
                            STRAIT_FIELD(SeatLine, redeliveries, 60, 4)});
}

TEST_CASE("the control block has the golden layout, each hot word on a cache line of its own") {
  CHECK(sizeof(ControlBlock) == 512);
  CHECK(alignof(ControlBlock) == 64);
  CHECK(sizeof(SignalLine) == 64);
  check_fields("ControlBlock",
               {STRAIT_FIELD(ControlBlock, closed, 0, 4), STRAIT_FIELD(ControlBlock, one_writer, 4, 4), STRAIT_FIELD(ControlBlock, one_reader, 8, 4),
                STRAIT_FIELD(ControlBlock, reserved, 12, 4), STRAIT_FIELD(ControlBlock, created_at, 16, 8), STRAIT_FIELD(ControlBlock, owner, 24, 8),
                STRAIT_FIELD(ControlBlock, signals, 64, 256), STRAIT_FIELD(ControlBlock, given_back, 320, 8), STRAIT_FIELD(ControlBlock, last_look, 328, 8),
                STRAIT_FIELD(ControlBlock, lock, 384, 4),
                STRAIT_FIELD(ControlBlock, writer_side, 448, 4), STRAIT_FIELD(ControlBlock, reader_side, 452, 4)});
  CHECK(static_cast<int>(SignalName::readers) == 0);
  CHECK(static_cast<int>(SignalName::writers) == 1);
  CHECK(static_cast<int>(SignalName::lock_freed) == 2);
  CHECK(static_cast<int>(SignalName::reader_left) == 3);
  CHECK(lock_abandoned == 0x80000000u);
}

TEST_CASE("a node has the golden layout: word, length and payload on one line") {
  CHECK(sizeof(Node) == 16);
  CHECK(alignof(Node) == 8);
  check_fields("Node", {STRAIT_FIELD(Node, word, 0, 8), STRAIT_FIELD(Node, length, 8, 4), STRAIT_FIELD(Node, reserved, 12, 4)});
}

TEST_CASE("the control of an RPC channel and its packets have the golden layout") {
  CHECK(sizeof(RpcControl) == 1152);
  CHECK(alignof(RpcControl) == 64);
  check_fields("RpcControl", {STRAIT_FIELD(RpcControl, places, 0, 128), STRAIT_FIELD(RpcControl, rings, 128, 1024)});
  check_fields("PlaceLine", {STRAIT_FIELD(PlaceLine, word, 0, 8), STRAIT_FIELD(PlaceLine, full, 8, 4)});
  CHECK(PlaceWord::of(1, PlaceState::occupied, PlaceState::lost, 2).bits == 0x1'0001'a002);
  CHECK(sizeof(PacketHeader) == 32);
  check_fields("PacketHeader",
               {STRAIT_FIELD(PacketHeader, type, 0, 1), STRAIT_FIELD(PacketHeader, outcome, 1, 1), STRAIT_FIELD(PacketHeader, flags, 2, 1),
                STRAIT_FIELD(PacketHeader, reserved, 3, 1), STRAIT_FIELD(PacketHeader, from, 4, 4), STRAIT_FIELD(PacketHeader, to, 8, 4),
                STRAIT_FIELD(PacketHeader, total, 12, 4), STRAIT_FIELD(PacketHeader, id, 16, 8), STRAIT_FIELD(PacketHeader, offset, 24, 4),
                STRAIT_FIELD(PacketHeader, reserved2, 28, 4)});
  CHECK(static_cast<int>(PacketType::request) == 1);
  CHECK(static_cast<int>(PacketType::reply) == 2);
  CHECK(static_cast<int>(PacketType::cancel) == 3);
  CHECK(packet_forgotten == 1);
}

TEST_CASE("a mutex and an event have the golden layout") {
  CHECK(sizeof(MutexBlock) == 64);
  check_fields("MutexBlock", {STRAIT_FIELD(MutexBlock, first, 0, 8)});
  CHECK(FirstInLine::of(2, 5).bits == 0x5'0000'0003);
  CHECK(sizeof(EventBlock) == 64);
  check_fields("EventBlock", {STRAIT_FIELD(EventBlock, state, 0, 8), STRAIT_FIELD(EventBlock, orders, 8, 8),
                              STRAIT_FIELD(EventBlock, entry_used, 16, 4), STRAIT_FIELD(EventBlock, manual, 20, 4)});
  CHECK(event_is_set == 1);
  CHECK(event_entry_size == 8);
  CHECK(event_entries_per_seat == 8);
  CHECK(EventEntry::of(EntryState::waiting, 1, 2).bits == (1u << 15 | 2u << 2 | 1u));
  CHECK(EventEntry::of(EntryState::waiting, 1, 2).released().bits == (1u << 15 | 2u << 2 | 2u));
}

TEST_CASE("a topic and a publisher's ring have the golden layout") {
  CHECK(sizeof(TopicBlock) == 64);
  CHECK(sizeof(TopicEntry) == 64);
  check_fields("TopicBlock", {STRAIT_FIELD(TopicBlock, changes, 0, 8)});
  check_fields("TopicEntry", {STRAIT_FIELD(TopicEntry, id, 0, 8), STRAIT_FIELD(TopicEntry, role, 8, 4), STRAIT_FIELD(TopicEntry, pid, 12, 4)});
  CHECK(static_cast<int>(Role::coming) == 1);
  CHECK(static_cast<int>(Role::publisher) == 2);
  CHECK(static_cast<int>(Role::lossless) == 3);
  CHECK(static_cast<int>(Role::lossy) == 4);
  CHECK(topic_suffix(0x12ab) == ".p00000000000012ab");
  CHECK(topic_suffix(1).size() == topic_suffix_size);
  CHECK(sizeof(BroadcastBlock) == 128);
  check_fields("BroadcastBlock", {STRAIT_FIELD(BroadcastBlock, claimed, 0, 8), STRAIT_FIELD(BroadcastBlock, messages, 8, 8),
                                  STRAIT_FIELD(BroadcastBlock, limit, 64, 8), STRAIT_FIELD(BroadcastBlock, publisher, 72, 8),
                                  STRAIT_FIELD(BroadcastBlock, history, 80, 8), STRAIT_FIELD(BroadcastBlock, used, 88, 4)});
  CHECK(sizeof(SubscriberLine) == 64);
  check_fields("SubscriberLine", {STRAIT_FIELD(SubscriberLine, position, 0, 8), STRAIT_FIELD(SubscriberLine, id, 8, 8),
                                  STRAIT_FIELD(SubscriberLine, state, 16, 4), STRAIT_FIELD(SubscriberLine, pid, 20, 4)});
  CHECK(sizeof(BroadcastNode) == 32);
  check_fields("BroadcastNode", {STRAIT_FIELD(BroadcastNode, word, 0, 8), STRAIT_FIELD(BroadcastNode, message, 8, 8),
                                 STRAIT_FIELD(BroadcastNode, total, 16, 8), STRAIT_FIELD(BroadcastNode, size, 24, 4),
                                 STRAIT_FIELD(BroadcastNode, flags, 28, 4)});
  CHECK(BroadcastWord::of(5, BroadcastPhase::published).bits == 21);
  CHECK(BroadcastWord::of(5, BroadcastPhase::skipped).bits == 22);
  CHECK(BroadcastWord::of(5, BroadcastPhase::kept).bits == 23);
  CHECK(static_cast<int>(LineState::lossless) == 1);
  CHECK(static_cast<int>(LineState::lossy) == 2);
  CHECK(first_part == 1);
  CHECK(last_part == 2);
  CHECK(broadcast_stride(64) == 128);
  CHECK(broadcast_nodes_offset(64) == 128 + 64 * 64);
  CHECK(broadcast_payload_size(64, 10, 64) == 128 + 64 * 64 + 1280);
}

TEST_CASE("a cell has the golden layout") {
  CHECK(sizeof(ChangeLine) == 64);
  check_fields("ChangeLine", {STRAIT_FIELD(ChangeLine, version, 0, 8), STRAIT_FIELD(ChangeLine, first, 8, 8),
                              STRAIT_FIELD(ChangeLine, last, 16, 8), STRAIT_FIELD(ChangeLine, id, 24, 8),
                              STRAIT_FIELD(ChangeLine, seat, 32, 4), STRAIT_FIELD(ChangeLine, pid, 36, 4)});
  CHECK(sizeof(CellBlock) == 1216);
  CHECK(alignof(CellBlock) == 64);
  check_fields("CellBlock", {STRAIT_FIELD(CellBlock, state, 0, 8), STRAIT_FIELD(CellBlock, first, 64, 8),
                             STRAIT_FIELD(CellBlock, device, 128, 8), STRAIT_FIELD(CellBlock, inode, 136, 8),
                             STRAIT_FIELD(CellBlock, is_ours, 144, 4), STRAIT_FIELD(CellBlock, reserved, 148, 4),
                             STRAIT_FIELD(CellBlock, changes, 192, 1024)});
  CHECK(CellState::of(1, 1, true).bits == (1u << 14 | 1u << 1 | 1u));
  CHECK(change_lines == 16);
  CHECK(length_size == 8);
  CHECK(cell_payload_size(100, 2) == 1216 + 256);
  CHECK(cell_payload_size(100 + length_size, 3) == 1216 + 384);
  CHECK(std::string_view(control_suffix) == ".ctl");
}

TEST_CASE("the numbers in the header mean what they meant") {
  char text[9] = {};
  std::memcpy(text, &magic, 8);
  CHECK(std::string_view(text, 8) == "STRAIT0\n");
  CHECK(format_version == 1);
  CHECK(header_size == 128);
  CHECK(static_cast<int>(Kind::array) == 1);
  CHECK(static_cast<int>(Kind::buffer) == 2);
  CHECK(static_cast<int>(Kind::ring) == 3);
  CHECK(static_cast<int>(Kind::rpc) == 4);
  CHECK(static_cast<int>(Kind::structure) == 5);
  CHECK(static_cast<int>(Kind::latest) == 6);
  CHECK(static_cast<int>(Kind::event) == 7);
  CHECK(static_cast<int>(Kind::mutex) == 8);
  CHECK(static_cast<int>(Kind::topic) == 9);
  CHECK(static_cast<int>(Kind::broadcast) == 10);
  CHECK(std::string_view(name_of(Kind::ring)) == "ring");
  CHECK(std::string_view(name_of(static_cast<Kind>(77))) == "unknown kind");
  CHECK(static_cast<int>(State::none) == 0);
  CHECK(static_cast<int>(State::creating) == 1);
  CHECK(static_cast<int>(State::ready) == 2);
  CHECK(static_cast<int>(PresenceMethod::kernel_lock) == 1);
  CHECK(static_cast<int>(PresenceMethod::process) == 2);
  CHECK(strait::platform::PollPark::method() == 2);
  CHECK(strait::platform::Park::method() == (STRAIT_WINDOWS ? 3 : STRAIT_FALLBACK ? 2 : 1));
  CHECK(life_lock_offset == 0x7ffffff000000000);
  CHECK(first_seat_lock_offset == 0x7fffffe000000000);
}

TEST_CASE("all-zero bytes are a segment that is not yet created") {
  CHECK(static_cast<std::uint32_t>(State::none) == 0);
  CHECK(NodeWord{0} == NodeWord::of(0, Phase::free, 0));
  CHECK(SeatWord{0} == SeatWord::of(SeatState::free, 0));
}
