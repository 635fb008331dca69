// The main function of every test program. The program is also its own child process: `--child NAME args...` runs the child
// function registered under NAME instead of the tests.

#define CATCH_CONFIG_RUNNER  // version 2 needs it in exactly one file; version 3 ignores it
#include "catch.hpp"

#include "child.hpp"
#include "watchdog.hpp"

#include <strait/strait.hpp>  // all of it, not precompiled: warnings of precompiled headers are not told

#include <string>
#include <string_view>
#include <vector>

namespace {

// So that a watchdog can say which test hung.
struct NameOfTest : strait::test::Listener {
  using Base = strait::test::Listener;
  using Base::Base;
  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    Base::testCaseStarting(info);
    strait::test::running_test() = info.name;
  }
};
CATCH_REGISTER_LISTENER(NameOfTest)

}  // namespace

int main(int argc, char** argv) {
  strait::test::prepare_process();

  if (argc >= 3 && std::string_view(argv[1]) == "--child") {
    const strait::test::Watchdog watchdog(std::chrono::seconds(180), argv[2]);
    const std::vector<std::string> arguments(argv + 3, argv + argc);
    return strait::test::run_child_function(argv[2], arguments);
  }
  return Catch::Session().run(argc, argv);
}
