#pragma once
// Snapshots for programs: one JSON object a segment.

#include "snapshot.hpp"
#include "text.hpp"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

// Writes members and elements with the commas between them.
class Json {
 public:
  explicit Json(std::ostream& out) : out_(out) {}

  void begin(char bracket) {
    comma();
    out_ << bracket;
    first_ = true;
  }
  void end(char bracket) {
    out_ << bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    comma();
    quote(name);
    out_ << ':';
    first_ = true;
  }

  void value(std::string_view text) {
    comma();
    quote(text);
  }
  void value(const char* text) { value(std::string_view(text)); }
  void value(bool is) {
    comma();
    out_ << (is ? "true" : "false");
  }
  void value(std::uint64_t number) {
    comma();
    out_ << number;
  }
  void value(double number) {
    comma();
    out_ << number;
  }

  template <class T>
  void member(std::string_view name, const T& is) {
    key(name);
    value(is);
  }

 private:
  void comma() {
    if (!first_) out_ << ',';
    first_ = false;
  }
  void quote(std::string_view text) {
    out_ << '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out_ << '\\' << c;
      } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out_ << escape;
      } else {
        out_ << c;
      }
    }
    out_ << '"';
  }

  std::ostream& out_;
  bool first_ = true;
};

inline void write_seats(Json& json, std::string_view name, const std::vector<std::uint32_t>& seats) {
  json.key(name);
  json.begin('[');
  for (const std::uint32_t seat : seats) json.value(std::uint64_t{seat});
  json.end(']');
}

inline void write(Json& json, const Snapshot& segment, const Rates* rates) {
  json.begin('{');
  json.member("name", segment.name);
  json.member("kind", segment.kind);
  json.member("state", state_text(segment));
  json.member("size", segment.size);
  if (segment.state == Snapshot::State::unreadable) json.member("why", segment.why);
  if (segment.seats != 0) {
    json.member("created_at_ns", segment.created_at);
    json.member("closed", segment.closed);
    json.member("seats", std::uint64_t{segment.seats});
    json.key("handles");
    json.begin('[');
    for (const Handle& handle : segment.handles) {
      json.begin('{');
      json.member("seat", std::uint64_t{handle.seat});
      json.member("pid", std::uint64_t{handle.pid});
      json.member("program", handle.program);
      json.member("alive", handle.alive);
      json.member("owner", handle.owner);
      json.member("read_locks", std::uint64_t{handle.read_locks});
      json.end('}');
    }
    json.end(']');
    if (segment.lock.writer) json.member("locked_by_seat", std::uint64_t{*segment.lock.writer});
    json.member("abandoned", segment.lock.abandoned);
    json.member("messages", segment.counts.messages);
    json.member("bytes", segment.counts.bytes);
    json.member("waits", segment.counts.waits);
    json.member("repairs", segment.counts.repairs);
    json.member("redeliveries", segment.counts.redeliveries);
    if (rates != nullptr) {
      json.member("messages_per_second", rates->messages);
      json.member("bytes_per_second", rates->bytes);
    }
    json.key("rings");
    json.begin('[');
    for (const Ring& ring : segment.rings) {
      json.begin('{');
      json.member("label", ring.label);
      json.member("nodes", ring.nodes);
      json.member("node_size", ring.node_size);
      json.member("waiting", ring.waiting);
      json.member("skipped", ring.skipped);
      write_seats(json, "writing_seats", ring.writing);
      write_seats(json, "reading_seats", ring.reading);
      json.end('}');
    }
    json.end(']');
    json.key("remarks");
    json.begin('[');
    for (const std::string& remark : segment.remarks) json.value(remark);
    json.end(']');
  }
  json.end('}');
}

}  // namespace inspect
