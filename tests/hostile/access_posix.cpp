// Who may do what with a segment, and what other users put in the way.

#include "../api/ways.hpp"
#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/child.hpp"
#include "../support/shm_file.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "in_a_child.hpp"

#include <strait/dotnet/buffer_read_write.hpp>
#include <strait/dotnet/circular_buffer.hpp>
#include <strait/layout/cell.hpp>
#include <strait/layout/segment_plan.hpp>
#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>
#include <strait/notifying_buffer.hpp>
#include <strait/platform/life_lock.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/publisher.hpp>
#include <strait/rpc_buffer.hpp>
#include <strait/segment/sweep.hpp>
#include <strait/shared_struct.hpp>
#include <strait/subscriber.hpp>

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace strait;
using namespace strait::test;

namespace {

constexpr unsigned nobodys_id = 65534;

struct Pair {
  int first = 1;
  int second = 2;
};

// Every class that makes something under a name.
std::vector<std::pair<std::string, std::function<void(const std::string&)>>> makers() {
  auto all = ways();
  std::erase_if(all, [](const auto& way) { return way.first.starts_with("open a"); });
  all.emplace_back("a struct", [](const std::string& name) { SharedStruct<Pair> made(name, Pair{}); });
  all.emplace_back("an open_or_create struct", [](const std::string& name) { SharedStruct<Pair> made(open_or_create, name, Pair{}); });
  all.emplace_back("a notifying buffer", [](const std::string& name) { NotifyingBuffer made(name, 100); });
  all.emplace_back("a channel", [](const std::string& name) { RpcBuffer made(name); });
  all.emplace_back("a mutex", [](const std::string& name) { NamedMutex made(name); });
  all.emplace_back("an event", [](const std::string& name) { NamedEvent made(name, NamedEvent::Reset::automatic); });
  all.emplace_back("a publisher", [](const std::string& name) { Publisher made(name); });
  all.emplace_back("a subscriber", [](const std::string& name) { Subscriber made(name); });
  all.emplace_back("a buffer of the C# library", [](const std::string& name) { dotnet::BufferReadWrite made(name, 16); });
  all.emplace_back("a ring of the C# library", [](const std::string& name) { dotnet::CircularBuffer made(name, 2, 8); });
  return all;
}

const ChildFunction as_nobody{"hostile: as nobody", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (::setgroups(0, nullptr) != 0 || ::setgid(nobodys_id) != 0 || ::setuid(nobodys_id) != 0) return cannot;
  require(::open(shm_path(name).c_str(), O_RDONLY) < 0, "it could be read");
  require(::open(shm_path(name).c_str(), O_WRONLY) < 0, "it could be written");
  OpenOptions looking;
  looking.read_only = true;
  require(caught([&] { BufferReadWrite view(name, looking); }) == Errc::permission_denied, "it was opened read_only");
  require(caught([&] { static_cast<void>(remove_segment(name)); }) == Errc::permission_denied, "it was removed by hand");
  require(::unlink(shm_path(name).c_str()) != 0, "its name was unlinked");
  static_cast<void>(remove_dead_segments());
  require(shm_exists(name), "it was swept");
  return 0;
}};

// Another user, where everybody may read: what read_only promises, of every class that has it.
const ChildFunction onlooker{"hostile: onlooker", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (::setgroups(0, nullptr) != 0 || ::setgid(nobodys_id) != 0 || ::setuid(nobodys_id) != 0) return cannot;
  OpenOptions looking;
  looking.read_only = true;
  const SharedArray<int> array(name + "-array", looking);
  BufferReadWrite buffer(name + "-buffer", looking);
  const CircularBuffer ring(name + "-ring", looking);
  const SharedStruct<Pair> pair(name + "-struct", looking);
  const NotifyingBuffer notes(name + "-notes", 64, looking);
  TopicOptions listening;
  listening.read_only = true;
  Subscriber subscriber(name + "-topic", Delivery::lossy, listening);
  require(array[1] == 7 && buffer.read<int>() == 7, "contents");
  require(ring.approximate_size() == 1 && pair.load().first == 7, "a ring's or a struct's contents");
  const auto change = notes.version();
  say("looking");
  static_cast<void>(hear());
  require(pair.wait_for_change(0, forever) == Status::ok && pair.load().first == 8, "the struct's change");
  require(notes.wait_for_change(change, forever) == Status::ok && notes.read().size() == sizeof "note", "the note");
  require(subscriber.receive(forever).status == Status::ok, "the message");
  require(caught([&] { buffer.write(1); }) == Errc::permission_denied, "it was written");
  require(caught([&] { SharedArray<int> writable(name + "-array"); }) == Errc::permission_denied, "it was opened for writing");
  require(caught([&] { SharedStruct<Pair> writable(name + "-struct"); }) == Errc::permission_denied, "a struct was opened for writing");
  require(caught([&] { Subscriber second(name + "-topic"); }) == Errc::permission_denied, "a subscriber with a seat came in");
  return 0;
}};

// The same to what the dead left, where no other process of ours sweeps it away meanwhile.
const ChildFunction among_the_dead{"hostile: among the dead", [](std::span<const std::string> arguments) -> int {
  const std::string& name = arguments[0];
  if (!own_shm("size=1m")) return cannot;
  std::vector<unsigned char> bytes;
  {
    const BufferReadWrite mine(name, 64);
    bytes = shm_bytes(name);
  }
  shm_write(name, bytes);
  require(::chmod(shm_path(name).c_str(), 0600) == 0, "no chmod");
  Child other("hostile: as nobody", {name});
  require(other.wait().clean(), "as nobody");
  require(caught([&] { BufferReadWrite again(name, 64); }).nothing(), "its user could not take the name over");
  return 0;
}};

// Makes what it is asked to make, and stays as long as it is wanted.
const ChildFunction squatter{"hostile: squatter", [](std::span<const std::string> arguments) -> int {
  if (::setgroups(0, nullptr) != 0 || ::setgid(nobodys_id) != 0 || ::setuid(nobodys_id) != 0) return cannot;
  ::umask(0);
  const std::string path = shm_path(arguments[0]);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0666);
  if (file < 0) return 1;
  if (arguments.size() > 1) {
    std::vector<unsigned char> bytes(arguments[1].size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(std::stoi(arguments[1].substr(2 * i, 2), nullptr, 16));
    if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return 1;
  }
  say("made");
  static_cast<void>(hear());
  return 0;
}};

bool skipped(const std::optional<std::string>& line) {
  if (line == "made") return false;
  WARN("skipped: becoming another user needs root");
  return true;
}

std::string hex(const void* bytes, std::size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<const unsigned char*>(bytes)[i];
    text += {digits[byte >> 4], digits[byte & 15]};
  }
  return text;
}

}  // namespace

TEST_CASE("every class makes its objects for their user alone, whatever the umask") {
  const Watchdog watchdog;
  const mode_t before = ::umask(0);
  for (const auto& [what, make] : makers()) {
    CAPTURE(what);
    NameGuard name("hostile");
    // Their modes while they live: watched from inside, because most of these end at once.
    OpenOptions options;
    CHECK(options.permissions == 0600);
    make(name);
  }
  NameGuard name("hostile");
  const SharedStruct<Pair> shared(name, Pair{});
  NameGuard ring_name("hostile");
  const CircularBuffer ring(ring_name, 4, 64);
  NameGuard channel_name("hostile");
  const RpcBuffer channel(channel_name);
  ::umask(before);
  for (const std::string& one : {name.str(), name.str() + ".ctl", ring_name.str(), channel_name.str()}) {
    CAPTURE(one);
    struct stat status {};
    REQUIRE(::stat(shm_path(one).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("another user can neither read nor write nor remove nor sweep a segment, alive or dead") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  {
    BufferReadWrite mine(name, 64);
    mine.write(7);
    Child other("hostile: as nobody", {name.str()});
    const auto exit = other.wait();
    if (exit.code == cannot) {
      WARN("skipped: becoming another user needs root");
      return;
    }
    CHECK(exit.clean());
    CHECK(mine.read<int>() == 7);
  }
  Child other("hostile: among the dead", {name.str()});
  const auto exit = other.wait();
  if (exit.code == cannot) {
    WARN("skipped: a /dev/shm of one's own needs a privilege");
    return;
  }
  CHECK(exit.clean());
}

TEST_CASE("another user who may only read reads every class that has read_only, is told of changes, and writes nothing") {
  const Watchdog watchdog;
  if (core::lock_files) {
    WARN("skipped: the fallback's lock files lie in a folder of each user's own, so users do not meet");
    return;
  }
  NameGuard name("hostile");
  OpenOptions everybody_reads;
  everybody_reads.permissions = 0644;
  SharedArray<int> array(name.str() + "-array", 4, everybody_reads);
  array[1] = 7;
  BufferReadWrite buffer(name.str() + "-buffer", 64, everybody_reads);
  buffer.write(7);
  CircularBuffer ring(name.str() + "-ring", 4, 8, RingOptions{everybody_reads});
  REQUIRE(ring.write(7) == Status::ok);
  SharedStruct<Pair> pair(name.str() + "-struct", Pair{7, 7}, everybody_reads);
  NotifyingBuffer notes(name.str() + "-notes", 64, everybody_reads);
  TopicOptions topic_options;
  topic_options.permissions = 0644;
  Publisher publisher(name.str() + "-topic", topic_options);
  Child other("hostile: onlooker", {name});
  const auto line = other.read_line();
  if (!line && other.wait().code == cannot) {
    WARN("skipped: becoming another user needs root");
    return;
  }
  REQUIRE(line == "looking");
  CHECK(array.participants().size() == 1);
  pair.store({8, 8});
  notes.write(std::as_bytes(std::span("note")));
  REQUIRE(publisher.publish(8) == Status::ok);
  other.write_line("go on");
  CHECK(other.wait().clean());
}

TEST_CASE("an empty object that another user laid under a name is not filled: that user could read it") {
  const Watchdog watchdog;
  for (const auto& [what, make] : makers()) {
    CAPTURE(what);
    NameGuard name("hostile");
    Child other("hostile: squatter", {name.str()});
    if (skipped(other.read_line())) return;
    CHECK(caught([&, &call = make] { call(name); }) == Errc::permission_denied);
    CHECK(shm_bytes(name).empty());
    struct stat status {};
    REQUIRE(::stat(shm_path(name).c_str(), &status) == 0);
    CHECK(status.st_uid == nobodys_id);
    CHECK_FALSE(shm_exists(name.str() + ".ctl"));
    shm_forget(name);
  }
}

TEST_CASE("the same for the control segment of a struct") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  Child other("hostile: squatter", {name.str() + ".ctl"});
  if (skipped(other.read_line())) return;
  CHECK(caught([&] { SharedStruct<Pair> made(name, Pair{}); }) == Errc::permission_denied);
  CHECK_FALSE(shm_exists(name));
  shm_forget(name.str() + ".ctl");
}

TEST_CASE("a name that somebody has locked and does not fill keeps a struct's creator for open_timeout and no longer") {
  if (core::lock_files) return;
  const Watchdog watchdog;
  NameGuard name("hostile");
  const auto object = platform::SharedObject::open_or_make(name, 0600);
  platform::LifeLock life(object, name, layout::life_lock_offset);
  REQUIRE(life.try_exclusive());
  OpenOptions options;
  options.open_timeout = std::chrono::milliseconds(20);
  CHECK(caught([&] { SharedStruct<Pair> made(name, Pair{}, options); }) == Errc::still_creating);
  CHECK_FALSE(shm_exists(name.str() + ".ctl"));
  shm_forget(name);
}

TEST_CASE("what another user's control segment says of an object is not believed: the object is not removed") {
  const Watchdog watchdog;
  NameGuard name("hostile");
  // A control segment as the dead leave it, that claims this user's object.
  std::vector<unsigned char> control;
  {
    const SharedStruct<Pair> real(name, Pair{});
    control = shm_bytes(name.str() + ".ctl");
  }
  const std::vector<unsigned char> precious(sizeof(Pair), 0x55);
  shm_write(name, precious);
  struct stat status {};
  REQUIRE(::stat(shm_path(name).c_str(), &status) == 0);
  layout::SegmentHeader header{};
  std::memcpy(static_cast<void*>(&header), control.data(), sizeof header);
  const std::uint64_t device = status.st_dev;
  const std::uint64_t inode = status.st_ino;
  std::memcpy(control.data() + header.payload_offset + offsetof(layout::CellBlock, device), &device, sizeof device);
  std::memcpy(control.data() + header.payload_offset + offsetof(layout::CellBlock, inode), &inode, sizeof inode);
  Child other("hostile: squatter", {name.str() + ".ctl", hex(control.data(), control.size())});
  if (skipped(other.read_line())) return shm_forget(name);
  static_cast<void>(caught([&] { SharedStruct<Pair> opened(name); }));
  static_cast<void>(caught([&] { SharedStruct<Pair> opened(open_or_create, name, Pair{}); }));
  static_cast<void>(remove_dead_segments());
  static_cast<void>(caught([&] { static_cast<void>(remove_segment(name)); }));
  REQUIRE(shm_exists(name));
  CHECK(shm_bytes(name) == precious);
  shm_forget(name);
  shm_forget(name.str() + ".ctl");
}

TEST_CASE("links, pipes and folders under a name are refused by every class, and what they lead to is untouched") {
  const Watchdog watchdog;
  NameGuard target("hostile");
  const std::vector<unsigned char> precious(100, 7);
  shm_write(target, precious);
  for (const auto& [what, make] : makers()) {
    for (const char* const kind : {"link", "dangling link", "pipe", "folder"}) {
      CAPTURE(what, kind);
      NameGuard name("hostile");
      const std::string path = shm_path(name);
      if (kind == std::string("link")) std::filesystem::create_symlink(shm_path(target), path);
      if (kind == std::string("dangling link")) std::filesystem::create_symlink(shm_path(target.str() + "-nowhere"), path);
      if (kind == std::string("pipe")) REQUIRE(::mkfifo(path.c_str(), 0666) == 0);
      if (kind == std::string("folder")) std::filesystem::create_directory(path);
      const auto refused = caught([&, &call = make] { call(name); });
      CHECK(refused == Errc::not_a_segment);
      CHECK_FALSE(shm_exists(target.str() + "-nowhere"));
      CHECK_FALSE(shm_exists(name.str() + ".ctl"));
      std::filesystem::remove(path);
    }
  }
  CHECK(shm_bytes(target) == precious);
  shm_forget(target);
}

TEST_CASE("a read-only handle holds neither a seat nor a lock, of any kind of segment that has them, and learns the end by asking") {
  const Watchdog watchdog;
  OpenOptions looking;
  looking.read_only = true;
  NameGuard name("hostile");
  OpenOptions one_seat;
  one_seat.max_participants = 1;
  {
    SharedStruct<Pair> mine(name, Pair{}, one_seat);
    const SharedStruct<Pair> view(name, looking);
    mine.store({3, 4});
    CHECK(view.load().first == 3);
    mine.close();
    CHECK(view.load().second == 4);  // its bytes are there as long as it is
    CHECK(shm_exists(name));
  }
  CHECK_FALSE(shm_exists(name));
  CHECK_FALSE(shm_exists(name.str() + ".ctl"));
}
