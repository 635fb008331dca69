#pragma once
// Snapshots for people.

#include "snapshot.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace inspect {

// What was counted between two snapshots of one life of a segment.
struct Rates {
  double messages = 0, bytes = 0;  // a second
};

inline std::string quantity(double value, const std::vector<const char*>& units, double step) {
  std::size_t unit = 0;
  while (value >= step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  std::ostringstream text;
  text << std::fixed << std::setprecision(unit == 0 || value >= 100 ? 0 : 1) << value << units[unit];
  return text.str();
}
inline std::string bytes_text(double bytes) { return quantity(bytes, {" B", " KiB", " MiB", " GiB", " TiB"}, 1024); }
inline std::string count_text(double count) { return quantity(count, {"", " k", " M", " G"}, 1000); }

inline std::string age_text(std::uint64_t created_at) {
  const auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  if (created_at == 0 || created_at > now) return "?";
  const auto seconds = (now - created_at) / 1'000'000'000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 86400) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " d";
}

inline const char* state_text(const Snapshot& segment) {
  switch (segment.state) {
    case Snapshot::State::ready: return segment.closed ? "closed" : "ready";
    case Snapshot::State::creating: return "being created";
    case Snapshot::State::dead: return "dead";
    case Snapshot::State::unreadable: return "unreadable";
  }
  return "";
}

inline std::string who(const Snapshot& segment, std::uint32_t seat) {
  const auto handle = std::ranges::find(segment.handles, seat, &Handle::seat);
  std::string text = "seat " + std::to_string(seat);
  if (handle == segment.handles.end()) return text + " (nobody)";
  text += " (pid " + std::to_string(handle->pid) + (handle->program.empty() ? "" : " " + handle->program);
  return text + (handle->alive ? ")" : ", dead)");
}

inline void print_holders(std::ostream& out, const Snapshot& segment, const char* what, const std::vector<std::uint32_t>& seats) {
  constexpr std::size_t most = 8;
  for (std::size_t i = 0; i < seats.size() && i < most; ++i) out << "      " << what << ": " << who(segment, seats[i]) << '\n';
  if (seats.size() > most) out << "      " << what << ": and " << seats.size() - most << " more\n";
}

inline void print(std::ostream& out, const Snapshot& segment, const Rates* rates, bool details) {
  out << segment.name << "  " << segment.kind << ", " << state_text(segment) << ", " << bytes_text(static_cast<double>(segment.size));
  if (segment.state == Snapshot::State::unreadable) {
    out << "\n      " << segment.why << '\n';
    return;
  }
  if (segment.seats == 0) {
    out << '\n';
    return;
  }
  out << ", age " << age_text(segment.created_at) << ", handles " << segment.alive();
  if (const auto dead = segment.handles.size() - segment.alive(); dead != 0) out << " and " << dead << " dead";
  out << " of " << segment.seats << '\n';
  if (segment.counts.messages != 0 || rates != nullptr) {
    out << "      messages " << segment.counts.messages << " (" << bytes_text(static_cast<double>(segment.counts.bytes)) << ")";
    if (rates != nullptr) out << ", " << count_text(rates->messages) << "/s, " << bytes_text(rates->bytes) << "/s";
    out << '\n';
  }
  for (const Ring& ring : segment.rings) {
    out << "      " << (ring.label.empty() ? "" : ring.label + ": ") << ring.waiting << " of " << ring.nodes << " nodes of " << bytes_text(static_cast<double>(ring.node_size)) << " wait to be read";
    if (!ring.writing.empty()) out << ", " << ring.writing.size() << " being written";
    if (!ring.reading.empty()) out << ", " << ring.reading.size() << " being read";
    out << '\n';
    if (details) {
      print_holders(out, segment, "being written", ring.writing);
      print_holders(out, segment, "being read", ring.reading);
    }
  }
  for (const std::string& remark : segment.remarks) out << "      " << remark << '\n';
  if (segment.lock.writer) out << "      locked by " << who(segment, *segment.lock.writer) << '\n';
  if (segment.lock.abandoned) out << "      its last writer died or ended holding the lock: data may be half-written\n";
  for (const Handle& handle : segment.handles) {
    if (handle.read_locks != 0) out << "      read lock: " << who(segment, handle.seat) << '\n';
    if (details) out << "      " << who(segment, handle.seat) << (handle.owner ? ", owner" : "") << '\n';
  }
  if (details) {
    out << "      sleeps " << segment.counts.waits << ", dead seats mended " << segment.counts.repairs << ", messages given back " << segment.counts.redeliveries << '\n';
  }
}

}  // namespace inspect
