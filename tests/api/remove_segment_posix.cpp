#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"

#include <strait/circular_buffer.hpp>
#include <strait/strait.hpp>
#include <strait/shared_array.hpp>

#include <memory>
#include <string>
#include <vector>

using strait::Errc;
using strait::remove_segment;
using strait::SharedArray;
using strait::test::caught;
using strait::test::NameGuard;

TEST_CASE("remove_segment says whether there was anything to remove") {
  NameGuard name("remove");
  CHECK_FALSE(remove_segment(name));
  SharedArray<int> array(name, 4);
  CHECK(remove_segment(name));
  CHECK_FALSE(strait::test::shm_exists(name.str()));
  CHECK_FALSE(remove_segment(name));
}

TEST_CASE("handles that are open when their segment is removed keep working") {
  NameGuard name("remove");
  strait::CircularBuffer a(name, 2, 8);
  strait::CircularBuffer b(name);
  CHECK(remove_segment(name));
  CHECK(a.write(5) == strait::Status::ok);
  int value = 0;
  CHECK(b.read(value) == strait::Status::ok);
  CHECK(value == 5);
  CHECK(a.participants().size() == 2);
  CHECK(caught([&] { strait::CircularBuffer late(name); }) == Errc::not_found);
}

TEST_CASE("the handles of a removed segment never remove a newer one of the same name") {
  NameGuard name("remove");
  auto old_owner = std::make_unique<SharedArray<int>>(name, 4);
  auto old_guest = std::make_unique<SharedArray<int>>(name);
  (*old_owner)[0] = 1;
  CHECK(remove_segment(name));
  SharedArray<int> fresh(name, 8);
  CHECK(fresh[0] == 0);
  old_owner.reset();
  old_guest.reset();
  CHECK(strait::test::shm_exists(name.str()));
  const SharedArray<int> late(name);
  CHECK(late.size() == 8);
  CHECK_FALSE(fresh.shutting_down());
}

TEST_CASE("remove_segment refuses what is no segment and no name, and leaves it alone") {
  NameGuard name("remove");
  const std::vector<unsigned char> foreign(300, 'x');
  strait::test::shm_write(name.str(), foreign);
  const auto refused = caught([&] { remove_segment(name); });
  CHECK(refused == Errc::not_a_segment);
  CHECK(refused.segment == name.str());
  CHECK(strait::test::shm_bytes(name.str()) == foreign);
  strait::test::shm_forget(name.str());
  CHECK(caught([] { remove_segment(""); }) == Errc::invalid_argument);
  CHECK(caught([] { remove_segment("a/b"); }) == Errc::invalid_argument);
}
