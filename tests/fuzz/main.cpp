// One program, several targets: --target=NAME. Everything else is libFuzzer's (tests/fuzz/README.md).

#include "fuzz.hpp"

#include <strait/on_error.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

struct Target {
  std::string_view name;
  void (*run)(strait::fuzz::Bytes);
};
constexpr Target targets[] = {
    {"open", strait::fuzz::open_segment},    {"scribble", strait::fuzz::scribbled_segment},    {"packets", strait::fuzz::rpc_packets},
    {"topics", strait::fuzz::topics},        {"dotnet", strait::fuzz::dotnet_objects},         {"dotnet-packets", strait::fuzz::dotnet_packets},
};

void (*target)(strait::fuzz::Bytes) = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  const char* chosen = std::getenv("STRAIT_FUZZ_TARGET");
  for (int i = 1; i < *count; ++i) {
    const std::string_view argument = (*arguments)[i];
    if (argument.starts_with("--target=")) chosen = (*arguments)[i] + 9;
  }
  const std::string_view name = chosen != nullptr ? chosen : "";
  for (const Target& one : targets) {
    if (one.name == name) target = one.run;
  }
  if (target == nullptr) {
    std::fputs("--target=open, scribble, packets, topics, dotnet or dotnet-packets\n", stderr);
    std::exit(2);
  }
  // What threads of handles meet is a verdict too.
  strait::on_error([](std::exception_ptr, std::string_view) {});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target(strait::fuzz::Bytes(data, size));
  return 0;
}
