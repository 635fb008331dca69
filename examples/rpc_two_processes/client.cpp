// Asks the calculator: "6 * 7" on the command line, or line by line.

#include "../common/command_line.hpp"
#include "calculation.hpp"

#include <strait/rpc_buffer.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

namespace {

constexpr auto usage = R"(usage: strait-rpc-client [--channel NAME] [--wait SECONDS] [CALCULATION]
Asks strait-rpc-service: strait-rpc-client "6 * 7". Without a calculation it reads one from each line of its input.
  --channel NAME  the same on both sides (default strait-rpc-calculator)
  --wait SECONDS  how long a call may take, the wait for a service included (default 30)
)";

bool calculate(strait::RpcBuffer& service, const std::string& text, std::chrono::seconds wait) {
  examples::Calculation calculation{};
  std::istringstream words(text);
  if (!(words >> calculation.left >> calculation.operation >> calculation.right)) {
    std::cerr << "not a calculation like \"6 * 7\": " << text << '\n';
    return false;
  }
  const auto response = service.remote_request(calculation, wait);
  if (!response) {
    std::cerr << "no result: " << response.error << '\n';
    return false;
  }
  std::cout << response.as<double>() << std::endl;
  return true;
}

}  // namespace

int main(int argc, char** argv) try {
  examples::CommandLine line(argc, argv, usage);
  const auto channel = line.text("--channel", examples::default_channel);
  const std::chrono::seconds wait(line.number("--wait", 30));
  const auto words = line.positional(0, 1);

  strait::RpcBuffer service(channel);
  bool good = true;
  if (!words.empty()) {
    good = calculate(service, words[0], wait);
  } else {
    for (std::string text; std::getline(std::cin, text);) good &= calculate(service, text, wait);
  }
  return good ? 0 : 1;
} catch (const examples::UsageError& error) {
  std::cerr << "strait-rpc-client: " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "strait-rpc-client: " << error.what() << '\n';
  return 1;
}
