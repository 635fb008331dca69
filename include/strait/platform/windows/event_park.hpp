#pragma once
// Parking on named events. The word counts the wake-ups, so each value of it has an event of its own: whoever sleeps on a value
// makes or opens that value's event, looks at the word again, and waits; whoever changed the value sets the event, if there is
// one. It is set once and never reset, so no sleeper can miss it and none can take it from another; it goes with its last
// sleeper, killed or not.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/platform/windows/api.hpp>

#include <boost/interprocess/permissions.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>

namespace strait::platform {

class EventPark {
 public:
  static EventPark of_this_process() noexcept { return {"", ::GetCurrentProcessId(), nullptr}; }
  // The events live in the namespace of the segment's name.
  EventPark(std::string_view name, std::uint64_t life, const void* base) noexcept
      : prefix_(name.starts_with("Global\\") ? "Global\\" : name.starts_with("Local\\") ? "Local\\" : ""), life_(life), base_(base) {}

  static constexpr std::uint16_t method() noexcept { return 3; }

  bool sleep(std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::nanoseconds at_most) const noexcept {
    const windows::Handle event = event_of(word, value);
    // SYNC sleep: after the event is there for the waker to find, which changes the word before it looks for the event.
    if (word.load(std::memory_order_seq_cst) != value) return true;
    if (event) return ::WaitForSingleObject(event.get(), milliseconds(at_most)) == windows::wait_satisfied;
    ::Sleep(1);  // the system has no event for us: look again in a while
    return true;
  }

  struct Spot {
    const EventPark* park;
    std::atomic<std::uint32_t>* word;
    std::uint32_t value;
  };

  // Of more than 64 words, which is all that the system can wait for, the rest is looked at when the sleep ends: after a millisecond.
  static bool sleep_any(std::span<const Spot> spots, std::chrono::nanoseconds at_most) noexcept {
    std::array<windows::Handle, most> events;
    std::array<void*, most> handles{};
    std::size_t count = 0;
    bool all = true;
    for (const Spot& spot : spots) {
      if (count < most) events[count] = spot.park->event_of(*spot.word, spot.value);
      if (count < most && events[count]) {
        handles[count] = events[count].get();
        ++count;
      } else {
        all = false;
      }
    }
    // SYNC sleep: as above.
    if (std::ranges::any_of(spots, [](const Spot& spot) { return spot.word->load(std::memory_order_seq_cst) != spot.value; })) return true;
    if (count == 0) {
      ::Sleep(1);
      return true;
    }
    constexpr int any_of_them = 0;
    const auto length = all ? milliseconds(at_most) : 1UL;
    return ::WaitForMultipleObjects(static_cast<unsigned long>(count), handles.data(), any_of_them, length) < count || !all;
  }

  void wake_all(std::atomic<std::uint32_t>& word, std::uint32_t value) const noexcept {
    const windows::Handle event(::OpenEventA(windows::may_set_event, 0, Name(*this, word, value).text));
    if (event) ::SetEvent(event.get());
  }

 private:
  static constexpr std::size_t most = 64;

  static unsigned long milliseconds(std::chrono::nanoseconds length) noexcept {
    return static_cast<unsigned long>(std::chrono::ceil<std::chrono::milliseconds>(length).count());
  }

  // Open to everybody: it gives nothing but a wake-up, and its name holds a random number from inside the segment.
  windows::Handle event_of(const std::atomic<std::uint32_t>& word, std::uint32_t value) const noexcept {
    boost::interprocess::permissions everybody;
    everybody.set_unrestricted();
    constexpr int stays_set = 1;
    return windows::Handle(
        ::CreateEventA(static_cast<_SECURITY_ATTRIBUTES*>(static_cast<void*>(everybody.get_permissions())), stays_set, 0, Name(*this, word, value).text));
  }

  // The same in every process: the segment's life, where in it the word lies, and its value.
  struct Name {
    Name(const EventPark& park, const std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept {
      const auto offset = reinterpret_cast<std::uintptr_t>(&word) - reinterpret_cast<std::uintptr_t>(park.base_);
      std::snprintf(text, sizeof text, "%sstrait.%llx.%llx.%lx", park.prefix_, static_cast<unsigned long long>(park.life_), static_cast<unsigned long long>(offset),
                    static_cast<unsigned long>(value));
    }
    char text[80];
  };

  const char* prefix_ = "";
  std::uint64_t life_;
  const void* base_ = nullptr;
};

}  // namespace strait::platform

#endif
