// Permissions as file modes of the object.

#include "../support/catch.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"

#include <strait/shared_array.hpp>

#include <sys/stat.h>

using strait::SharedArray;
using strait::test::NameGuard;

TEST_CASE("the object has the permissions that were asked for, whatever the umask") {
  NameGuard name("life");
  const auto permissions = GENERATE(0600u, 0660u, 0666u);
  const mode_t before = ::umask(077);
  strait::OpenOptions options;
  options.permissions = permissions;
  const SharedArray<int> array(name, 4, options);
  ::umask(before);
  struct stat info {};
  REQUIRE(::stat(strait::test::shm_path(name.str()).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == permissions);
}
