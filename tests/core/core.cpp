// Timeouts and deadlines, checked arithmetic, names.

#include "support/caught.hpp"
#include "support/catch.hpp"

#include <strait/core/checked.hpp>
#include <strait/core/name.hpp>
#include <strait/core/timeout.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>

using namespace strait;
using namespace strait::core;
using namespace std::chrono_literals;
using strait::test::caught;

namespace {
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
}

TEST_CASE("a timeout is made from any duration") {
  CHECK(Timeout(5ms).length() == 5ms);
  CHECK(Timeout(2s).length() == 2s);
  CHECK(Timeout(3h).length() == 3h);
  CHECK(Timeout(std::chrono::duration<double>(0.25)).length() == 250ms);
  CHECK(Timeout(std::chrono::duration<float, std::milli>(1.5f)).length() == 1500us);
}

TEST_CASE("zero and negative timeouts do not wait") {
  CHECK(no_wait.is_no_wait());
  CHECK(Timeout(0ms).is_no_wait());
  CHECK(Timeout(-1ns).is_no_wait());
  CHECK(Timeout(std::chrono::hours::min()).is_no_wait());
  CHECK(Timeout(std::chrono::duration<double>(-1.0)).is_no_wait());
  CHECK(Timeout(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).is_no_wait());
  CHECK_FALSE(Timeout(1ns).is_no_wait());
}

TEST_CASE("a timeout too short to count is not none at all") {
  CHECK(Timeout(std::chrono::duration<std::int64_t, std::pico>(1)).length() == 1ns);
  CHECK(Timeout(std::chrono::duration<double, std::pico>(0.5)).length() == 1ns);
}

TEST_CASE("timeouts too long to count are forever") {
  CHECK(forever.is_forever());
  CHECK(Timeout(std::chrono::nanoseconds::max()).is_forever());
  CHECK(Timeout(std::chrono::hours::max()).is_forever());
  CHECK(Timeout(std::chrono::duration<double>(1e300)).is_forever());
  CHECK(Timeout(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).is_forever());
  CHECK_FALSE(Timeout(std::chrono::hours(24 * 365 * 100)).is_forever());
}

TEST_CASE("a deadline is one instant for the whole call") {
  const Deadline deadline(1h);
  const auto now = Clock::now();
  CHECK_FALSE(deadline.is_never());
  CHECK_FALSE(deadline.passed(now));
  CHECK(deadline.passed(now + 1h));
  CHECK(deadline.left(now, 50ms) == 50ms);
  CHECK(deadline.left(now, 2h) <= 1h);
  CHECK(deadline.left(now, 2h) > 59min);
  CHECK(deadline.left(now + 2h, 50ms) == 0ns);
}

TEST_CASE("a deadline that is over is over at once, one that is never never comes") {
  CHECK(Deadline(no_wait).passed(Clock::now()));
  for (const Timeout timeout : {forever, Timeout(std::chrono::hours::max()), Timeout(std::chrono::nanoseconds(std::numeric_limits<std::int64_t>::max() - 1))}) {
    const Deadline never(timeout);
    CHECK(never.is_never());
    CHECK_FALSE(never.passed(Clock::time_point::max()));
    CHECK(never.left(Clock::now(), 50ms) == 50ms);
  }
}

TEST_CASE("sums and products that do not fit are told") {
  CHECK(checked_add(1, 2) == 3u);
  CHECK(checked_add(most, 0) == most);
  CHECK(!checked_add(most, 1));
  CHECK(!checked_add(1, most));
  CHECK(checked_multiply(0, most) == 0u);
  CHECK(checked_multiply(most, 0) == 0u);
  CHECK(checked_multiply(most, 1) == most);
  CHECK(checked_multiply(std::uint64_t{1} << 32, (std::uint64_t{1} << 32) - 1) == most - 0xFFFFFFFFu);
  CHECK(!checked_multiply(std::uint64_t{1} << 32, std::uint64_t{1} << 32));
  CHECK(!checked_multiply(most, 2));
  CHECK(checked_round_up(0, 64) == 0u);
  CHECK(checked_round_up(1, 64) == 64u);
  CHECK(checked_round_up(64, 64) == 64u);
  CHECK(checked_round_up(65, 1) == 65u);
  CHECK(!checked_round_up(most, 64));
  CHECK(checked_round_up(most - 63, 64) == most - 63);
}

TEST_CASE("a range fits only if its end does, even when the sum would wrap") {
  CHECK(fits(0, 0, 0));
  CHECK(fits(0, 10, 10));
  CHECK(fits(10, 0, 10));
  CHECK_FALSE(fits(11, 0, 10));
  CHECK_FALSE(fits(1, 10, 10));
  CHECK_FALSE(fits(most, 2, 10));
  CHECK_FALSE(fits(5, most, 10));
  CHECK_FALSE(fits(most, most, most));
  CHECK(fits(0, most, most));
}

TEST_CASE("names of one to 200 harmless characters are allowed") {
  for (const std::string& name : {std::string("a"), std::string("My_Channel-1.2"), std::string("{0f8fad5b-d9cd-469f-a165-70867728950e}"), std::string("..."),
                                  std::string(".hidden"), std::string(200, 'x')}) {
    CHECK(checked_name(name) == name);
  }
}

TEST_CASE("other names are refused with the reason") {
  CHECK(caught([] { return checked_name(""); }) == Errc::invalid_argument);
  CHECK(caught([] { return checked_name(std::string(201, 'x')); }) == Errc::invalid_argument);
  CHECK(caught([] { return checked_name(std::string(201, 'x')); }).says("201"));
  for (const char* const name : {".", "..", "a/b", "/a", "a/", "a b", "a\\b", "a:b", "a\nb", "a*", "~", "\xC3\xA9", "a%b", "Global\\", "Local\\", "global\\x", "Global\\a\\b", "Other\\x", "\\"}) {
    INFO(name);
    const auto refusal = caught([&] { return checked_name(name); });
    CHECK(refusal == Errc::invalid_argument);
    CHECK(refusal.segment == name);
  }
  CHECK(caught([] { return checked_name(std::string_view("a\0b", 3)); }) == Errc::invalid_argument);
}

TEST_CASE("a name may begin with the name of a namespace where there are such, and counts without it") {
  for (const std::string& name : {std::string("Global\\x"), std::string("Local\\x"), "Global\\" + std::string(200, 'x')}) {
    INFO(name);
    if constexpr (strait::core::name_prefixes) {
      CHECK(checked_name(name) == name);
    } else {
      CHECK(caught([&] { return checked_name(name); }) == Errc::invalid_argument);
    }
  }
  CHECK(caught([] { return checked_name("Local\\" + std::string(201, 'x')); }) == Errc::invalid_argument);
}

TEST_CASE("an error names the segment and the trouble, and is a std::error_code") {
  const Error error(Errc::no_space, "pictures", "it asks for 5 GiB, 1 GiB is free");
  CHECK(error.code() == Errc::no_space);
  CHECK(error.segment() == "pictures");
  CHECK(std::string(error.what()).find("pictures") != std::string::npos);
  CHECK(std::string(error.what()).find("5 GiB") != std::string::npos);
  CHECK(std::string(error.code().category().name()) == "strait");
}

TEST_CASE("every error has a text of its own") {
  std::string seen;
  for (int code = 1; code <= static_cast<int>(Errc::not_held); ++code) {
    const std::string text = make_error_code(static_cast<Errc>(code)).message();
    CHECK(text != "unknown error");
    CHECK(seen.find("|" + text + "|") == std::string::npos);
    seen += "|" + text + "|";
  }
  CHECK(error_category().message(999) == "unknown error");
}
