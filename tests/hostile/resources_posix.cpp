// What runs out: memory behind /dev/shm, descriptors, file sizes, seats, and the user's own memory. Each is told, and nothing is left.

#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/posix/forbid.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "in_a_child.hpp"

#include <strait/dotnet/circular_buffer.hpp>
#include <strait/dotnet/rpc_buffer.hpp>
#include <strait/dotnet/shared_array.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>
#include <strait/notifying_buffer.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/rpc_buffer.hpp>
#include <strait/shared_struct.hpp>
#include <strait/strait.hpp>

#include "../../examples/shm_inspect/snapshot.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace strait;
using namespace strait::test;

namespace {

struct Big {
  std::byte bytes[300'000];
};

// Every class, with about 300,000 bytes where it has a size.
std::vector<std::pair<std::string, std::function<void(const std::string&)>>> big_ones() {
  return {
      {"an array", [](const std::string& name) { SharedArray<char> made(name, 300'000); }},
      {"a buffer", [](const std::string& name) { BufferReadWrite made(name, 300'000); }},
      {"a ring", [](const std::string& name) { CircularBuffer made(open_or_create, name, 300, 1000); }},
      {"a struct", [](const std::string& name) {
         const auto value = std::make_unique<Big>();
         SharedStruct<Big> made(name, *value);
       }},
      {"a notifying buffer", [](const std::string& name) { NotifyingBuffer made(name, 300'000); }},
      {"a raw notifying buffer", [](const std::string& name) { RawNotifyingBuffer made(name, 300'000); }},
      {"a channel", [](const std::string& name) { RpcBuffer made(name, RpcOptions{{}, 16'384, 10}); }},
      {"an expanding array", [](const std::string& name) { ExpandingArray<Big> made(open_or_create, name); made.push_back(Big{}); }},
      {"a mutex with many seats", [](const std::string& name) {
         OpenOptions options;
         options.max_participants = 8000;
         NamedMutex made(name, options);
       }},
      {"an event with many seats", [](const std::string& name) {
         OpenOptions options;
         options.max_participants = 8000;
         NamedEvent made(name, NamedEvent::Reset::automatic, false, options);
       }},
      {"a publisher", [](const std::string& name) { Publisher made(name, TopicOptions{{}, 300, 1000, 0}); }},
      {"a subscriber of a topic with many seats", [](const std::string& name) {
         TopicOptions options;
         options.max_participants = 8000;
         Subscriber made(name, Delivery::lossless, options);
       }},
      {"an array of the C# library", [](const std::string& name) { dotnet::SharedArray<char> made(name, 300'000); }},
      {"a ring of the C# library", [](const std::string& name) { dotnet::CircularBuffer made(name, 300, 1000); }},
      {"a channel of the C# library", [](const std::string& name) { dotnet::RpcBuffer made(name, RpcOptions{{}, 30'000, 10}); }},
  };
}

int try_in_tiny_shm(const std::string& name) {
  for (const auto& [what, make] : big_ones()) {
    const auto refused = caught([&, &call = make] { call(name); });
    require(refused == Errc::no_space && refused.says(name), what + ": " + refused.text);
    require(std::filesystem::is_empty("/dev/shm"), what + " left something behind");
  }
  return 0;
}

const ChildFunction tiny_shm{"hostile: tiny /dev/shm", [](std::span<const std::string> arguments) -> int {
  return own_shm("size=256k") ? try_in_tiny_shm(arguments[0]) : cannot;
}};

// As with Linux before 5.14, where a mapping's pages can only be touched.
const ChildFunction tiny_shm_by_touch{"hostile: tiny /dev/shm by touch", [](std::span<const std::string> arguments) -> int {
  return own_shm("size=256k") && forbid(SYS_madvise, EINVAL) ? try_in_tiny_shm(arguments[0]) : cannot;
}};

// A segment with a hole where memory is full: its size was set, its pages never taken.
const ChildFunction holes{"hostile: holes", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (!own_shm("size=256k")) return cannot;
  const layout::Shape shape{layout::Kind::ring, 1000, 1000, 1, 0};
  const auto plan = *layout::plan(shape, 64);
  layout::SegmentHeader header{};
  header.magic = layout::magic;
  header.version = layout::format_version;
  header.kind = static_cast<std::uint32_t>(shape.kind);
  header.state = static_cast<std::uint32_t>(layout::State::ready);
  header.presence = static_cast<std::uint16_t>(core::kernel_lock_presence ? layout::PresenceMethod::kernel_lock : layout::PresenceMethod::process);
  header.park = platform::Park::method();
  header.segment_size = plan.segment_size;
  header.payload_offset = plan.payload_offset;
  header.payload_size = plan.payload_size;
  header.element_size = shape.element_size;
  header.element_count = shape.element_count;
  header.seat_count = 64;
  header.element_alignment = 1;
  header.fences = static_cast<std::uint32_t>(layout::FenceMethod::every_change);
  std::vector<unsigned char> bytes(sizeof header);
  std::memcpy(bytes.data(), static_cast<const void*>(&header), sizeof header);
  shm_write(name, bytes);
  shm_resize(name, plan.segment_size);
  const auto object = platform::SharedObject::open(name, platform::SharedObject::Access::read_write);
  platform::LifeLock life(*object, name, layout::life_lock_offset);
  require(life.try_exclusive() && life.try_shared(), "no lock");
  const auto opened = caught([&] { CircularBuffer ring(name); });
  require(opened == Errc::no_space, "opening it: " + opened.text);
  OpenOptions looking;
  looking.read_only = true;
  const auto viewed = caught([&] { CircularBuffer ring(name, RingOptions{looking}); });
  require(viewed == Errc::no_space, "opening it read_only: " + viewed.text);
  const auto seen = inspect::look(name);
  require(seen && seen->state == inspect::Snapshot::State::unreadable, "the inspector did not refuse it");
  shm_forget(name);
  return 0;
}};

const ChildFunction container_shm{"hostile: 64 MB of /dev/shm", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (!own_shm("size=64m")) return cannot;
  {
    CircularBuffer ring(name, 50, 1 << 20);
    require(caught([&] { CircularBuffer second(name + "-2", 50, 1 << 20); }) == Errc::no_space, "the second ring was made");
    for (int i = 0; i < 120; ++i) {
      const auto fill = [](std::span<std::byte> node) { return std::memset(node.data(), 1, node.size()), node.size(); };
      require(ring.write_with(fill, no_wait) == Status::ok, "no room for a message");
      require(ring.read_with([](std::span<const std::byte>) {}, no_wait) == Status::ok, "no message");
    }
  }
  require(std::filesystem::is_empty("/dev/shm"), "something was left behind");
  return 0;
}};

const ChildFunction file_size{"hostile: RLIMIT_FSIZE", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  const rlimit limit{200'000, 200'000};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return cannot;
  for (const auto& [what, make] : big_ones()) {
    const auto refused = caught([&, &call = make] { call(name); });
    require(refused == Errc::too_large && refused.says(name), what + ": " + refused.text);
    require(left_behind(name).empty(), what + " left something behind");
  }
  CircularBuffer fits(name, 100, 100);
  require(fits.write(1) == Status::ok, "what fits cannot be used");
  return 0;
}};

// UBSan looks through a pipe whether memory can be read, and takes every object for a broken one where it gets no descriptor for it.
extern "C" void __ubsan_handle_dynamic_type_cache_miss() __attribute__((weak));
const bool sanitizer_needs_descriptors = &__ubsan_handle_dynamic_type_cache_miss != nullptr;

const ChildFunction descriptors{"hostile: RLIMIT_NOFILE", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (sanitizer_needs_descriptors) return cannot;
  CircularBuffer held(name + "-held", 4, 64);
  const int next = ::dup(0);
  ::close(next);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  for (int more = 0; more < 4; ++more) {
    rlimit limit = before;
    limit.rlim_cur = static_cast<rlim_t>(next + more);
    require(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "no limit");
    std::vector<std::string> wrong;
    for (const auto& [what, make] : big_ones()) {
      const auto refused = caught([&, &call = make] { call(name); });
      if (!refused.nothing() && !(refused == Errc::no_space)) wrong.push_back(what + ": " + refused.text);
    }
    const auto opened = caught([&] { CircularBuffer again(name + "-held"); });
    if (!opened.nothing() && !(opened == Errc::no_space)) wrong.push_back("opening: " + opened.text);
    require(::setrlimit(RLIMIT_NOFILE, &before) == 0, "no limit");
    require(wrong.empty(), std::to_string(more) + " descriptors left: " + (wrong.empty() ? "" : wrong.front()));
    require(held.write(1, no_wait) == Status::ok, "the open ring was hurt");
    int value = 0;
    require(held.read(value, no_wait) == Status::ok, "the open ring was hurt");
    // Whoever could not look at the name any more left it: it is dead, and in nobody's way.
    for (const auto& [what, make] : big_ones()) {
      const auto made = caught([&, &call = make] { call(name); });
      require(made.nothing(), what + " afterwards: " + made.text);
    }
  }
  held.close();
  Publisher(name).close();  // the rings that could not be made go with the topic's next life
  static_cast<void>(remove_dead_segments());
  require(left_behind(name).empty(), "something was left behind: " + (left_behind(name).empty() ? "" : left_behind(name).front()));
  return 0;
}};

void run(const char* function, const char* needs) {
  const Watchdog watchdog;
  const std::string name = unique_name("hostile");
  Child child(function, {name});
  const auto exit = child.wait();
  if (exit.code == cannot) {
    WARN("skipped: " << needs);
    return;
  }
  CHECK(exit.clean());
}

// System calls that this thread makes about locks.
thread_local std::uint64_t lock_calls = 0;

constexpr std::uint32_t most_seats = 8190;

OpenOptions of_seats() {
  OpenOptions options;
  options.max_participants = most_seats;
  return options;
}

// False, having said why: what needs so many descriptors, and counts system calls, cannot run here.
class ManyDescriptors {
 public:
  explicit ManyDescriptors(std::uint64_t count) {
    if (core::lock_files) {
      WARN("skipped: the fallback has lock files for each handle, and asks after the others by their processes");
      return;
    }
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = limit.rlim_max;
    enough_ = limit.rlim_max >= count && ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
    if (!enough_) WARN("skipped: this process may have " << limit.rlim_max << " descriptors");
  }
  ManyDescriptors(const ManyDescriptors&) = delete;
  ManyDescriptors& operator=(const ManyDescriptors&) = delete;
  ~ManyDescriptors() {
    if (enough_) ::setrlimit(RLIMIT_NOFILE, &before_);
  }

  explicit operator bool() const { return enough_; }

 private:
  rlimit before_{};
  bool enough_ = false;
};

// Opens so many and compares; the last one, when all the others are closed.
template <class Open>
auto open_many(std::size_t count, Open open) {
  std::vector<decltype(open())> handles;
  handles.reserve(count);
  // The cheapest of some that follow each other: in passing, an open looks at what other processes of this machine left behind.
  std::uint64_t hundredth = UINT64_MAX;
  std::uint64_t last = UINT64_MAX;
  while (handles.size() < count) {
    const auto so_far = lock_calls;
    handles.push_back(open());
    const auto calls = lock_calls - so_far;
    if (handles.size() > 100 - 20 && handles.size() <= 100) hundredth = (std::min)(hundredth, calls);
    if (handles.size() > count - 20) last = (std::min)(last, calls);
  }
  if (hundredth == 0) WARN("the system calls could not be counted");
  CHECK(last <= hundredth);
  return handles.back();
}

}  // namespace

// In place of the C library's, for this program.
extern "C" int fcntl(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  ++lock_calls;
  return static_cast<int>(::syscall(SYS_fcntl, file, command, argument));
}
extern "C" int fcntl64(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  ++lock_calls;
  return static_cast<int>(::syscall(SYS_fcntl, file, command, argument));
}

TEST_CASE("a tiny /dev/shm is told by every class as no_space, and nothing is left in it") { run("hostile: tiny /dev/shm", "mounting a small /dev/shm needs root"); }

TEST_CASE("a tiny /dev/shm is told as no_space also where the system cannot fill in a mapping, and no process ends by a signal") {
  run("hostile: tiny /dev/shm by touch", "mounting a small /dev/shm needs root, and forbidding a system call its leave");
}

TEST_CASE("a segment with holes that no memory is left for is refused as no_space, and ends no process") {
  if (core::lock_files) return;
  run("hostile: holes", "mounting a small /dev/shm needs root");
}

TEST_CASE("the 64 MB of /dev/shm that containers have are used to the last message") { run("hostile: 64 MB of /dev/shm", "mounting a /dev/shm needs root"); }

TEST_CASE("sizes beyond RLIMIT_FSIZE are told as too_large before the system's signal, and nothing is left") { run("hostile: RLIMIT_FSIZE", "no limit can be set"); }

TEST_CASE("a process without descriptors is told no_space, what it has open goes on, and nothing is in its way afterwards") {
  run("hostile: RLIMIT_NOFILE", "a sanitizer needs descriptors itself");
}

TEST_CASE("of 8,190 handles of one segment the last costs as many system calls to open as the hundredth") {
  const Watchdog watchdog(std::chrono::seconds(100));
  const ManyDescriptors enough(most_seats + 100);
  if (!enough) return;
  NameGuard name("hostile");
  BufferReadWrite first(name, 64, of_seats());
  const auto last = open_many(most_seats - 1, [&] { return std::make_shared<BufferReadWrite>(name); });
  first.write(5);
  CHECK(last->read<int>() == 5);
}

TEST_CASE("of many handles of any kind the last costs as many system calls to open as the hundredth") {
  const Watchdog watchdog(std::chrono::seconds(100));
  constexpr std::size_t many = 1000;
  const ManyDescriptors enough(many * 4 + 100);
  if (!enough) return;
  NameGuard name("hostile");
  SECTION("rings") {
    CircularBuffer first(name, 4, 64, RingOptions{of_seats()});
    REQUIRE(first.write(5) == Status::ok);
    int value = 0;
    CHECK(open_many(many, [&] { return std::make_shared<CircularBuffer>(name); })->read(value) == Status::ok);
    CHECK(value == 5);
  }
  SECTION("structs") {
    const SharedStruct<int> first(name, 5, of_seats());
    CHECK(open_many(many, [&] { return std::make_shared<SharedStruct<int>>(name); })->load() == 5);
  }
  SECTION("notifying buffers") {
    NotifyingBuffer first(name, 64, of_seats());
    CHECK(open_many(many, [&] { return std::make_shared<NotifyingBuffer>(name, 64); })->version() == 0);
  }
  SECTION("mutexes") {
    const NamedMutex first(name, of_seats());
    const auto last = open_many(many, [&] { return std::make_shared<NamedMutex>(name); });
    CHECK(last->try_lock());
    last->unlock();
  }
  SECTION("events") {
    const NamedEvent first(name, NamedEvent::Reset::automatic, true, of_seats());
    CHECK(open_many(many, [&] { return std::make_shared<NamedEvent>(name, NamedEvent::Reset::automatic); })->wait(no_wait) == Status::ok);
  }
  SECTION("subscribers") {
    TopicOptions options;
    options.max_participants = most_seats;
    Publisher publisher(name, options);
    // Each that comes wakes all the others, which look who it is.
    const auto last = open_many(many / 5, [&] { return std::make_shared<Subscriber>(name, Delivery::lossy); });
    REQUIRE(publisher.publish(5) == Status::ok);
    CHECK(last->receive(no_wait).status == Status::ok);
  }
}

TEST_CASE("no memory in user code while a message or node is in its hands: the node is free again, the message the next one") {
  const Watchdog watchdog;
  for (const Sharing sharing : {Sharing::many, Sharing::one}) {
    NameGuard name("hostile");
    RingOptions options;
    options.writers = options.readers = sharing;
    CircularBuffer ring(name, 2, 64, options);
    const auto out_of_memory = [](auto) -> std::size_t { throw std::bad_alloc(); };
    for (int round = 0; round < 5; ++round) {
      CHECK_THROWS_AS(static_cast<void>(ring.write_with(out_of_memory, no_wait)), std::bad_alloc);
      CHECK(ring.approximate_size() == 0);
      CHECK(ring.write(round, no_wait) == Status::ok);
      CHECK_THROWS_AS(static_cast<void>(ring.read_with(out_of_memory, no_wait)), std::bad_alloc);
      CHECK_THROWS_AS(
          [&] {
            const auto claim = ring.claim(no_wait);
            const auto message = ring.take(no_wait);
            CHECK(claim);
            throw std::bad_alloc();
          }(),
          std::bad_alloc);
      // A claim that ends untouched released its message: so write it once more.
      CHECK(ring.write(round, no_wait) == Status::ok);
      int value = -1;
      CHECK(ring.read(value, no_wait) == Status::ok);
      CHECK(value == round);
    }
  }
  NameGuard name("hostile");
  SharedStruct<int> shared(name, 1);
  CHECK_THROWS_AS(shared.update([](int&) { throw std::bad_alloc(); }), std::bad_alloc);
  shared.store(2);
  CHECK(shared.load() == 2);
  NameGuard other("hostile");
  BufferReadWrite buffer(other, 64);
  CHECK_THROWS_AS(buffer.write_with([](std::span<std::byte>) { throw std::bad_alloc(); }), std::bad_alloc);
  buffer.write(3);
  CHECK(buffer.read<int>() == 3);
}

TEST_CASE("locks of handles that were closed while they were held take no room in a thread's memory of its locks") {
  const Watchdog watchdog;
  for (int i = 0; i < 200; ++i) {
    NameGuard name("hostile");
    NamedMutex mutex(name);
    CHECK(mutex.try_lock());
  }
}

TEST_CASE("the inspector refuses an event's segment that is too small for what its kind says, and never reads behind it") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  std::vector<unsigned char> bytes;
  {
    const NamedEvent event(name, NamedEvent::Reset::automatic);
    bytes = shm_bytes(name);
  }
  layout::SegmentHeader header{};
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  header.element_size = 1;  // the entries then end far behind the object
  header.element_count = 1 << 22;
  const auto plan = *layout::plan({layout::Kind::event, 1, header.element_count, header.element_alignment, 0}, header.seat_count);
  header.payload_size = plan.payload_size;
  header.segment_size = plan.segment_size;
  bytes.resize(static_cast<std::size_t>(plan.segment_size));
  std::memcpy(bytes.data(), static_cast<const void*>(&header), sizeof header);
  shm_write(name, bytes);
  // Held, or any process that opens something might sweep it away as dead.
  const auto object = platform::SharedObject::open(name, platform::SharedObject::Access::read_write);
  platform::LifeLock life(*object, name, layout::life_lock_offset);
  REQUIRE(life.try_exclusive());  // first, as with the fallback it must be
  REQUIRE(life.try_shared());
  const auto seen = inspect::look(name);
  REQUIRE(seen);
  CHECK(seen->state == inspect::Snapshot::State::unreadable);
  shm_forget(name);
}
