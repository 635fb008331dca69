// An endpoint of an RPC channel dies at each named point: its place is free for the next one, and the other side is told.

#include "crash.hpp"

#include <strait/rpc_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using namespace strait::test;
using namespace strait::test::crash;
using strait::RpcBuffer;
using strait::RpcOutcome;

namespace {

const auto echo = [](std::uint64_t, std::span<const std::byte> payload) { return payload; };

// Arguments: name, point. Opens, serves until told, and closes; dies on the way.
const ChildFunction endpoint{"crash: rpc endpoint", [](std::span<const std::string> arguments) {
  die_at(arguments[1]);
  RpcBuffer buffer(arguments[0], echo);
  say("open");
  while (const auto line = hear()) {
    if (*line == "end") break;
  }
  buffer.close();
  return 0;
}};

// The next one takes the place of the dead, whether the other side was there or not, and calls pass.
void next_takes_the_place(RpcBuffer& survivor, const std::string& name) {
  RpcBuffer next(name, echo);
  CHECK(next.is_master() != survivor.is_master());
  CHECK(survivor.remote_request(5).as<int>() == 5);
}

}  // namespace

DEATH_TEST("rpc join: place taken", "joined and nobody was told: the mend frees the place.") {
  const Watchdog watchdog;
  for (const bool dead_first : {true, false}) {
    NameGuard name("crash");
    std::optional<RpcBuffer> survivor;
    if (!dead_first) survivor.emplace(name);
    Child dead("crash: rpc endpoint", {name, "rpc join: place taken"});
    CHECK(dead.wait().killed_by(SIGKILL));
    if (dead_first) {
      survivor.emplace(name);
      CHECK(survivor->is_master());  // nobody living held the name
    } else {
      CHECK(survivor->remote_request(1, std::chrono::hours(1)).outcome == RpcOutcome::peer_lost);
    }
    next_takes_the_place(*survivor, name);
  }
}

DEATH_TEST("rpc leave: place free", "the place is free and nobody was told: the other side sees it when its slice ends.") {
  const Watchdog watchdog;
  for (const bool dead_first : {true, false}) {
    NameGuard name("crash");
    std::optional<RpcBuffer> survivor;
    if (!dead_first) survivor.emplace(name);
    Child dead("crash: rpc endpoint", {name, "rpc leave: place free"});
    CHECK(dead.read_line() == "open");
    if (dead_first) survivor.emplace(name);
    CHECK(survivor->remote_request(3).as<int>() == 3);
    dead.write_line("end");
    CHECK(dead.wait().killed_by(SIGKILL));
    CHECK(survivor->remote_request(1, std::chrono::hours(1)).outcome == RpcOutcome::closed);
    next_takes_the_place(*survivor, name);
  }
}
