#pragma once
// A use of each class, in the file that includes it: below Strait, with whatever <windows.h> has put in force there.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace {

struct Pair {
  int first;
  int second;
};

// How many of them did what they are for. (In each file its own: its words are not the same after macros.)
[[maybe_unused]] int use_each_class(const std::string& name) {
  using strait::no_wait;
  using strait::Status;
  const std::string text = "text";
  const auto bytes = std::as_bytes(std::span(text));
  int number = 0;
  int right = 0;

  strait::CircularBuffer ring(name + "-ring", 4, 64);
  right += ring.write(static_cast<int>(::GetCurrentProcessId()), no_wait) == Status::ok && strait::wait_any(no_wait, ring).status == Status::ok;
  strait::SharedArray<double> array(name + "-array", 8);
  array[7] = 0.5;
  right += strait::SharedArray<double>(name + "-array").at(7) == 0.5;
  strait::BufferReadWrite buffer(name + "-buffer", 64);
  buffer.write(7, 8);
  right += buffer.read<int>(8) == 7;
  strait::ExpandingArray<int> growing(strait::open_or_create, name + "-growing");
  growing[3] = 4;
  right += growing[3] == 4;
  strait::SharedStruct<Pair> pair(name + "-pair", Pair{1, 2});
  pair.set(&Pair::second, 3);
  right += pair.load().second == 3;
  strait::NotifyingBuffer latest(name + "-latest", 16);
  latest.write(bytes);
  right += latest.read().size() == text.size();
  strait::RawNotifyingBuffer raw(name + "-raw", 4);
  raw.write(bytes);
  right += raw.size() == text.size();
  strait::NamedMutex mutex(name + "-mutex");
  right += mutex.try_lock();
  mutex.unlock();
  strait::NamedEvent event(name + "-event", strait::NamedEvent::Reset::automatic, true);
  right += event.wait(no_wait) == Status::ok;
  strait::Publisher publisher(name + "-topic");
  strait::Subscriber subscriber(name + "-topic");
  right += publisher.publish(bytes) == Status::ok && subscriber.receive().data.size() == text.size();
  strait::RpcBuffer service(name + "-calls", [](std::uint64_t, std::span<const std::byte> asked) { return asked.size(); });
  strait::RpcBuffer client(name + "-calls");
  right += client.remote_request(bytes).as<std::size_t>() == text.size();

  strait::dotnet::CircularBuffer other_ring(name + "-other-ring", 4, 64);
  right += other_ring.write(5) == Status::ok && other_ring.read(number) == Status::ok && number == 5;
  strait::dotnet::SharedArray<int> other_array(name + "-other-array", 4);
  other_array[1] = 6;
  right += strait::dotnet::SharedArray<int>(name + "-other-array")[1] == 6;
  strait::dotnet::BufferReadWrite other_buffer(name + "-other-buffer", 64);
  other_buffer.write(7);
  right += other_buffer.read<int>() == 7;
  strait::dotnet::RpcBuffer other_service(name + "-other-calls", [](std::uint64_t, std::span<const std::byte> asked) { return asked.size(); });
  strait::dotnet::RpcBuffer other_client(name + "-other-calls");
  right += other_client.remote_request(bytes).as<std::size_t>() == text.size();
  return right;
}

}  // namespace
