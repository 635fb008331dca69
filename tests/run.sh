#!/bin/sh
# Builds Strait's tests and runs them all; installs what is missing first. The last lines are ctest's summary.
#
#   sh tests/run.sh [<preset> [<argument of ctest>...]]
#
# Presets: dev (the default), release, asan, tsan, and each with -clang behind it; portable (Linux with what every POSIX system
# has), windows (under Wine), linux32, aarch64 and riscv64 (under qemu). Builds in build/<preset>, or in $STRAIT_BUILD/<preset>;
# only the programs named in $STRAIT_TEST_PROGRAMS, if it is set, with precompiled headers if $STRAIT_PRECOMPILE is ON, and as
# C++$STRAIT_STANDARD instead of 20; without the crash tests' second form, and without compiling each
# header alone, if $STRAIT_TEST_VARIANTS is OFF.
# Warnings are errors only with STRAIT_WARNINGS_AS_ERRORS=ON in the environment: a compiler that we
# have not seen may warn of something new.
set -eu
exec </dev/null
cd "$(dirname "$0")/.."
. cmake/dependencies.sh

preset=${1:-dev}
[ $# -eq 0 ] || shift
build=${STRAIT_BUILD:-$PWD/build}/$preset

strait_need_builder
strait_need_tests
case $preset in
asan-clang | tsan-clang)
  strait_need clang strait_command clang++
  strait_need libclang-rt-dev strait_clang_sanitizers
  ;;
*-clang) strait_need clang strait_command clang++ ;;
windows | linux32 | aarch64 | riscv64) strait_need_cross "$preset" ;;
esac
# Under Wine each sleep and wake is a talk with its server: a million messages would take an hour, and on a busy machine each talk waits.
if [ "$preset" = windows ]; then
  export STRAIT_TEST_MESSAGES="${STRAIT_TEST_MESSAGES:-50000}" STRAIT_TEST_PATIENCE="${STRAIT_TEST_PATIENCE:-3}"
fi
strait_install
strait_choose_generator

# The thread sanitizer of older compilers cannot work with addresses as random as newer kernels make them.
run=
case $preset in
tsan*) ! setarch -R true >/dev/null 2>&1 || run="setarch -R" ;;
esac

cmake --preset "$preset" -B "$build" -DSTRAIT_WARNINGS_AS_ERRORS="${STRAIT_WARNINGS_AS_ERRORS:-OFF}" \
  ${STRAIT_PRECOMPILE:+"-DSTRAIT_PRECOMPILE=$STRAIT_PRECOMPILE"} ${STRAIT_STANDARD:+"-DCMAKE_CXX_STANDARD=$STRAIT_STANDARD"} \
  ${STRAIT_TEST_VARIANTS:+"-DSTRAIT_TEST_VARIANTS=$STRAIT_TEST_VARIANTS"}
# shellcheck disable=SC2086 # one word per program
$run cmake --build "$build" -j "$(strait_jobs)" ${STRAIT_TEST_PROGRAMS:+--target $STRAIT_TEST_PROGRAMS}
$run ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$(strait_jobs)" "$@"
