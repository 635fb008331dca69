// What is left under the names of a topic's rings, where names stay.

#include "../support/catch.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/layout/topic.hpp>
#include <strait/publisher.hpp>

#include <string>

using namespace strait;
using namespace strait::test;

TEST_CASE("an empty object under the name of a publisher's ring goes when the topic is made, and one of a name that is not such stays") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  const std::string ring = name.str() + layout::topic_suffix(0x123456789abcdef0);
  const std::string other = name.str() + ".p0123";
  shm_write(ring, {});
  shm_write(other, {});
  { Publisher publisher(name); }
  CHECK_FALSE(shm_exists(ring));
  CHECK(shm_exists(other));
  shm_forget(other);
}
