// Objects of the C# library as files, whose size can change, beside events whose names are spelled out.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"

#include <strait/dotnet/buffer_read_write.hpp>
#include <strait/dotnet/circular_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <sys/syscall.h>
#include <unistd.h>

using namespace strait;
using namespace strait::test;

namespace {

// What another process does the moment that this one has mapped an object.
std::function<void()> when_mapped;

}  // namespace

// In place of the C library's, for this program: the first thing done with a mapping.
extern "C" int madvise(void* from, std::size_t length, int advice) noexcept {
  if (when_mapped) when_mapped();
  return static_cast<int>(::syscall(SYS_madvise, from, length, advice));
}

TEST_CASE("an object of the C# library that is made longer while it is opened is used as far as it is mapped") {
  const Watchdog watchdog;
  constexpr std::uint64_t longer = 1 << 20;
  NameGuard name("hostile");
  const dotnet::BufferReadWrite keeper(name, 100);
  const BackDoor door(name);
  door.word<std::int64_t>(0) = longer;
  when_mapped = [&] { shm_resize(name, longer); };
  CHECK(caught([&] {
          const dotnet::BufferReadWrite opened(name);
          return opened.read<std::uint8_t>(static_cast<std::size_t>(opened.buffer_size() - 1));
        }) == Errc::not_a_segment);
  when_mapped = nullptr;
  CHECK(caught([&] { return dotnet::BufferReadWrite(name).read<std::uint8_t>(longer - 17); }).nothing());
  shm_resize(name, 116);
  door.word<std::int64_t>(0) = 116;
}

TEST_CASE("a name of the C# library whose events' names would be too long is refused") {
  const Watchdog watchdog;
  NameGuard prefix("hostile");
  // Each space takes four bytes there.
  const std::string spaces = prefix.str() + std::string(160 - prefix.str().size(), ' ');
  CHECK(caught([&] { dotnet::CircularBuffer ring(spaces, 3, 100); }) == Errc::invalid_argument);
}
