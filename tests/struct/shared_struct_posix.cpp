// SharedStruct where objects have their exact size, and names can be taken away from those who hold them.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"

#include <strait/shared_buffer.hpp>
#include <strait/shared_struct.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace strait::test;
using strait::Errc;
using strait::SharedStruct;

namespace {

struct State {
  std::int32_t mode;
  std::int32_t count;
};
constexpr State initial{1, 4};

std::string control(const std::string& name) { return name + ".ctl"; }

}  // namespace

TEST_CASE("a foreign program's object of another size, by one byte even, is not taken for the struct's") {
  NameGuard name("struct");
  for (const std::size_t size : {sizeof(State) - 1, sizeof(State) + 1}) {
    shm_write(name, std::vector<unsigned char>(size));
    CHECK(caught([&] { SharedStruct<State> other(name); }) == Errc::type_mismatch);
    CHECK_FALSE(shm_exists(control(name)));
  }
  shm_forget(name);
}

TEST_CASE("remove_segment removes a struct's both objects, and handles that are open go on") {
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  CHECK(strait::remove_segment(name));
  CHECK_FALSE(shm_exists(name));
  CHECK_FALSE(shm_exists(control(name)));
  CHECK_FALSE(strait::remove_segment(name));
  shared.set(&State::mode, 2);
  CHECK(shared.load().mode == 2);
  SharedStruct<State> another(name, initial);
  shared.close();
  CHECK(shm_exists(name));
  CHECK(another.load().mode == 1);
}

TEST_CASE("an object that was exchanged by hand is not taken for the struct's bytes") {
  NameGuard name("struct");
  SharedStruct<State> shared(name, initial);
  shm_forget(name);
  CHECK(caught([&] { SharedStruct<State> other(name); }) == Errc::broken);
  shm_write(name, std::vector<unsigned char>(sizeof(State)));
  CHECK(caught([&] { SharedStruct<State> other(name); }) == Errc::broken);
  shared.close();
  CHECK(shm_exists(name));  // not ours
  shm_forget(name);
}
