// strait-inspect: the Strait segments of this machine, their processes and what goes through them.

#include "../common/command_line.hpp"
#include "../common/system.hpp"
#include "json.hpp"
#include "snapshot.hpp"
#include "text.hpp"

#include <strait/platform/name_list.hpp>
#include <strait/segment/sweep.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace inspect;
using Clock = std::chrono::steady_clock;

constexpr auto usage = R"(usage: strait-inspect [--details] [--json] [--interval SECONDS] [--watch SECONDS] [--clean] [NAME...]
Lists the Strait segments of this machine that this user may read, or those named: kind, size, age, handles, what waits in rings,
who holds locks and nodes. It takes no lock and no seat, and stores nothing: the processes that use a segment do not notice, and
may hang.
  --details           every handle, and who holds which node
  --json              for programs: one object a segment
  --interval SECONDS  looks twice, so long apart, and tells rates
  --watch SECONDS     again and again, with rates, until it is interrupted
  --clean             removes the segments of this user that processes left behind that were all killed, and says which
Where the system does not list shared objects (Windows, macOS), name the segments.
)";

struct Options {
  bool details = false, json = false, clean = false;
  std::uint64_t interval = 0, watch = 0;
  std::vector<std::string> names;
};

// A struct's segment is beside its bytes, under a name of its own.
std::vector<std::string> names_to_look_at(const Options& options) {
  if (options.names.empty()) {
    auto names = platform::shared_object_names();
    std::ranges::sort(names);
    return names;
  }
  std::vector<std::string> names;
  for (const std::string& name : options.names) {
    names.push_back(name);
    names.push_back(name + layout::control_suffix);
  }
  return names;
}

struct Look {
  Clock::time_point at = Clock::now();
  std::vector<Snapshot> segments;
};

Look look_at_all(const Options& options) {
  Look look;
  for (const std::string& name : names_to_look_at(options)) {
    auto segment = inspect::look(name);
    if (!segment) continue;
    // What another user does not let us read is none of ours, unless it was asked for.
    if (segment->kind.empty() && options.names.empty()) continue;
    look.segments.push_back(std::move(*segment));
  }
  return look;
}

// Of the same life of the same segment; nothing where there was none before.
class RatesSince {
 public:
  RatesSince() = default;
  RatesSince(const Look& before, const Look& now) : seconds_(std::chrono::duration<double>(now.at - before.at).count()) {
    for (const Snapshot& segment : before.segments) before_[{segment.name, segment.epoch}] = segment.counts;
  }

  const Rates* of(const Snapshot& segment) {
    const auto found = before_.find({segment.name, segment.epoch});
    if (found == before_.end() || seconds_ <= 0) return nullptr;
    const auto since = [&](std::uint64_t now, std::uint64_t before) { return now < before ? 0.0 : static_cast<double>(now - before) / seconds_; };
    rates_ = {since(segment.counts.messages, found->second.messages), since(segment.counts.bytes, found->second.bytes)};
    return &rates_;
  }

 private:
  double seconds_ = 0;
  std::map<std::pair<std::string, std::uint64_t>, Counts> before_;
  Rates rates_;
};

std::string text_of(const Look& look, RatesSince rates, const Options& options) {
  std::ostringstream out;
  if (options.json) {
    Json json(out);
    json.begin('[');
    for (const Snapshot& segment : look.segments) write(json, segment, rates.of(segment));
    json.end(']');
    out << '\n';
  } else {
    for (const Snapshot& segment : look.segments) print(out, segment, rates.of(segment), options.details);
    if (look.segments.empty()) out << "no Strait segments\n";
  }
  return out.str();
}

int clean(const Options& options) {
  std::size_t removed = 0;
  for (const std::string& name : names_to_look_at(options)) {
    if (!strait::segment::remove_if_dead(name)) continue;
    ++removed;
    std::cout << "removed " << name << '\n';
  }
  std::cout << removed << (removed == 1 ? " dead segment" : " dead segments") << " removed\n";
  return 0;
}

int watch(const Options& options) {
  Look before = look_at_all(options);
  const bool terminal = examples::is_terminal(stdout) && !options.json;
  for (;;) {
    std::this_thread::sleep_for(std::chrono::seconds(options.watch));
    Look now = look_at_all(options);
    const std::string text = text_of(now, RatesSince(before, now), options);
    std::cout << (terminal ? "\033[H\033[J" : "") << text << std::flush;
    if (!std::cout) return 1;
    before = std::move(now);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  Options options;
  options.details = line.flag("--details");
  options.json = line.flag("--json");
  options.clean = line.flag("--clean");
  options.interval = line.number("--interval", 0, 1, 86'400);
  options.watch = line.number("--watch", 0, 1, 86'400);
  options.names = line.positional(0, 1000);
  if (options.clean) return clean(options);
  if (options.watch != 0) return watch(options);
  const Look before = look_at_all(options);
  if (options.interval == 0) {
    std::cout << text_of(before, {}, options);
  } else {
    std::this_thread::sleep_for(std::chrono::seconds(options.interval));
    const Look now = look_at_all(options);
    std::cout << text_of(now, RatesSince(before, now), options);
  }
  return before.segments.empty() && !options.names.empty() ? 1 : 0;
} catch (const examples::UsageError& error) {
  std::cerr << "strait-inspect: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "strait-inspect: " << error.what() << '\n';
  return 1;
}
