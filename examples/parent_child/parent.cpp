// Starts a child, hands it the name of a mutex, and tells it two things through a struct in shared memory.
//
// The child may be child.cpp, which is woken by each change, or child.c, which knows nothing of Strait.

#include "controller_data.h"

#include <strait/named_mutex.hpp>
#include <strait/shared_struct.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <future>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using Channel = strait::SharedStruct<ProcessControllerData>;

namespace {

// False: the child has not read it in time.
bool send(Channel& channel, strait::NamedMutex& mutex, std::string_view message) {
  std::cout << "[Parent] Sending: " << message << std::endl;
  std::int32_t number = 0;
  {
    const std::scoped_lock lock(mutex);
    channel.update([&](ProcessControllerData& data) {
      data = {};
      number = data.heartbeat_signal = channel.get(&ProcessControllerData::heartbeat_signal) + 1;
      data.control_flags = number - 1;
      data.data_length = static_cast<std::int32_t>(message.copy(data.message_buffer, sizeof data.message_buffer - 1));
    });
  }
  // A child that knows nothing of Strait answers by writing into the struct, without telling anybody: so this looks now and then.
  for (int i = 0; i < 1000; ++i) {
    if (channel.get(&ProcessControllerData::control_flags) == number) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: strait-example-parent CHILD_PROGRAM\n";
    return 2;
  }
  strait::NamedMutex mutex("IpcDemoMutex");
  Channel channel("IpcDemoChannel", ProcessControllerData{});

  const std::string command = "\"" + std::string(argv[1]) + "\" " + mutex.name();
  std::cout << "[Parent] Process started" << std::endl;
  auto child = std::async(std::launch::async, [&] { return std::system(command.c_str()); });

  const bool all_read = send(channel, mutex, "hello world!") && send(channel, mutex, "terminate");
  const bool child_is_well = child.get() == 0;
  std::cout << "[Parent] Process terminated" << std::endl;
  return all_read && child_is_well ? 0 : 1;
} catch (const strait::Error& error) {
  std::cerr << "parent: " << error.what() << '\n';
  return 1;
}
