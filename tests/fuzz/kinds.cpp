// Each kind of segment, small, and a use of it that the fuzzer chooses. Topics and the C# library's objects have files of their own.

#include "fuzz.hpp"

#include <strait/strait.hpp>
#include <strait/rpc_buffer.hpp>

#include "../../examples/shm_inspect/snapshot.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace strait::fuzz {

namespace {

using namespace std::chrono_literals;

struct Value {
  std::array<std::uint32_t, 24> numbers;
};

void look(const std::string& name) {
  if (const auto seen = inspect::look(name); seen && seen->handles.size() > 8192) __builtin_trap();
}

// ---- arrays and buffers: the lock ---------------------------------------------------------------------------------------------

template <class Buffer>
void use_locks(Buffer& buffer, std::uint8_t choice) {
  switch (choice % 8) {
    case 0:
      if (buffer.acquire_read_lock(no_wait)) buffer.release_read_lock();
      break;
    case 1:
      if (buffer.acquire_write_lock(no_wait)) buffer.release_write_lock();
      break;
    case 2:
      if (buffer.acquire_write_lock(Timeout(200us))) buffer.release_write_lock();
      break;
    case 3:
      if (buffer.acquire_read_lock(Timeout(200us))) buffer.release_read_lock();
      break;
    case 4: static_cast<void>(buffer.participants()); break;
    case 5: static_cast<void>(buffer.was_abandoned()); break;
    case 6: static_cast<void>(buffer.is_owner()); break;
    default: static_cast<void>(buffer.shutting_down()); break;
  }
}

std::shared_ptr<void> make_array(const std::string& name) { return std::make_shared<SharedArray<std::uint32_t>>(name, 50, quick()); }
void use_array(const std::string& name, Bytes& bytes) {
  OpenOptions options = quick();
  options.read_only = (bytes.take() & 7) == 0;
  SharedArray<std::uint32_t> array(name, options);
  if (array.size() != 0) {
    static_cast<void>(std::as_const(array).at(array.size() - 1));
    static_cast<void>(std::as_const(array)[0]);
  }
  repeat(bytes, [&](std::uint8_t choice) {
    std::array<std::uint32_t, 4> some{};
    if (choice >= 0xC0) return array.write(some, choice & 63);
    if (choice >= 0x80) return array.read(std::span(some), choice & 63);
    use_locks(array, choice);
  });
}

std::shared_ptr<void> make_buffer(const std::string& name) { return std::make_shared<BufferReadWrite>(name, 100, quick()); }
void use_buffer(const std::string& name, Bytes& bytes) {
  BufferReadWrite buffer(name, quick());
  repeat(bytes, [&](std::uint8_t choice) {
    if (choice >= 0xC0) return buffer.write(std::uint64_t{choice}, choice & 63);
    if (choice >= 0x80) return static_cast<void>(buffer.read<std::uint64_t>(choice & 63));
    use_locks(buffer, choice);
  });
}

// ---- rings ----------------------------------------------------------------------------------------------------------------------

template <Sharing sharing>
RingOptions ring_options() {
  auto options = quick<RingOptions>();
  options.writers = options.readers = sharing;
  return options;
}
template <Sharing sharing>
std::shared_ptr<void> make_ring(const std::string& name) {
  auto ring = std::make_shared<CircularBuffer>(name, 5, 100, ring_options<sharing>());
  static_cast<void>(ring->write(1, no_wait));
  return ring;
}
void use_ring(const std::string& name, Bytes& bytes) {
  CircularBuffer ring(name, quick<RingOptions>());
  WriteClaim claim(Status::timed_out);
  ReadClaim message(Status::timed_out);
  repeat(bytes, [&](std::uint8_t choice) {
    const Timeout time = (choice & 0x80) != 0 ? Timeout(200us) : no_wait;
    std::array<std::byte, 100> some{};
    std::uint32_t number = 0;
    switch (choice % 12) {
      case 0: static_cast<void>(ring.write(std::span<const std::byte>(some).first(choice % 100), time)); break;
      case 1: static_cast<void>(ring.read(std::span<std::byte>(some), time)); break;
      case 2: static_cast<void>(ring.read(number, time)); break;
      case 3: static_cast<void>(ring.read_with(&read_all, time)); break;
      case 4: claim = ring.claim(time); break;
      case 5:
        if (claim) {
          std::memset(claim.bytes().data(), 1, claim.bytes().size());
          claim.publish(choice % 101);
        }
        break;
      case 6: claim.abandon(); break;
      case 7: message = ring.take(time); break;
      case 8: read_all(message.bytes()); message.release(); break;
      case 9: message.put_back(); break;
      case 10: static_cast<void>(ring.approximate_size()); break;
      default: static_cast<void>(ring.participants()); break;
    }
  });
}

// ---- cells ----------------------------------------------------------------------------------------------------------------------

std::shared_ptr<void> make_struct(const std::string& name) { return std::make_shared<SharedStruct<Value>>(name, Value{}, quick()); }
void use_struct(const std::string& name, Bytes& bytes) {
  OpenOptions options = quick();
  options.read_only = (bytes.take() & 7) == 0;
  SharedStruct<Value> shared(name, options);
  // Its watcher's thread meets the same words, and what it is told lies within the value.
  const auto watched = shared.on_updated([](const Value&, const Change& change) {
    if (change.last >= sizeof(Value) || change.first > change.last) __builtin_trap();
  });
  repeat(bytes, [&](std::uint8_t choice) {
    switch (choice % 6) {
      case 0: static_cast<void>(shared.load()); break;
      case 1: shared.store(Value{}); break;
      case 2: shared.update([&](Value& value) { value.numbers[choice % 24] = choice; }); break;
      case 3: static_cast<void>(shared.wait_for_change(choice, Timeout(200us))); break;
      case 4: static_cast<void>(shared.version()); break;
      default: static_cast<void>(shared.is_owner()); break;
    }
  });
}

std::shared_ptr<void> make_latest(const std::string& name) {
  auto latest = std::make_shared<NotifyingBuffer>(name, 100, quick());
  latest->write(std::vector<std::byte>(40));
  return latest;
}
void use_latest(const std::string& name, Bytes& bytes) {
  NotifyingBuffer latest(name, 100, quick());
  const auto told = latest.on_receive([](std::span<const std::byte> message) {
    if (message.size() > 100) __builtin_trap();
  });
  repeat(bytes, [&](std::uint8_t choice) {
    switch (choice % 4) {
      case 0:
        if (latest.read().size() > 100) __builtin_trap();
        break;
      case 1: latest.write(std::vector<std::byte>(choice % 101)); break;
      case 2: static_cast<void>(latest.wait_for_change(choice, Timeout(200us))); break;
      default: static_cast<void>(latest.version()); break;
    }
  });
}

// ---- locks and events -----------------------------------------------------------------------------------------------------------

std::shared_ptr<void> make_mutex(const std::string& name) { return std::make_shared<NamedMutex>(name, quick()); }
void use_mutex(const std::string& name, Bytes& bytes) {
  NamedMutex mutex(name, quick());
  repeat(bytes, [&](std::uint8_t choice) {
    switch (choice % 4) {
      case 0: static_cast<void>(mutex.try_lock()); break;
      case 1: static_cast<void>(mutex.try_lock_for(Timeout(2ms))); break;
      case 2: mutex.unlock(); break;
      default: static_cast<void>(mutex.was_abandoned()); break;
    }
  });
}

template <NamedEvent::Reset reset>
std::shared_ptr<void> make_event(const std::string& name) {
  return std::make_shared<NamedEvent>(name, reset, false, quick());
}
template <NamedEvent::Reset reset>
void use_event(const std::string& name, Bytes& bytes) {
  NamedEvent event(name, reset, false, quick());
  repeat(bytes, [&](std::uint8_t choice) {
    switch (choice % 4) {
      case 0: event.set(); break;
      case 1: event.reset(); break;
      case 2: static_cast<void>(event.wait(no_wait)); break;
      default: static_cast<void>(event.wait(Timeout(200us))); break;
    }
  });
}

// ---- channels -------------------------------------------------------------------------------------------------------------------

RpcOptions channel_options() {
  auto options = quick<RpcOptions>();
  options.buffer_capacity = 256;
  options.node_count = 4;
  options.handler_threads = 1;
  return options;
}
std::vector<std::byte> echo(std::uint64_t, std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

std::shared_ptr<void> make_channel(const std::string& name) { return std::make_shared<RpcBuffer>(name, &echo, channel_options()); }
void use_channel(const std::string& name, Bytes& bytes) {
  RpcBuffer channel(name, &echo, channel_options());
  for (int i = 0; i < 6 && !bytes.empty(); ++i) {
    const auto choice = bytes.take();
    const std::vector<std::byte> arguments(std::size_t{choice} * 4);
    verdict([&] { static_cast<void>(channel.remote_request(arguments, (choice & 1) != 0 ? Timeout(2ms) : no_wait)); });
    static_cast<void>(channel.has_peer());
  }
}

constexpr std::array all_kinds{
    Kind{"array", "", &make_array, &use_array},
    Kind{"buffer", "", &make_buffer, &use_buffer},
    Kind{"ring", "", &make_ring<Sharing::many>, &use_ring},
    Kind{"exclusive ring", "", &make_ring<Sharing::one>, &use_ring},
    Kind{"struct", ".ctl", &make_struct, &use_struct},
    Kind{"latest", "", &make_latest, &use_latest},
    Kind{"mutex", "", &make_mutex, &use_mutex},
    Kind{"automatic event", "", &make_event<NamedEvent::Reset::automatic>, &use_event<NamedEvent::Reset::automatic>},
    Kind{"manual event", "", &make_event<NamedEvent::Reset::manual>, &use_event<NamedEvent::Reset::manual>},
    Kind{"channel", "", &make_channel, &use_channel},
};

}  // namespace

const std::span<const Kind> kinds(all_kinds);

void inspect_segment(const std::string& name) { look(name); }

}  // namespace strait::fuzz
