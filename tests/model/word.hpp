#pragma once
// An atomic whose every operation is a step of the scheduler: what the algorithms get instead of std::atomic. Memory orders are
// taken and ignored (tests/relacy looks at those): steps are sequentially consistent, but for store_late().

#include "scheduler.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace strait::model {

template <class T>
class Word {
 public:
  using Changed = void (*)(int index, T before, T after);
  using Text = std::string (*)(T);

  // `quiet`: nobody else uses it in this scenario, so that its operations need no step.
  void reset(T value, bool is_quiet = false) {
    value_ = value;
    quiet_ = is_quiet;
  }
  void describe(const char* name, int index, Text text, Changed changed) {
    name_ = name;
    index_ = index;
    text_ = text;
    changed_ = changed;
  }

  T peek() const { return value_; }

  T load(std::memory_order = std::memory_order_seq_cst) const {
    step();
    const T value = static_cast<T>(scheduler.forwarded(this, bits(value_)));
    note("load", value, value);
    saw(value);
    return value;
  }
  // Seen by others when the scheduler says so.
  void store_late(T value) {
    step();
    note("late store", value_, value);
    saw(value_);
    scheduler.delay(this, value, [](void* word, std::uint64_t late) { static_cast<Word*>(word)->set("drained", static_cast<T>(late), false); });
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    step();
    drain();
    set("store", value);
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    step();
    drain();
    return set("exchange", value);
  }
  T fetch_add(T by, std::memory_order = std::memory_order_seq_cst) {
    step();
    drain();
    return set("add", static_cast<T>(value_ + by));
  }
  T fetch_sub(T by, std::memory_order = std::memory_order_seq_cst) {
    step();
    drain();
    return set("subtract", static_cast<T>(value_ - by));
  }
  T fetch_or(T bits, std::memory_order = std::memory_order_seq_cst) {
    step();
    drain();
    return set("or", static_cast<T>(value_ | bits));
  }
  // An actor that has stored a value by CAS saw the value that it expected: a failed one is told from it by what follows.
  bool compare_exchange_strong(T& expected, T desired, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
    step();
    drain();
    if (value_ != expected) {
      note("cas failed", value_, value_);
      saw(value_);
      expected = value_;
      return false;
    }
    set("cas", desired);
    return true;
  }

 private:
  void step() const {
    if (!quiet_) scheduler.step();
  }
  void drain() const {
    if (!quiet_) scheduler.drain_own();
  }
  // As the scheduler keeps every value.
  static std::uint64_t bits(T value) noexcept { return static_cast<std::uint64_t>(value); }
  void saw(T value) const {
    if (!quiet_) scheduler.saw(mix(static_cast<std::uint64_t>(index_) + 1, bits(value)));
  }
  T set(const char* what, T value, bool is_told = true) {
    const T before = value_;
    value_ = value;
    note(what, before, value);
    if (is_told) saw(before);
    if (!quiet_ && before != value) scheduler.changed(this, bits(before), bits(value));
    if (changed_ != nullptr) changed_(index_, before, value);
    return before;
  }
  void note(const char* what, T before, T after) const {
    if (!scheduler.tracing() || quiet_) return;
    const auto text = [this](T value) { return text_ != nullptr ? text_(value) : std::to_string(value); };
    scheduler.note(std::string(name_) + "[" + std::to_string(index_) + "] " + what + " " + text(before) +
                   (before == after ? "" : " -> " + text(after)));
  }

  T value_{};
  bool quiet_ = false;
  const char* name_ = "?";
  int index_ = 0;
  Text text_ = nullptr;
  Changed changed_ = nullptr;
};

}  // namespace strait::model
