// Runs workloads between two (or four) processes and prints one JSON object per line.

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../limits/ping_pong.hpp"
#include "../support/json.hpp"
#include "../support/statistics.hpp"
#include "registry.hpp"

namespace {

using namespace strait::bench;

constexpr const char* usage = R"(strait-bench-two-process [options]
  --list               print what can be run, one "workload<TAB>kind<TAB>subject" per line
  --about              print how this program was compiled, as JSON
  --workload NAME      only this workload; may be repeated
  --subject TEXT       only subjects of exactly this name; may be repeated
  --kind KIND          only limit, peer or strait
  --repeats N          timed phases after the warm-up (5)
  --phase-ms N         how long a timed phase lasts (400)
  --count N            operations per phase instead, without looking at the time
  --nodes N            nodes of the ring instead of the workload's own
  --idle-handles N     handles that are open besides and do nothing (Strait only)
  --cpus A,B           the two processors (the first two this process may use)
  --probe              measure the distance of the processors before and after each run ("line_ns")
  --realtime           above all ordinary processes (needs privilege): for a machine that is not idle. Keep phases short
  --deadline-s N       give up on a run after this time (60)
  --quick              one short phase: only to see that it runs and that the data is right
)";

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) throw std::invalid_argument("not a number: " + std::string(text));
  return value;
}

Registry everything() {
  Registry registry;
  add_limits(registry);
  add_system_peers(registry);
  add_boost_peers(registry);
#ifdef STRAIT_BENCH_HAS_ZEROMQ
  add_zeromq(registry);
#endif
#ifdef STRAIT_BENCH_HAS_ICEORYX
  add_iceoryx(registry);
#endif
  for (const auto adder : StraitCase::all()) adder(registry);
  return registry;
}

std::string about() {
  JsonObject object;
#if defined(__clang__)
  object.text("compiler", "clang " __clang_version__);
#else
  object.text("compiler", "gcc " __VERSION__);
#endif
#if defined(__OPTIMIZE__)
  object.boolean("optimised", true);
#else
  object.boolean("optimised", false);
#endif
#if defined(NDEBUG)
  object.boolean("assertions", false);
#else
  object.boolean("assertions", true);
#endif
  object.text("flags", STRAIT_BENCH_FLAGS);
  return object.str();
}

double in_unit(Unit unit, const PhaseResult& result, std::uint64_t operations, const Shape& shape) {
  const double ns = static_cast<double>(result.elapsed_ns);
  const double count = static_cast<double>(operations);
  switch (unit) {
    case Unit::million_per_second: return count * 1e3 / ns;
    case Unit::gigabytes_per_second: return count * static_cast<double>(shape.node_bytes) / ns;
    case Unit::nanoseconds: break;
  }
  return static_cast<double>(result.p50);
}

const char* name_of(Unit unit) {
  return unit == Unit::million_per_second ? "M/s" : unit == Unit::gigabytes_per_second ? "GB/s" : "ns";
}

/// How far apart the two processors are at this moment: the round trip of a cache line, in ns. A virtual machine's processors move
/// about the host, and figures taken at different distances must not be compared.
double distance(const Settings& settings) {
  Plan plan;
  plan.repeats = 1;
  plan.fixed_count = 20'000;
  return run_bare_round_trips<PingPong<false>>({}, plan, settings.cpus, settings.deadline).front().p50;
}

/// Runs one entry and prints its line; false if it failed (not being available is no failure).
bool run(const Entry& entry, const Settings& settings) {
  Shape shape = entry.shape;
  if (settings.nodes != 0) shape.nodes = settings.nodes;
  shape.idle_handles = settings.idle_handles;
  JsonObject line;
  line.text("workload", entry.workload).text("subject", entry.subject).text("kind", to_string(entry.kind)).text("unit", name_of(entry.unit));
  line.integer("nodes", shape.nodes).integer("node_bytes", shape.node_bytes).integer("writers", shape.writers).integer("readers", shape.readers);
  line.integer("idle_handles", shape.idle_handles);
  bool good = true;
  // The crew watches its children; this watches what happens here, as opening and closing. Ends by the signal.
  ::alarm(static_cast<unsigned>(settings.deadline.count()) + 30);
  try {
    std::vector<double> line_ns;
    if (settings.probe) line_ns.push_back(distance(settings));
    const auto results = entry.run(shape, settings);
    if (settings.probe) line_ns.push_back(distance(settings));
    std::vector<double> samples, p99, p999, least;
    for (const PhaseResult& result : results) {
      samples.push_back(in_unit(entry.unit, result, result.operations * shape.writers, shape));
      p99.push_back(result.p99);
      p999.push_back(result.p999);
      least.push_back(result.least);
    }
    line.number("median", median(samples));
    line.number("min", *std::min_element(samples.begin(), samples.end())).number("max", *std::max_element(samples.begin(), samples.end()));
    line.numbers("samples", samples);
    if (entry.unit == Unit::nanoseconds) line.numbers("p99", p99).numbers("p99_9", p999).numbers("least", least);
    if (settings.probe) line.numbers("line_ns", line_ns);
    line.boolean("verified", true);
  } catch (const Unavailable& reason) {
    line.text("unavailable", reason.what());
  } catch (const std::exception& error) {
    line.text("failed", error.what());
    good = false;
  }
  ::alarm(0);
  std::puts(line.str().c_str());
  std::fflush(stdout);
  return good;
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  std::vector<std::string> workloads, subjects, kinds;
  bool list = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const auto value = [&]() -> std::string_view {
      if (++i == argc) throw std::invalid_argument("a value is missing after " + std::string(option));
      return argv[i];
    };
    if (option == "--list") list = true;
    else if (option == "--probe") settings.probe = true;
    else if (option == "--realtime") {
      const sched_param priority{.sched_priority = 1};
      if (::sched_setscheduler(0, SCHED_RR, &priority) != 0) throw std::runtime_error("--realtime is not permitted");
    } else if (option == "--about") return std::puts(about().c_str()) < 0;
    else if (option == "--workload") workloads.emplace_back(value());
    else if (option == "--subject") subjects.emplace_back(value());
    else if (option == "--kind") kinds.emplace_back(value());
    else if (option == "--repeats") settings.plan.repeats = std::clamp<unsigned>(static_cast<unsigned>(number(value())), 1, max_repeats);
    else if (option == "--phase-ms") settings.plan.phase_ns = number(value()) * 1'000'000;
    else if (option == "--count") settings.plan.fixed_count = number(value());
    else if (option == "--nodes") settings.nodes = number(value());
    else if (option == "--idle-handles") settings.idle_handles = static_cast<unsigned>(number(value()));
    else if (option == "--deadline-s") settings.deadline = std::chrono::seconds(number(value()));
    else if (option == "--cpus") {
      const std::string_view text = value();
      const std::size_t comma = text.find(',');
      if (comma == std::string_view::npos) throw std::invalid_argument("--cpus takes two numbers, A,B");
      settings.cpus = {static_cast<unsigned>(number(text.substr(0, comma))), static_cast<unsigned>(number(text.substr(comma + 1)))};
    } else if (option == "--quick") {
      settings.plan.repeats = 1;
      settings.plan.fixed_count = 600;
      settings.deadline = std::chrono::seconds(30);
    } else {
      std::fputs(usage, option == "--help" ? stdout : stderr);
      return option == "--help" ? 0 : 2;
    }
  }
  if (settings.cpus.empty()) {
    settings.cpus = allowed_cpus();
    if (settings.cpus.size() == 1) settings.cpus.push_back(settings.cpus[0]);  // slow, but it runs
  }

  const auto wanted = [](const std::vector<std::string>& names, const std::string& name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  };
  bool good = true;
  for (const Entry& entry : everything()) {
    if (!wanted(workloads, entry.workload) || !wanted(subjects, entry.subject) || !wanted(kinds, to_string(entry.kind))) continue;
    if (list)
      std::printf("%s\t%s\t%s\n", entry.workload.c_str(), to_string(entry.kind), entry.subject.c_str());
    else
      good &= run(entry, settings);
  }
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "strait-bench-two-process: %s\n", error.what());
  return 2;
}
