#pragma once
// The life of a struct's two objects under the scheduler (segment/segment.hpp, segment/beside.hpp, segment/raw_object.hpp): creators,
// openers and closers that die at any step, and foreign programs that make an object of the same name. The steps are those of the
// headers in the same order; names, objects and the kernel's locks are a fake, because the headers call the system.
//
// Scripts:   c  create, use, close     o  open, use, close (a foreign object is adopted)     f  a foreign program makes the object
//
//   B1  a name that means a filled object of ours: the control segment's name is there, and has it recorded.
//   B2  what a foreign program made is never removed.
//   S2  two who use the struct at a time use the same two objects.     S3, S4  nothing is left, and nothing left is in the way.

#include "scripted.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace strait::model {

class PairModel final : public ScriptedModel {
 public:
  using ScriptedModel::ScriptedModel;

  void reset() override {
    control_name_ = bytes_name_ = 0;
    controls_.fill({});
    bytes_.fill({});
    control_count_ = bytes_count_ = 0;
    dead_.fill(false);
    uses_.fill({});
  }

  void run(int actor) override {
    std::uint64_t place = 0;
    for (const char letter : of(actor).script) {
      scheduler.begin(++place);
      if (letter == 'f') {
        step("foreign");
        if (bytes_name_ == 0) bytes_name_ = new_bytes(true);
      } else {
        enter(actor, letter == 'c');
      }
    }
  }

  void died(int party) override {
    dead_[at(party)] = true;
    uses_[at(party)] = {};
    for (Control& one : controls_) {
      if (one.exclusive == party + 1) one.exclusive = 0;
      one.shared &= ~(1u << party);
    }
  }

  std::uint64_t digest() const override {
    std::uint64_t hash = mix(static_cast<std::uint64_t>(control_name_), static_cast<std::uint64_t>(bytes_name_));
    for (const Control& one : controls_) {
      hash = mix(hash, static_cast<std::uint64_t>(one.content) | static_cast<std::uint64_t>(one.recorded) << 8 |
                           static_cast<std::uint64_t>(one.is_ours) << 16 | static_cast<std::uint64_t>(one.exclusive) << 24 |
                           static_cast<std::uint64_t>(one.shared) << 32);
    }
    for (const Bytes& one : bytes_)
      hash = mix(hash, static_cast<std::uint64_t>(one.filled) | static_cast<std::uint64_t>(one.foreign) << 1);
    for (const Use& one : uses_)
      hash = mix(hash, static_cast<std::uint64_t>(one.control) | static_cast<std::uint64_t>(one.bytes) << 8);
    return mix(hash, static_cast<std::uint64_t>(control_count_) | static_cast<std::uint64_t>(bytes_count_) << 8);
  }

  void finish() override {
    if (scheduler.deaths() == 0 && control_name_ != 0) return scheduler.fail("S3: the control segment's name is left");
    if (scheduler.deaths() == 0 && bytes_name_ != 0 && !bytes_[at(bytes_name_)].foreign)
      return scheduler.fail("S3: the bytes' name is left");
    // S4: somebody comes when everybody is gone.
    const int late = actor_count();
    const bool foreign = bytes_name_ != 0 && bytes_[at(bytes_name_)].foreign;
    enter(late, true);
    if (!came_in_ && !foreign) return scheduler.fail("S4: what the dead left stops a creator");
    if (control_name_ != 0 || (bytes_name_ != 0 && !bytes_[at(bytes_name_)].foreign))
      return scheduler.fail("S3: a name is left by the last one out");
  }

 private:
  enum class Content : std::uint8_t { empty, creating, ready };
  struct Control {
    Content content = Content::empty;
    int recorded = 0;
    bool is_ours = false;
    int exclusive = 0;         // actor + 1
    std::uint32_t shared = 0;  // a bit for each actor
  };
  struct Bytes {
    bool filled = false;
    bool foreign = false;
  };
  struct Use {
    int control = 0;
    int bytes = 0;
  };

  Control& control(int number) { return controls_[at(number)]; }

  int new_control() {
    if (control_count_ + 1 >= static_cast<int>(controls_.size())) scheduler.fail("too many objects for the scenario");
    return ++control_count_;
  }
  int new_bytes(bool foreign) {
    if (bytes_count_ + 1 >= static_cast<int>(bytes_.size())) scheduler.fail("too many objects for the scenario");
    bytes_[at(++bytes_count_)] = {foreign, foreign};
    return bytes_count_;
  }

  bool try_exclusive(int object, int actor) {
    step("try the exclusive lock");
    Control& one = control(object);
    const std::uint32_t others = one.shared & ~(1u << actor);
    if (!saw((one.exclusive == 0 || one.exclusive == actor + 1) && others == 0)) return false;
    one.exclusive = actor + 1;
    one.shared = 0;
    return true;
  }
  bool try_shared(int object, int actor) {
    step("try the shared lock");
    Control& one = control(object);
    if (!saw(one.exclusive == 0 || one.exclusive == actor + 1)) return false;
    one.exclusive = 0;
    one.shared |= 1u << actor;
    return true;
  }
  void unlock(int object, int actor) {
    step("unlock");
    Control& one = control(object);
    if (one.exclusive == actor + 1) one.exclusive = 0;
    one.shared &= ~(1u << actor);
  }
  bool is_named(int object) {
    step("is it still named?");
    return saw(control_name_ == object);
  }

  // B1, at every step that changes a name or a record.
  void check() {
    if (bytes_name_ == 0 || bytes_[at(bytes_name_)].foreign || !bytes_[at(bytes_name_)].filled) return;
    if (control_name_ == 0 || control(control_name_).recorded != bytes_name_)
      scheduler.fail("B1: bytes of ours without their control segment");
  }

  // Under the exclusive lock.
  void remove_pair(int object) {
    step("look at the record");
    const int recorded = control(object).is_ours ? control(object).recorded : 0;
    scheduler.saw(static_cast<std::uint64_t>(recorded));
    if (recorded != 0) {
      step("no longer ready");
      control(object).content = Content::creating;
      step("are the bytes those?");
      if (saw(bytes_name_ == recorded)) {
        step("remove the bytes");
        if (bytes_[at(bytes_name_)].foreign) scheduler.fail("B2: a foreign object is removed");
        bytes_name_ = 0;
        check();
      }
    }
    step("remove the control segment");
    control_name_ = 0;
    check();
  }

  // False: a foreign program's bytes are in the way of a creator, or gone.
  bool make_bytes(int object, bool creates) {
    step("open or make the bytes");
    if (bytes_name_ == 0) {
      scheduler.saw(0);
      if (!creates) return false;  // the foreign program's are gone
      bytes_name_ = new_bytes(false);
    }
    const int number = bytes_name_;
    const Bytes found = bytes_[at(number)];
    scheduler.saw(static_cast<std::uint64_t>(number) << 2 | (found.filled ? 2u : 0u) | (found.foreign ? 1u : 0u));
    if (found.filled && !found.foreign) scheduler.fail("B1: a creator meets bytes of ours");
    if (creates == found.filled) return false;
    step("record them");
    control(object).recorded = number;
    control(object).is_ours = creates;
    if (creates) {
      step("fill them");
      bytes_[at(number)].filled = true;
      check();
    }
    return true;
  }

  void enter(int actor, bool creates) {
    came_in_ = false;
    for (int tries = 0; tries < 6; ++tries) {
      step("open the control segment");
      bool makes = creates;
      if (control_name_ == 0) {
        scheduler.saw(0);
        if (!creates) {
          step("look at the bytes");
          if (!saw(bytes_name_ != 0 && bytes_[at(bytes_name_)].filled)) return;  // not found
          makes = true;                                                          // to adopt them
          step("open or make the control segment");
        }
        if (control_name_ == 0) control_name_ = new_control();
      }
      const int object = control_name_;
      scheduler.saw(static_cast<std::uint64_t>(object));
      if (try_exclusive(object, actor)) {
        if (!is_named(object)) {
          unlock(object, actor);
          continue;
        }
        step("what is in it?");
        const bool is_empty = saw(control(object).content == Content::empty);
        if (is_empty && makes) {
          step("write the header");
          control(object).content = Content::creating;
          const bool made = make_bytes(object, creates);
          if (!made) {
            remove_pair(object);
            unlock(object, actor);
            return;
          }
          step("ready");
          control(object).content = Content::ready;
          if (!try_shared(object, actor)) scheduler.fail("a creator lost its lock");
          use_and_close(object, actor);
          return;
        }
        remove_pair(object);
        unlock(object, actor);
        if (!creates) return;  // not found
        continue;
      }
      if (!try_shared(object, actor)) continue;
      const bool named = is_named(object);
      step("is it ready?");
      const bool is_ready = saw(control(object).content == Content::ready);
      if (named && is_ready && !creates) {
        use_and_close(object, actor);
        return;
      }
      close(object, actor, named && is_ready);
      if (named && is_ready) return;  // already exists
    }
  }

  void use_and_close(int object, int actor) {
    step("open the bytes");
    uses_[at(actor)] = {object, bytes_name_};
    came_in_ = true;
    if (bytes_name_ != control(object).recorded) scheduler.fail("S1: the bytes' name does not mean what is recorded");
    for (const Use& other : uses_) {
      if (other.control != 0 && (other.control != object || other.bytes != bytes_name_))
        scheduler.fail("S2: two use different objects");
    }
    step("use");
    uses_[at(actor)] = {};
    close(object, actor, true);
  }

  void close(int object, int actor, bool removes) {
    if (!removes) return unlock(object, actor);
    if (!try_exclusive(object, actor)) {
      unlock(object, actor);
      if (!try_exclusive(object, actor)) return;
    }
    if (is_named(object)) remove_pair(object);
    unlock(object, actor);
  }

  int control_name_ = 0;  // the object that the name means, 0: there is no such name
  int bytes_name_ = 0;
  std::array<Control, 12> controls_{};
  std::array<Bytes, 12> bytes_{};
  int control_count_ = 0;
  int bytes_count_ = 0;
  std::array<bool, Scheduler::max_actors + 1> dead_{};
  std::array<Use, Scheduler::max_actors + 1> uses_{};
  bool came_in_ = false;
};

inline std::vector<ScriptedScenario> pair_scenarios() {
  constexpr bool dies = true;
  return {
      {"2 creators", {{"c"}, {"c"}}},
      {"a creator, an opener", {{"cc"}, {"oo"}}},
      {"a creator, 2 openers", {{"c"}, {"o"}, {"o"}}},
      {"a creator and a foreign program", {{"cc"}, {"f"}}},
      {"2 openers of a foreign object", {{"fo"}, {"oo"}}},
      {"openers, a creator and a foreign program", {{"o"}, {"co"}, {"f"}}},
      {"a creator dies, another comes", {{"c", dies}, {"c"}}, 1},
      {"a creator dies, an opener, then a creator come", {{"c", dies}, {"oc"}}, 1},
      {"anybody dies: creators and an opener", {{"c", dies}, {"c", dies}, {"o", dies}}, 1},
      {"anybody dies, a foreign program comes", {{"c", dies}, {"o", dies}, {"f"}}, 1},
      {"a creator dies, and who removes what it left", {{"c", dies}, {"oc", dies}, {"c"}}, 2},
      {"two die, a foreign program comes", {{"c", dies}, {"o", dies}, {"f"}, {"o"}}, 2},
  };
}

}  // namespace strait::model
