// The last one out of a struct dies at each named point of the removal of its two objects.

#include "crash.hpp"
#include "whole.hpp"

#include <strait/shared_struct.hpp>

#include <vector>

using namespace strait::test;
using namespace strait::test::crash;
using strait::Errc;
using strait::SharedStruct;

namespace {

// The last one out dies at `point`.
void closer_dies(const char* point) {
  const Watchdog watchdog;
  for (const bool open : {false, true}) {
    NameGuard name("crash");
    Child last("struct: victim", {name.str(), "create", point});
    CHECK(last.wait().killed_by(SIGKILL));
    if (open) CHECK(caught([&] { SharedStruct<Whole> opener(name); }) == Errc::not_found);
    const SharedStruct<Whole> shared(name, Whole::of(5));
    CHECK(shared.load().is(5));
  }
}

}  // namespace

DEATH_TEST("struct: not ready", "not ready, and nobody holds it: the next creator or opener removes both objects.") {
  closer_dies("struct: not ready");
}

DEATH_TEST("struct: bytes removed",
           "the bytes are removed and the control segment is left: the next creator or opener removes it.") {
  closer_dies("struct: bytes removed");
}

TEST_CASE("a foreign program's object that takes the place of a dead struct's bytes is not removed with what is left of it") {
  const Watchdog watchdog;
  NameGuard name("crash");
  {
    Child last("struct: victim", {name.str(), "create", "struct: bytes removed"});
    CHECK(last.wait().killed_by(SIGKILL));
  }
  shm_write(name, std::vector<unsigned char>(sizeof(Whole), 0));
  {
    const SharedStruct<Whole> adopted(name);
    CHECK(adopted.load().is(0));
  }
  CHECK(shm_exists(name));
  shm_forget(name);
}
