// The slave adds two bytes for the master. Each could be in a process of its own.

#include <strait/rpc_buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <span>

int main() try {
  strait::RpcBuffer master("strait-example-rpc");
  strait::RpcBuffer slave("strait-example-rpc", [](std::uint64_t, std::span<const std::byte> payload) {
    return std::to_integer<int>(payload[0]) + std::to_integer<int>(payload[1]);
  });

  const auto response = master.remote_request(std::array{std::byte{123}, std::byte{10}});
  if (!response) {
    std::cerr << "rpc: " << response.error << '\n';
    return 1;
  }
  std::cout << "SharedMemory.RpcBuffer:\n" << response.as<int>() << '\n';
} catch (const strait::Error& error) {
  std::cerr << "rpc: " << error.what() << '\n';
  return 1;
}
