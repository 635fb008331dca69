// The steps of the reader-writer lock, one thread: what each leaves in the words, whom it wakes, and the mend of what the dead
// left. Tests whose names begin with DEATH bear the words of the notes in handle/lock_handle.hpp.

#include "support/catch.hpp"

#include <strait/lock/rw_lock.hpp>

#include <array>
#include <atomic>
#include <cstdint>

using namespace strait;
using namespace strait::lock;

namespace {

struct Words {
  std::atomic<std::uint32_t> lock{0};
  std::array<std::atomic<std::uint32_t>, 4> readers{};
  int freed = 0;
  int left = 0;
};

class Memory {
 public:
  explicit Memory(Words& words) noexcept : words_(&words) {}
  std::atomic<std::uint32_t>& lock() noexcept { return words_->lock; }
  std::atomic<std::uint32_t>& readers(Seat seat) noexcept { return words_->readers[seat]; }
  Seat seat_count() const noexcept { return 4; }
  void wake(SignalName name) const noexcept { ++(name == SignalName::lock_freed ? words_->freed : words_->left); }

 private:
  Words* words_;
};

struct Fixture {
  Words words;
  RwLock<Memory> lock{Memory(words)};
  bool held_alone(Seat seat) { return lock.try_take_word(seat) && lock.next_reader(0) == 4; }
};

}  // namespace

TEST_CASE("readers share, a writer is alone") {
  Fixture f;
  CHECK(f.lock.is_free());
  CHECK(f.lock.try_lock_shared(0));
  CHECK(f.lock.try_lock_shared(1));
  CHECK(f.lock.try_lock_shared(1));  // threads of one handle share a seat
  CHECK(f.words.readers[1] == 2);

  CHECK(f.lock.try_take_word(2));  // a writer takes the word first, then waits for the readers
  CHECK_FALSE(f.lock.is_free());
  CHECK(f.words.lock == 3);
  CHECK(f.lock.next_reader(0) == 0);
  f.lock.unlock_shared(0);
  CHECK(f.lock.next_reader(0) == 1);
  f.lock.unlock_shared(1);
  CHECK(f.lock.next_reader(1) == 1);
  f.lock.unlock_shared(1);
  CHECK(f.lock.next_reader(1) == 4);
  CHECK(f.words.left == 3);  // each that leaves wakes the writer

  CHECK_FALSE(f.lock.try_lock_shared(0));
  CHECK_FALSE(f.lock.try_take_word(3));
  f.lock.unlock();
  CHECK(f.words.freed == 1);
  CHECK(f.lock.is_free());
  CHECK(f.lock.try_lock_shared(0));
}

TEST_CASE("a refused reader leaves no count and wakes nobody, because it has not counted") {
  Fixture f;
  REQUIRE(f.lock.try_take_word(1));
  CHECK_FALSE(f.lock.try_lock_shared(0));
  CHECK(f.words.readers[0] == 0);
}

TEST_CASE("a reader that counted too late backs out and wakes the writer that may have seen its count") {
  // The writer comes between the reader's count and its second look: this word changes under fetch_add.
  struct Count : std::atomic<std::uint32_t> {
    std::atomic<std::uint32_t>* lock = nullptr;
    std::uint32_t fetch_add(std::uint32_t by, std::memory_order order) {
      lock->store(2);
      return std::atomic<std::uint32_t>::fetch_add(by, order);
    }
  };
  struct LateMemory {
    std::atomic<std::uint32_t>* word;
    Count* count;
    int* woken;
    std::atomic<std::uint32_t>& lock() { return *word; }
    Count& readers(Seat) { return *count; }
    Seat seat_count() const { return 1; }
    void wake(SignalName name) const { *woken += name == SignalName::reader_left; }
  };
  std::atomic<std::uint32_t> word{0};
  Count count;
  count.store(0);
  count.lock = &word;
  int woken = 0;
  RwLock<LateMemory> lock{LateMemory{&word, &count, &woken}};
  CHECK_FALSE(lock.try_lock_shared(0));
  CHECK(count.load() == 0);
  CHECK(woken == 1);
}

TEST_CASE("a writer waits for the readers of its own seat too") {
  Fixture f;
  REQUIRE(f.lock.try_lock_shared(2));
  REQUIRE(f.lock.try_take_word(2));
  CHECK(f.lock.next_reader(0) == 2);
}

TEST_CASE("the mark of an abandoned lock stays until a writer says that the data is whole") {
  Fixture f;
  REQUIRE(f.held_alone(1));
  f.lock.unlock_abandoned();  // a thread exited with it
  CHECK(f.lock.is_free());
  CHECK(f.lock.is_abandoned());
  CHECK(f.words.freed == 1);

  CHECK(f.lock.try_lock_shared(0));  // readers get in and are not told
  f.lock.unlock_shared(0);
  CHECK(f.lock.is_abandoned());

  REQUIRE(f.held_alone(2));  // the next writer is told
  CHECK(f.lock.is_abandoned());
  CHECK(f.words.lock == (3u | layout::lock_abandoned));
  f.lock.unlock_keeping_mark();  // it wrote only part of the data, or gave up
  CHECK(f.lock.is_free());
  CHECK(f.lock.is_abandoned());

  REQUIRE(f.held_alone(3));
  f.lock.unlock();
  CHECK_FALSE(f.lock.is_abandoned());
  CHECK(f.words.lock == 0);
}

TEST_CASE("giving up a lock that nobody abandoned leaves no mark") {
  Fixture f;
  REQUIRE(f.lock.try_take_word(1));
  f.lock.unlock_keeping_mark();
  CHECK(f.words.lock == 0);
  CHECK(f.words.freed == 1);
}

TEST_CASE("DEATH: counted as a reader: the mend clears the count and writers go on") {
  Fixture f;
  REQUIRE(f.lock.try_lock_shared(1));
  REQUIRE(f.lock.try_lock_shared(1));
  REQUIRE(f.lock.try_lock_shared(3));
  REQUIRE(f.lock.try_take_word(0));
  f.lock.mend(1);
  CHECK(f.lock.next_reader(0) == 3);  // the living reader still counts
  CHECK(f.words.lock == 1);           // and so does the writer
  f.lock.unlock_shared(3);
  CHECK(f.lock.next_reader(0) == 4);
  CHECK_FALSE(f.lock.is_abandoned());  // a dead reader has written nothing
}

TEST_CASE("DEATH: the word names us: the mend frees it and marks it abandoned") {
  for (const bool marked_before : {false, true}) {
    Fixture f;
    f.words.lock = marked_before ? layout::lock_abandoned : 0;
    REQUIRE(f.lock.try_take_word(1));
    f.lock.mend(1);
    CHECK(f.words.lock == layout::lock_abandoned);
    CHECK(f.lock.is_free());
    REQUIRE(f.held_alone(0));
    CHECK(f.lock.is_abandoned());
  }
}

TEST_CASE("DEATH: written and not unlocked: the mend frees the word and marks it abandoned, though the data is whole") {
  Fixture f;
  REQUIRE(f.held_alone(1));
  f.lock.mend(1);
  REQUIRE(f.held_alone(2));
  CHECK(f.lock.is_abandoned());
  f.lock.unlock();
  REQUIRE(f.held_alone(2));
  CHECK_FALSE(f.lock.is_abandoned());
}

TEST_CASE("a mend of the lock may be done twice, and frees nothing of the living") {
  Fixture f;
  REQUIRE(f.lock.try_take_word(1));
  f.lock.mend(1);
  REQUIRE(f.lock.try_take_word(2));
  f.lock.mend(1);
  CHECK(f.words.lock == (3u | layout::lock_abandoned));
  f.lock.mend(0);
  CHECK_FALSE(f.lock.is_free());
  // Seats next to each other: the word holds the seat plus one.
  f.lock.mend(3);
  CHECK_FALSE(f.lock.is_free());
}
