// The child with Strait: it sleeps until the struct changes.

#include "controller_data.h"

#include <strait/named_mutex.hpp>
#include <strait/shared_struct.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <mutex>
#include <string_view>

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: strait-example-child MUTEX_NAME\n";
    return 2;
  }
  std::cout << "[Child] Process started" << std::endl;
  strait::NamedMutex mutex(argv[1]);
  strait::SharedStruct<ProcessControllerData> channel("IpcDemoChannel");

  for (std::int32_t read = 0;;) {
    const auto version = channel.version();
    ProcessControllerData data{};
    {
      const std::scoped_lock lock(mutex);
      data = channel.load();
    }
    if (data.heartbeat_signal == read) {
      if (channel.wait_for_change(version, std::chrono::seconds(30)) != strait::Status::ok) {
        std::cerr << "child: the parent is gone\n";
        return 1;
      }
      continue;
    }
    const std::string_view message(data.message_buffer, static_cast<std::size_t>(data.data_length));
    std::cout << "[Child] Received: " << message << std::endl;
    read = data.heartbeat_signal;
    channel.set(&ProcessControllerData::control_flags, read);
    if (message == "terminate") break;
  }
  std::cout << "[Child] Process terminated" << std::endl;
} catch (const strait::Error& error) {
  std::cerr << "child: " << error.what() << '\n';
  return 1;
}
