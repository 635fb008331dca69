#pragma once
// The life of a segment by locks on two files (platform/posix/two_file_lock.hpp, as it is) under the scheduler: creators, openers
// and closers that die at any step, and a user who removes the name by hand. Names, files and the kernel's locks are a fake: a
// lock is refused or had at once, and is converted by letting go of it first, as flock does.
//
// Scripts:   c  create, use, close     o  open, use, close     b  open or create, use, close     r  remove by hand
//
//   S1  a living party's name refers to its object, or a user removed it by hand.     S2  two living parties: one object, likewise.
//   S3  all closed without deaths: no name and no file is left.     S4  what the dead left stops nobody.

#include "scripted.hpp"

#include <strait/platform/posix/two_file_lock.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace strait::model {

// Two names of files, and the files behind them: the same file as long as a name or somebody refers to it.
class LockFiles {
 public:
  enum class Lock : std::uint8_t { none, shared, exclusive };
  static constexpr int actors = Scheduler::max_actors + 1;
  static constexpr int gate = 0;
  static constexpr int life = 1;

  void reset() {
    names_.fill(0);
    files_.fill({});
  }

  int open(int name, int actor) {
    step("open");
    if (names_[at(name)] == 0) names_[at(name)] = unused();
    const int number = names_[at(name)];
    files_[at(number)].openers |= 1u << actor;
    scheduler.saw(static_cast<std::uint64_t>(number));
    return number;
  }

  void close(int number, int actor) {
    step("close");
    drop(number, actor);
  }

  bool lock(int number, int actor, Lock lock) {
    File& file = files_[at(number)];
    if (file.locks[at(actor)] != Lock::none) {
      step("let go to convert");
      file.locks[at(actor)] = Lock::none;
    }
    step(lock == Lock::shared ? "try shared" : "try exclusive");
    bool refused = false;
    for (const Lock other : file.locks)
      refused = refused || other == Lock::exclusive || (other == Lock::shared && lock == Lock::exclusive);
    if (!refused) file.locks[at(actor)] = lock;
    scheduler.saw(refused ? 2 : 3);
    return !refused;
  }

  bool is_in_place(int name, int number) {
    step("is it in place?");
    const bool is = names_[at(name)] == number;
    scheduler.saw(is ? 3 : 2);
    return is;
  }

  void remove(int name) {
    step("remove");
    names_[at(name)] = 0;
  }

  // Until the lock on the file of that name changes.
  void rest(int name) {
    const File& file = files_[at(names_[at(name)])];
    bool is_locked = false;
    for (const Lock lock : file.locks) is_locked = is_locked || lock == Lock::exclusive;
    if (names_[at(name)] != 0 && is_locked) scheduler.park(this, true);
  }

  void died(int actor) {
    for (int number = 1; number < static_cast<int>(files_.size()); ++number) drop(number, actor);
  }

  bool is_nothing_left() const { return names_[0] == 0 && names_[1] == 0; }

  std::uint64_t digest() const {
    std::uint64_t hash = mix(static_cast<std::uint64_t>(names_[0]), static_cast<std::uint64_t>(names_[1]));
    for (const File& file : files_) {
      std::uint64_t locks = file.openers;
      for (const Lock lock : file.locks) locks = locks << 2 | static_cast<std::uint64_t>(lock);
      hash = mix(hash, locks);
    }
    return hash;
  }

 private:
  struct File {
    std::uint32_t openers = 0;  // a bit for each actor
    std::array<Lock, actors> locks{};
  };

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  void drop(int number, int actor) {
    File& file = files_[at(number)];
    file.openers &= ~(1u << actor);
    if (std::exchange(file.locks[at(actor)], Lock::none) == Lock::exclusive) scheduler.wake(this);
  }

  int unused() {
    for (int number = 1; number < static_cast<int>(files_.size()); ++number) {
      if (files_[at(number)].openers == 0 && names_[0] != number && names_[1] != number) return number;
    }
    scheduler.fail("too many files for the scenario");
    return 0;
  }

  std::array<int, 2> names_{};
  std::array<File, 12> files_{};
};

inline LockFiles lock_files;
inline int late_actor = 0;  // who runs when all others are done

// One actor's open file. It has no more than one of each name at a time.
class ModelFile {
 public:
  ModelFile(const std::string&, const std::string& file)
      : name_(of(file)), actor_(me()), number_(lock_files.open(name_, actor_)) {}
  ModelFile(ModelFile&& other) noexcept : name_(other.name_), actor_(other.actor_), number_(std::exchange(other.number_, 0)) {}
  ModelFile& operator=(ModelFile&&) = delete;
  ~ModelFile() {
    if (number_ != 0) lock_files.close(number_, actor_);
  }

  bool try_exclusive() const { return lock_files.lock(number_, actor_, LockFiles::Lock::exclusive); }
  bool try_shared() const { return lock_files.lock(number_, actor_, LockFiles::Lock::shared); }
  bool is_in_place() const { return lock_files.is_in_place(name_, number_); }
  void remove() const { lock_files.remove(name_); }
  static void rest(const std::string& file) { lock_files.rest(of(file)); }

 private:
  static int of(const std::string& file) { return file.ends_with(".gate") ? LockFiles::gate : LockFiles::life; }
  static int me() { return scheduler.current() < 0 ? late_actor : scheduler.current(); }

  int name_;
  int actor_;
  int number_;
};

class LifeModel final : public ScriptedModel {
 public:
  using ScriptedModel::ScriptedModel;

  void reset() override {
    name_ = 0;
    objects_.fill({});
    opened_.fill(0);
    uses_.fill(0);
    lock_files.reset();
  }

  void run(int actor) override {
    std::uint64_t place = 0;
    for (const char letter : of(actor).script) {
      scheduler.begin(++place);
      if (letter == 'r') {
        remove_by_hand(actor);
      } else {
        enter(actor, letter);
      }
    }
  }

  void died(int party) override {
    opened_[at(party)] = uses_[at(party)] = 0;
    lock_files.died(party);
  }

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(lock_files.digest(), static_cast<std::uint64_t>(name_));
    for (const Object& one : objects_)
      hash = mix(hash, static_cast<std::uint64_t>(one.content) << 1 | (one.removed_by_hand ? 1u : 0u));
    for (std::size_t i = 0; i < uses_.size(); ++i)
      hash = mix(hash, static_cast<std::uint64_t>(opened_[i]) << 8 | static_cast<std::uint64_t>(uses_[i]));
    return hash;
  }

  void finish() override {
    if (scheduler.deaths() == 0 && name_ != 0) return scheduler.fail("S3: the name is left");
    if (scheduler.deaths() == 0 && !lock_files.is_nothing_left()) return scheduler.fail("S3: a lock file is left");
    late_actor = actor_count();
    if (!enter(late_actor, 'b')) return scheduler.fail("S4: what the dead left stops a creator");
    if (name_ != 0 || !lock_files.is_nothing_left()) return scheduler.fail("S3: the last one out leaves something");
  }

 private:
  using Lock = platform::TwoFileLock<ModelFile>;
  enum class Content : std::uint8_t { empty, creating, ready };
  struct Object {
    Content content = Content::empty;
    bool removed_by_hand = false;
  };


  // The lowest number that nobody refers to, so that equal states look equal.
  int new_object() {
    for (int number = 1; number < static_cast<int>(objects_.size()); ++number) {
      bool is_used = name_ == number;
      for (const int opened : opened_) is_used = is_used || opened == number;
      if (is_used) continue;
      objects_[at(number)] = {};
      return number;
    }
    scheduler.fail("too many objects for the scenario");
    return 0;
  }

  bool is_named(int object) {
    step("is it still named?");
    return saw(name_ == object);
  }
  Content look(int object) {
    step("what is in it?");
    const Content content = objects_[at(object)].content;
    scheduler.saw(static_cast<std::uint64_t>(content));
    return content;
  }

  void check() {
    for (const int one : uses_) {
      if (one == 0) continue;
      if (name_ != one && !objects_[at(one)].removed_by_hand)
        scheduler.fail("S1: a living party's name does not refer to its object");
      for (const int other : uses_) {
        if (other != 0 && other != one && !objects_[at(one)].removed_by_hand && !objects_[at(other)].removed_by_hand)
          scheduler.fail("S2: two living parties with different objects");
      }
    }
  }

  void remove_name() {
    step("remove the name");
    name_ = 0;
    check();
  }

  // As segment/segment.hpp. False: it came in vain.
  bool enter(int actor, char how) {
    for (int tries = 0; tries < 40; ++tries) {
      step("open the object");
      if (name_ == 0) {
        scheduler.saw(0);
        if (how == 'o') return false;  // not found
        name_ = new_object();
      }
      const int object = opened_[at(actor)] = name_;
      scheduler.saw(static_cast<std::uint64_t>(object));
      const bool had_a_part = attempt(actor, object, how);
      if (had_a_part) return true;
      opened_[at(actor)] = 0;
      if (is_over_) return false;
      lock_files.rest(LockFiles::gate);
    }
    scheduler.fail("PROGRESS: it tries again and again");
    return false;
  }

  bool attempt(int actor, int object, char how) {
    is_over_ = false;
    Lock life("x");
    if (life.try_exclusive()) {
      if (!is_named(object)) return false;
      if (look(object) == Content::empty && how != 'o') {
        step("write the header");
        objects_[at(object)].content = Content::creating;
        step("ready");
        objects_[at(object)].content = Content::ready;
        if (!life.try_shared()) scheduler.fail("a creator lost its lock");
        use_and_close(actor, object, life);
        return true;
      }
      remove_name();
      is_over_ = how == 'o';  // not found
      return false;
    }
    if (!life.try_shared() || !is_named(object) || look(object) != Content::ready) return false;
    if (how == 'c') {
      is_over_ = true;  // already exists
      close(object, life);
      return false;
    }
    use_and_close(actor, object, life);
    return true;
  }

  void use_and_close(int actor, int object, Lock& life) {
    step("use");
    uses_[at(actor)] = object;
    check();
    step("used");
    uses_[at(actor)] = 0;
    close(object, life);
    life.unlock();
    opened_[at(actor)] = 0;
  }

  void close(int object, Lock& life) {
    if (life.became_last() && is_named(object)) remove_name();
  }

  // As shared_buffer.hpp.
  void remove_by_hand(int actor) {
    static_cast<void>(actor);
    Lock::Removal removal("x");
    step("is there an object?");
    if (!saw(name_ != 0)) return;
    step("remove the name by hand");
    if (name_ == 0) return;
    objects_[at(name_)].removed_by_hand = true;
    name_ = 0;
    removal.done();
  }

  int name_ = 0;  // the object that the name means, 0: there is no such name
  std::array<Object, 12> objects_{};
  std::array<int, LockFiles::actors> opened_{};
  std::array<int, LockFiles::actors> uses_{};
  bool is_over_ = false;
};

inline std::vector<ScriptedScenario> life_scenarios() {
  constexpr bool dies = true;
  return {
      {"2 creators", {{"cc"}, {"cc"}}},
      {"a creator, an opener", {{"cc"}, {"oo"}}},
      {"2 who open or create", {{"bb"}, {"bb"}}},
      {"3 who open or create", {{"b"}, {"b"}, {"b"}}},
      {"a creator, one who opens or creates, an opener", {{"c"}, {"b"}, {"o"}}},
      {"a creator, an opener, and a user removes the name", {{"c"}, {"o"}, {"r"}}},
      {"2 who open or create, and a user removes the name", {{"bb"}, {"b"}, {"r"}}},
      {"a creator dies, another comes", {{"c", dies}, {"cc"}}, 1},
      {"anybody dies: a creator, one who opens or creates, an opener", {{"c", dies}, {"b", dies}, {"o", dies}}, 1},
      {"two die", {{"b", dies}, {"b", dies}, {"bo"}}, 2},
      {"a creator dies, and a user removes the name", {{"c", dies}, {"b"}, {"r"}}, 1},
  };
}

}  // namespace strait::model
