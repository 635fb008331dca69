// A calculator that serves one client at a time, for as many clients as come one after the other.

#include "../common/command_line.hpp"
#include "../common/system.hpp"
#include "calculation.hpp"

#include <strait/rpc_buffer.hpp>

#include <cstdint>
#include <cstring>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <vector>

namespace {

constexpr auto usage = R"(usage: strait-rpc-service [--channel NAME] [--capacity BYTES] [--nodes N]
Calculates for strait-rpc-client, and answers strait-rpc-load, until Ctrl-C or SIGTERM.
  --channel NAME    the same on both sides (default strait-rpc-calculator)
  --capacity BYTES  of a packet, 256 to 1048576 (default 50000); the first side to start decides
  --nodes N         packets that each direction holds (default 10)
)";

std::vector<std::byte> answer(std::uint64_t, std::span<const std::byte> payload) {
  if (payload.size() == sizeof(examples::Calculation)) {
    examples::Calculation calculation{};
    std::memcpy(&calculation, payload.data(), sizeof calculation);
    const double result = examples::result_of(calculation);  // what it throws reaches the client as text
    const auto bytes = std::as_bytes(std::span(&result, 1));
    return {bytes.begin(), bytes.end()};
  }
  if (const auto header = examples::load_header(payload)) {
    const auto part = payload.last(header->answer_size);
    return {part.begin(), part.end()};
  }
  throw std::runtime_error("this request is no calculation");
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const auto channel = line.text("--channel", examples::default_channel);
  strait::RpcOptions options;
  options.buffer_capacity = line.number("--capacity", 50'000, 256, 1'048'576);
  options.node_count = line.number("--nodes", 10, 2, 100'000);
  line.positional(0, 0);

  examples::EndOfProgram end;
  strait::RpcBuffer service(channel, answer, options);
  std::cout << "Serving " << channel << " as " << (service.is_master() ? "master" : "slave") << std::endl;
  end.wait();
  service.close();
  const auto statistics = service.statistics();
  std::cout << "Served " << statistics.requests_received << " requests, " << statistics.errors_sent << " of them in vain" << std::endl;
} catch (const examples::UsageError& error) {
  std::cerr << "strait-rpc-service: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "strait-rpc-service: " << error.what() << '\n';
  return 1;
}
