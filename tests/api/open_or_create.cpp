#include "../support/catch.hpp"
#include "../support/caught.hpp"
#include "../support/unique_name.hpp"
#include "../support/watchdog.hpp"
#include "../support/workers.hpp"

#include <strait/buffer_read_write.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/shared_array.hpp>

#include <atomic>
#include <stdexcept>
#include <string>

using strait::Errc;
using strait::open_or_create;
using strait::test::caught;
using strait::test::NameGuard;

TEST_CASE("open_or_create makes what is missing and opens what is there, for every class") {
  NameGuard name("ooc");
  {
    strait::SharedArray<int> first(open_or_create, name, 5);
    strait::SharedArray<int> second(open_or_create, name, 5);
    CHECK(first.is_owner());
    CHECK_FALSE(second.is_owner());
    first[4] = 3;
    CHECK(second[4] == 3);
  }
  {
    strait::BufferReadWrite first(open_or_create, name, 100);
    const strait::BufferReadWrite second(open_or_create, name, 100);
    first.write(3);
    CHECK(second.read<int>() == 3);
  }
  {
    strait::CircularBuffer first(open_or_create, name, 4, 16);
    strait::CircularBuffer second(open_or_create, name, 4, 16);
    CHECK(first.write(3) == strait::Status::ok);
    int value = 0;
    CHECK(second.read(value) == strait::Status::ok);
    CHECK(value == 3);
  }
}

TEST_CASE("open_or_create with other sizes than the existing ones is refused with both, and hurts nobody") {
  NameGuard name("ooc");
  const auto check = [&](auto refused, const std::string& there, const std::string& asked) {
    CHECK(refused == Errc::type_mismatch);
    CHECK(refused.segment == name.str());
    REQUIRE(refused.says(name.str()));
    refused.text.erase(refused.text.find(name.str()), name.str().size());
    CAPTURE(refused.text);
    CHECK(refused.says(there));
    CHECK(refused.says(asked));
  };
  {
    strait::SharedArray<char> there(name, 1357);
    check(caught([&] { strait::SharedArray<char> wrong(open_or_create, name, 2468); }), "1357", "2468");
    there[1356] = 'x';
  }
  {
    strait::BufferReadWrite there(name, 1357);
    check(caught([&] { strait::BufferReadWrite wrong(open_or_create, name, 2468); }), "1357", "2468");
    there.write('x', 1356);
  }
  {
    strait::CircularBuffer there(name, 1357, 16);
    check(caught([&] { strait::CircularBuffer wrong(open_or_create, name, 2468, 16); }), "1357", "2468");
    check(caught([&] { strait::CircularBuffer wrong(open_or_create, name, 1357, 5791); }), "16", "5791");
    CHECK(there.write(1) == strait::Status::ok);
    CHECK(caught([&] { strait::CircularBuffer right(open_or_create, name, 1357, 16); }).nothing());
  }
}

TEST_CASE("of many that create the same name at once exactly one is the owner, and all share one segment") {
  const strait::test::Watchdog watchdog;
  for (int round = 0; round < 30; ++round) {
    NameGuard name("ooc");
    std::atomic<int> owners{0};
    std::atomic<int> inside{0};
    std::atomic<int> sum{0};
    strait::test::Workers workers;
    for (int i = 0; i < 4; ++i) {
      workers.run([&, i] {
        strait::SharedArray<int> array(open_or_create, name, 4);
        if (array.is_owner()) ++owners;
        array[static_cast<std::size_t>(i)] = i + 1;
        ++inside;
        while (inside < 4) std::this_thread::yield();
        for (const int value : array) sum += value;
      });
    }
    CHECK(workers.join() == "");
    CHECK(owners == 1);
    CHECK(sum == 4 * (1 + 2 + 3 + 4));
  }
}
