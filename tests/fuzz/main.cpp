// One program, several targets: --target=NAME, of open, scribble, packets. Everything else is libFuzzer's (tests/fuzz/README.md).

#include "fuzz.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

void (*target)(strait::fuzz::Bytes) = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  const char* chosen = std::getenv("STRAIT_FUZZ_TARGET");
  for (int i = 1; i < *count; ++i) {
    const std::string_view argument = (*arguments)[i];
    if (argument.starts_with("--target=")) chosen = (*arguments)[i] + 9;
  }
  const std::string_view name = chosen != nullptr ? chosen : "";
  target = name == "open" ? strait::fuzz::open_segment : name == "scribble" ? strait::fuzz::scribbled_segment : name == "packets" ? strait::fuzz::rpc_packets : nullptr;
  if (target == nullptr) {
    std::fputs("--target=open, scribble or packets\n", stderr);
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target(strait::fuzz::Bytes(data, size));
  return 0;
}
