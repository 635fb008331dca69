#pragma once
// The one place that knows which Catch2 is installed: version 2 is a single header, version 3 is many.
// Only what both have is used in the tests; a test that cannot run here says so with WARN("skipped: why") and returns.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace strait::test {
using Listener = Catch::EventListenerBase;
}
#else
#include <catch2/catch.hpp>
#if defined(CATCH_CONFIG_RUNNER)  // there only
namespace strait::test {
using Listener = Catch::TestEventListenerBase;
}
#endif
#endif
