#pragma once
// Where a caller is, in one word: whoever ends its call learns from the same exchange that ends it whether and where to wake.

#include <atomic>
#include <cstdint>

namespace strait::rpc {

enum class At : std::uint32_t {
  awake,
  asleep,   // on this word
  on_ring,  // on the signal of the incoming ring
  on_room,  // on the signal of the outgoing ring
  done
};

template <class Word>
class SleepWord {
 public:
  // SYNC done: acquires what whoever ended the call wrote into it.
  bool is_done() const noexcept { return word_.load(std::memory_order_seq_cst) == bits(At::done); }

  // The caller, before its last look before it sleeps: false if it need not.
  bool settle(At where) noexcept {
    auto awake = bits(At::awake);
    // SYNC done, sleep: before the last look.
    return word_.compare_exchange_strong(awake, bits(where), std::memory_order_seq_cst, std::memory_order_seq_cst);
  }

  // The caller again. Others wake one that is asleep in the same way: true for the one who has to.
  bool unsettle(At where) noexcept {
    auto there = bits(where);
    // SYNC done: fails when it is done.
    return word_.compare_exchange_strong(there, bits(At::awake), std::memory_order_seq_cst, std::memory_order_seq_cst);
  }

  // Where the caller was. What this word is part of may be gone as soon as it is done, if somebody waits in it: only addresses may
  // be used afterwards.
  At finish() noexcept {
    // SYNC done: everything in the response comes before.
    return static_cast<At>(word_.exchange(bits(At::done), std::memory_order_seq_cst));
  }

  Word& word() noexcept { return word_; }  // to sleep on while it says `asleep`

 private:
  static constexpr std::uint32_t bits(At where) noexcept { return static_cast<std::uint32_t>(where); }

  Word word_{};
};

}  // namespace strait::rpc
