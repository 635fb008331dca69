// NamedMutex where it is a segment.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/named_mutex.hpp>

using namespace strait::test;
using strait::Errc;

TEST_CASE("a mutex's name is refused to other classes while it lives") {
  NameGuard name("mutex");
  strait::NamedMutex mutex(name);
  CHECK(caught([&] { strait::CircularBuffer ring(name); }) == Errc::wrong_kind);
  CHECK(caught([&] { strait::CircularBuffer ring(name, 4, 64); }) == Errc::already_exists);
}
