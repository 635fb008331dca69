// Killed at any instruction, taken at its word: a process runs an operation one machine instruction at a time and is killed after
// the first, after the second, and so on to the end; after each kill the survivors find everything in order.
//
// Each run cuts at some instructions, from a random start, so that many runs cut everywhere; STRAIT_EVERY_INSTRUCTION=1 cuts at all
// of them and takes about a minute for each short operation. The survivors mend by attaching, so no slice is waited for.

#include "crash.hpp"

#include <strait/buffer_read_write.hpp>

#ifdef __linux__
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>

using namespace strait::test;
using namespace strait::test::crash;
using strait::BufferReadWrite;
using strait::CircularBuffer;
using strait::Errc;
using strait::forever;
using strait::no_wait;
using strait::Status;

namespace {

// What the doomed process has come to know; survives it.
struct Progress {
  volatile int step;
};

Progress& progress() {
  static auto* const memory =
      static_cast<Progress*>(::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *memory;
}

// What the doomed process does: everything before `mark()` is preparation, everything after it is cut.
using Doomed = std::function<void(const std::function<void()>& mark)>;

enum class Cut { killed, finished, refused };

Cut cut_after(long instructions, const Doomed& doomed) {
  progress().step = 0;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(77);
    try {
      doomed([] { ::raise(SIGSTOP); });
    } catch (const std::exception& error) {
      std::cerr << "doomed: " << error.what() << std::endl;
      ::_exit(78);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) {
    CHECK(WEXITSTATUS(status) == 77);
    return Cut::refused;
  }
  for (long done = 0; done < instructions; ++done) {
    ::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
      CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
      return Cut::finished;
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return Cut::killed;
}

bool every_instruction() { return std::getenv("STRAIT_EVERY_INSTRUCTION") != nullptr; }
std::chrono::seconds patient() { return std::chrono::seconds(every_instruction() ? 24 * 3600 : 110); }

// Cuts after more and more instructions, until the operation comes to its end before the cut; how many cuts there were.
template <class Once>
long sweep(long stride, Once once) {
  if (every_instruction()) stride = 1;
  std::mt19937_64 random(std::random_device{}());
  long cuts = 0;
  for (long after = stride == 1 ? 0 : static_cast<long>(random() % static_cast<std::uint64_t>(stride));; after += stride) {
    // Every cut takes the whole way again: the longer the way, the wider apart.
    if (stride > 1 && after > 4000) stride += stride / 6;
    INFO("killed after " << after << " instructions");
    const Cut cut = once(after);
    if (cut == Cut::refused) {
      WARN("skipped: this system does not let a process follow another");
      return 0;
    }
    ++cuts;
    if (cut == Cut::finished) return cuts;
  }
}

// One survivor was there before the death; one attaches after it, and mends.
void check_ring(CircularBuffer& there, const std::string& name, const std::function<void(const std::vector<int>&)>& expect) {
  CircularBuffer after(name);
  CHECK(after.participants().size() == 3);  // the owner, the one that was there, the one that came: the dead is mended
  expect(drain(there));
  for (int i = 0; i < static_cast<int>(nodes); ++i) CHECK(there.write(i, no_wait) == Status::ok);
  CHECK(there.write(9, no_wait) == Status::timed_out);
  CHECK(drain(there) == std::vector<int>{0, 1, 2});
}

// One ring, its head one node further with every cut.
void sweep_ring(const char* what, bool with_message, const std::function<void(CircularBuffer&, const std::function<void()>&)>& operation,
                const std::function<void(const std::vector<int>&, int step)>& expect, const strait::RingOptions& options = {}) {
  NameGuard name("crash");
  CircularBuffer owner(name, nodes, node_size, options);
  const long cuts = sweep(31, [&](long after) {
    std::optional<CircularBuffer> there(std::in_place, name);
    if (after % 2 == 0) {
      CHECK(there->write(0, no_wait) == Status::ok);
      CHECK(drain(*there) == std::vector<int>{0});
    }
    if (with_message) CHECK(there->write(100, no_wait) == Status::ok);
    there.emplace(name);  // gives an exclusive side back
    const Cut cut = cut_after(after, [&](const std::function<void()>& mark) {
      CircularBuffer ring(name);
      operation(ring, mark);
    });
    if (cut != Cut::refused) check_ring(*there, name, [&](const std::vector<int>& got) { expect(got, progress().step); });
    return cut;
  });
  std::cout << what << ": killed at " << cuts << " instructions" << std::endl;
}

const std::vector<int> nothing{};
const std::vector<int> the_message{100};

void write_expectation(const std::vector<int>& got, int step) {
  if (step == 1) {
    CHECK(got == the_message);  // it was acknowledged
  } else {
    CHECK((got == the_message || got == nothing));
  }
}

void read_expectation(const std::vector<int>& got, int step) {
  if (step == 0) {
    CHECK(got == the_message);  // its reader had not got it yet
  } else if (step == 1) {
    CHECK((got == the_message || got == nothing));
  } else {
    CHECK(got == nothing);  // it was released
  }
}

strait::RingOptions exclusive() {
  strait::RingOptions options;
  options.writers = strait::Sharing::one;
  options.readers = strait::Sharing::one;
  return options;
}

}  // namespace

TEST_CASE("a writer killed at any instruction of a write: the message is there or not, never half, and if it was acknowledged it is there") {
  const Watchdog watchdog(patient());
  for (const auto& options : {strait::RingOptions{}, exclusive()}) {
    sweep_ring(
        "write", false,
        [](CircularBuffer& ring, const std::function<void()>& mark) {
          mark();
          if (ring.write(100, no_wait) == Status::ok) progress().step = 1;
          ::_exit(0);
        },
        write_expectation, options);
  }
}

TEST_CASE("a reader killed at any instruction of a read: the message is its own only once it has it, and is gone only once it was released") {
  const Watchdog watchdog(patient());
  for (const auto& options : {strait::RingOptions{}, exclusive()}) {
    sweep_ring(
        "read", true,
        [](CircularBuffer& ring, const std::function<void()>& mark) {
          mark();
          static_cast<void>(ring.read_with([](std::span<const std::byte>) { progress().step = 1; }, no_wait));
          progress().step = 2;
          ::_exit(0);
        },
        read_expectation, options);
  }
}

TEST_CASE("a reader killed at any instruction of putting a message back: it is delivered again, once") {
  const Watchdog watchdog(patient());
  sweep_ring(
      "take and put back", true,
      [](CircularBuffer& ring, const std::function<void()>& mark) {
        mark();
        ring.take(no_wait).put_back();
        ::_exit(0);
      },
      [](const std::vector<int>& got, int) { CHECK(got == the_message); });
}

TEST_CASE("a writer killed at any instruction of giving a claim up: nothing is delivered and no node is lost") {
  const Watchdog watchdog(patient());
  sweep_ring(
      "claim and abandon", false,
      [](CircularBuffer& ring, const std::function<void()>& mark) {
        mark();
        ring.claim(no_wait).abandon();
        ::_exit(0);
      },
      [](const std::vector<int>& got, int) { CHECK(got == nothing); });
}

TEST_CASE("a mender killed at any instruction of a mend: what the first dead one held is given back, once") {
  const Watchdog watchdog(patient());
  NameGuard name("crash");
  CircularBuffer owner(name, nodes, node_size);
  // The mend is in the middle of an open; the cuts begin where the newcomer sits down.
  const long cuts = sweep(101, [&](long after) {
    CircularBuffer there(name);
    CHECK(there.write(100, no_wait) == Status::ok);
    CHECK(cut_after(0, [&](const std::function<void()>& mark) {
            CircularBuffer ring(name);
            const auto taken = ring.take(forever);
            const auto claimed = ring.claim(forever);
            mark();
            ::_exit(0);
          }) != Cut::finished);
    const Cut cut = cut_after(after, [&](const std::function<void()>& mark) {
      static const std::function<void()>* start = nullptr;
      start = &mark;
      strait::core::death_hook = [](std::string_view point) {
        if (point == "sit: presence held") (*start)();
      };
      CircularBuffer ring(name);
      ::_exit(0);
    });
    if (cut != Cut::refused) check_ring(there, name, [](const std::vector<int>& got) { CHECK(got == the_message); });
    return cut;
  });
  std::cout << "mend: killed at " << cuts << " instructions" << std::endl;
}

TEST_CASE("a writer killed at any instruction of its turn with the lock: the lock is free, and half-written data is told of") {
  const Watchdog watchdog(patient());
  NameGuard name("crash");
  BufferReadWrite buffer(name, 64);
  const long cuts = sweep(61, [&](long after) {
    buffer.write(0);
    const Cut cut = cut_after(after, [&](const std::function<void()>& mark) {
      BufferReadWrite own(name);
      mark();
      own.write_with([](std::span<std::byte> bytes) {
        bytes[0] = std::byte{1};  // half
        progress().step = 1;
        bytes[0] = std::byte{2};  // whole
        progress().step = 2;
      });
      progress().step = 3;
      ::_exit(0);
    });
    if (cut == Cut::refused) return cut;
    BufferReadWrite attached(name);
    CHECK(attached.acquire_write_lock(no_wait));
    const auto value = attached.read<unsigned char>();
    if (value == 1) CHECK(attached.was_abandoned());
    if (progress().step >= 2) CHECK(value == 2);
    if (progress().step == 3) CHECK_FALSE(attached.was_abandoned());
    attached.release_write_lock();
    CHECK(buffer.try_lock_shared());
    CHECK_FALSE(buffer.was_abandoned());
    buffer.unlock_shared();
    return cut;
  });
  std::cout << "write lock and unlock: killed at " << cuts << " instructions" << std::endl;
}

TEST_CASE("a reader killed at any instruction of its turn with the lock: writers get in, and nothing counts as abandoned") {
  const Watchdog watchdog(patient());
  NameGuard name("crash");
  BufferReadWrite buffer(name, 64);
  const long cuts = sweep(31, [&](long after) {
    const Cut cut = cut_after(after, [&](const std::function<void()>& mark) {
      BufferReadWrite own(name);
      mark();
      own.read_with([](std::span<const std::byte>) {});
      ::_exit(0);
    });
    if (cut == Cut::refused) return cut;
    BufferReadWrite attached(name);
    CHECK(attached.try_lock());
    CHECK_FALSE(attached.was_abandoned());
    attached.unlock();
    return cut;
  });
  std::cout << "read lock and unlock: killed at " << cuts << " instructions" << std::endl;
}

TEST_CASE("a creator killed at an instruction of creating: the next creator or opener deals with what it left in one go") {
  const Watchdog watchdog(patient());
  const long cuts = sweep(1201, [&](long after) {
    NameGuard name("crash");
    const Cut cut = cut_after(after, [&](const std::function<void()>& mark) {
      mark();
      const CircularBuffer ring(name, nodes, node_size);
      ::_exit(0);
    });
    if (cut == Cut::refused) return cut;
    if (after % 2 == 0) CHECK(caught([&] { CircularBuffer opener(name); }) == Errc::not_found);
    CircularBuffer creator(name, nodes, node_size);
    CHECK(creator.write(1, no_wait) == Status::ok);
    CHECK(drain(creator) == std::vector<int>{1});
    return cut;
  });
  std::cout << "create: killed at " << cuts << " instructions" << std::endl;
}

TEST_CASE("an opener killed at an instruction of opening, using and closing: its seat is free and the others do not notice") {
  const Watchdog watchdog(patient());
  NameGuard name("crash");
  CircularBuffer owner(name, nodes, node_size);
  const long cuts = sweep(1201, [&](long after) {
    CircularBuffer there(name);
    const Cut cut = cut_after(after, [&](const std::function<void()>& mark) {
      mark();
      {
        CircularBuffer ring(name);
        if (ring.write(100, no_wait) == Status::ok) progress().step = 1;
      }
      ::_exit(0);
    });
    if (cut != Cut::refused) check_ring(there, name, [&](const std::vector<int>& got) { write_expectation(got, progress().step); });
    return cut;
  });
  std::cout << "open, write, close: killed at " << cuts << " instructions" << std::endl;
}

TEST_CASE("the last one out killed at an instruction of closing: the next party finds nothing, or is the creator of a new one") {
  const Watchdog watchdog(patient());
  const long cuts = sweep(101, [&](long after) {
    NameGuard name("crash");
    const Cut cut = cut_after(after, [&](const std::function<void()>& mark) {
      CircularBuffer ring(name, nodes, node_size);
      mark();
      ring.close();
      ::_exit(0);
    });
    if (cut == Cut::refused) return cut;
    if (after % 2 == 0) CHECK(caught([&] { CircularBuffer opener(name); }) == Errc::not_found);
    CircularBuffer creator(name, nodes, node_size);
    CHECK(creator.is_owner());
    CHECK(creator.write(1, no_wait) == Status::ok);
    CHECK(drain(creator) == std::vector<int>{1});
    return cut;
  });
  std::cout << "close: killed at " << cuts << " instructions" << std::endl;
}
#endif
