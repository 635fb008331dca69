// The actors of the crash tests: one process, one segment, a script of steps.
//
//     die=POINT  stop=POINT   get SIGKILL (stand still by SIGSTOP) on passing the named point from here on
//     say=TEXT   hear  poise  one line to the test; one from it; say that the next step is due, and wait for the word
//     create  open  join      a ring: created, opened, either; what waits on it waits for ever
//     write=N  claim  publish=N  abandon  read  take  release  put_back  close
//     buffer                  a buffer with locks, opened
//     lock  unlock  lock_shared  unlock_shared                       `lock` says "clean" or "abandoned"
//     look                    a read that does not wait, a slice after the last one: it mends
//     mutex  mlock  munlock   a named mutex, opened; `mlock` says "clean" or "abandoned"
//     event  set  wait        an automatic named event, opened; `wait` says how it ended
//     sweep                   remove_dead_segments
//     pause                   do nothing until killed

#include "crash.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>

#include <chrono>
#include <cstring>
#include <deque>
#include <thread>

namespace strait::test::crash {
namespace {

std::string deadly_point;
int passes_left = 0;
int deadly_signal = SIGKILL;

void at_point(std::string_view point) {
  if (point != deadly_point || --passes_left != 0) return;
  if (deadly_signal == SIGKILL) die_here();
  stand_still_here();
}

class Actor {
 public:
  explicit Actor(std::string name) : name_(std::move(name)) { options_.open_timeout = std::chrono::minutes(2); }

  void step(const std::string& text) {
    const auto equals = text.find('=');
    const std::string verb = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (verb == "die") return die_at(value);
    if (verb == "stop") return die_at(value, 1, SIGSTOP);
    if (verb == "say") return say(value);
    if (verb == "hear") return static_cast<void>(hear());
    if (verb == "poise") return say("poised"), static_cast<void>(hear());
    if (verb == "create") return static_cast<void>(ring_.emplace(name_, nodes, node_size, options_));
    if (verb == "open") return static_cast<void>(ring_.emplace(name_, options_));
    if (verb == "join") return static_cast<void>(ring_.emplace(open_or_create, name_, nodes, node_size, options_));
    if (verb == "try_open") return try_open();
    if (verb == "write") return tell(ring_->write(std::stoi(value), forever), "written");
    if (verb == "claim") return static_cast<void>(claims_.push_back(ring_->claim(forever)));
    if (verb == "publish") return publish(std::stoi(value));
    if (verb == "abandon") return claims_.pop_front();
    if (verb == "read") return read();
    if (verb == "take") return static_cast<void>(takes_.push_back(ring_->take(forever)));
    if (verb == "release") return takes_.pop_front();
    if (verb == "put_back") return takes_.front().put_back(), takes_.pop_front();
    if (verb == "close") return ring_->close();
    if (verb == "buffer") return static_cast<void>(buffer_.emplace(name_, options_));
    if (verb == "lock") return lock();
    if (verb == "unlock") return buffer_->release_write_lock();
    if (verb == "lock_shared") return static_cast<void>(buffer_->acquire_read_lock()), say("shared");
    if (verb == "unlock_shared") return buffer_->release_read_lock();
    if (verb == "look") return look();
    if (verb == "mutex") return static_cast<void>(mutex_.emplace(name_, options_));
    if (verb == "mlock") return mutex_->lock(), say(mutex_->was_abandoned() ? "abandoned" : "clean");
    if (verb == "munlock") return mutex_->unlock();
    if (verb == "event") return static_cast<void>(event_.emplace(name_, NamedEvent::Reset::automatic, false, options_));
    if (verb == "set") return event_->set();
    if (verb == "wait") return tell(event_->wait(forever), "ok");
    if (verb == "sweep") return static_cast<void>(remove_dead_segments());
    if (verb == "pause") return pause();
    throw std::runtime_error("no such step: " + text);
  }

 private:
  static void tell(Status status, const std::string& ok) { say(status == Status::ok ? ok : text_of(status)); }

  void try_open() {
    const auto result = caught([&] { ring_.emplace(name_, options_); });
    say(result.nothing() ? "opened" : result == Errc::not_found ? "not found" : result.text);
  }

  void publish(int number) {
    std::memcpy(claims_.front().bytes().data(), &number, sizeof number);
    claims_.front().publish(sizeof number);
    claims_.pop_front();
  }

  void read() {
    int number = -1;
    const Status status = ring_->read(number, forever);
    tell(status, std::to_string(number));
  }

  void lock() {
    static_cast<void>(buffer_->acquire_write_lock());
    say(buffer_->was_abandoned() ? "abandoned" : "clean");
  }

  void look() {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // two slices: this handle's next look is due
    int number = -1;
    tell(ring_->read(number, no_wait), std::to_string(number));
  }

  static void pause() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }

  std::string name_;
  RingOptions options_;
  std::optional<CircularBuffer> ring_;
  std::optional<BufferReadWrite> buffer_;
  std::optional<NamedMutex> mutex_;
  std::optional<NamedEvent> event_;
  std::deque<WriteClaim> claims_;
  std::deque<ReadClaim> takes_;
};

const ChildFunction run_actor{"crash: actor", [](std::span<const std::string> arguments) -> int {
  Actor actor(arguments[0]);
  for (const std::string& text : arguments.subspan(1)) actor.step(text);
  return 0;
}};

}  // namespace

void die_at(std::string_view point, int nth, int signal) {
  deadly_point = point;
  passes_left = nth;
  deadly_signal = signal;
  core::death_hook = &at_point;
}

Shown::Shown(const char* its_point, const char* its_words) : point(its_point), words(its_words) { all_shown().push_back(*this); }

std::vector<Shown>& all_shown() {
  static std::vector<Shown> all;
  return all;
}

void start_in_lap(const std::string& name, std::uint64_t lap) {
  layout::SegmentHeader header{};
  const auto bytes = shm_bytes(name);
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  const auto word = layout::NodeWord::of(lap, layout::Phase::free).bits;
  for (std::uint64_t index = 0; index < header.element_count; ++index) {
    shm_patch(name, header.payload_offset + index * *layout::node_stride(header.element_size), &word, sizeof word);
  }
}

Stage::Stage(std::uint64_t lap, int before, const RingOptions& options) : name_("crash"), owner_(name_, nodes, node_size, options) {
  if (lap != 0) start_in_lap(name_, lap);
  {
    CircularBuffer both(name_);
    for (int i = 0; i < before; ++i) {
      int out = -1;
      REQUIRE(both.write(i, no_wait) == Status::ok);
      REQUIRE(both.read(out, no_wait) == Status::ok);
      REQUIRE(out == i);
    }
  }
  ring_.emplace(name_);
}

void Stage::check_whole() {
  int out = -1;
  CHECK(ring_->read(out, no_wait) == Status::timed_out);
  for (int i = 0; i < static_cast<int>(nodes); ++i) CHECK(ring_->write(i, no_wait) == Status::ok);
  CHECK(ring_->write(99, no_wait) == Status::timed_out);
  CHECK(drain(*ring_) == std::vector<int>{0, 1, 2});
}

void Stage::check_seats(std::size_t living) {
  eventually([&] {
    int out = -1;
    static_cast<void>(ring_->read(out, no_wait));  // a look now and then mends
    return ring_->participants().size() == living;
  });
}

std::string Survivor::result() {
  if (child_) {
    const auto line = child_->read_line();
    CHECK(child_->wait().clean());
    return line.value_or("nothing");
  }
  if (step_ == "read") return next(stage_.ring());
  const Status status = stage_.ring().write(std::stoi(step_.substr(step_.find('=') + 1)), forever);
  return status == Status::ok ? "written" : text_of(status);
}

std::string next(CircularBuffer& ring) {
  int number = -1;
  const Status status = ring.read(number, forever);
  return status == Status::ok ? std::to_string(number) : text_of(status);
}

std::vector<int> drain(CircularBuffer& ring) {
  std::vector<int> all;
  int number = -1;
  while (ring.read(number, no_wait) == Status::ok) all.push_back(number);
  return all;
}

}  // namespace strait::test::crash
