#!/bin/sh
# What takes longer than a change should wait, and finds what tests do not: installs what is missing first.
#
#   sh tests/analyse.sh [valgrind] [clang-tidy] [cppcheck]      all three without an argument; about half an hour
#
# valgrind: memcheck on the unit tests; what they start as children is not looked at, and forked ones leave on purpose what they inherited. clang-tidy: .clang-tidy's checks, on each public header and with it on all that it includes. cppcheck: the same headers.
set -eu
exec </dev/null
cd "$(dirname "$0")/.."
. cmake/dependencies.sh
[ $# -gt 0 ] || set -- valgrind clang-tidy cppcheck
build=${STRAIT_BUILD:-$PWD/build}/analyse
mkdir -p "$build"

strait_need_builder
result=0
for tool in "$@"; do
  case $tool in
  valgrind)
    strait_need_tests
    strait_need valgrind strait_command valgrind
    strait_install
    strait_choose_generator
    folders='core layout ring wait lock liveness struct named api rpc publish dotnet'
    cmake --preset dev -B "$build/tests" -DSTRAIT_PRECOMPILE=ON -DSTRAIT_BUILD_BENCH=OFF -DSTRAIT_BUILD_EXAMPLES=OFF >/dev/null
    # shellcheck disable=SC2046 # one word per program
    cmake --build "$build/tests" -j "$(strait_jobs)" --target $(printf 'strait-test-%s ' $folders)
    for folder in $folders; do
      echo "---- valgrind: $folder"
      STRAIT_TEST_PATIENCE=20 timeout 1200 valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite --fair-sched=yes --suppressions=tests/valgrind.supp \
        "$build/tests/tests/strait-test-$folder" '~*forked child*' || result=1
    done ;;
  clang-tidy)
    strait_need clang-tidy strait_command clang-tidy
    strait_install
    for header in include/strait/*.hpp; do
      printf '#include <strait/%s>\n' "$(basename "$header")" >"$build/$(basename "$header" .hpp).cpp"
    done
    find "$build" -maxdepth 1 -name '*.cpp' | sort |
      xargs -P "$(strait_jobs)" -I{} timeout 600 clang-tidy --quiet --warnings-as-errors='*' --config-file=.clang-tidy {} -- -std=c++20 -Iinclude || result=1 ;;
  cppcheck)
    strait_need cppcheck strait_command cppcheck
    strait_install
    # Each header by itself. Left out: a lambda that it cannot parse (2.10), handles that are passed by value on purpose, and what a
    # forked child leaves alone on purpose.
    # shellcheck disable=SC2046 # one word per header
    timeout 1200 cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c++20 --language=c++ --inline-suppr \
      --suppress=syntaxError:include/strait/core/fingerprint.hpp --suppress=passedByValue \
      --suppress=leakReturnValNotUsed:include/strait/handle/workers.hpp $(find include/strait -name '*.hpp' ! -path '*/windows/*' | sort) || result=1 ;;
  *)
    echo "tests/analyse.sh: valgrind, clang-tidy or cppcheck" >&2
    exit 2 ;;
  esac
done
exit $result
