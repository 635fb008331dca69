#!/bin/sh
# Two builds of Strait on one machine: a native process meets a 32-bit one, an emulated 64-bit ARM one and an emulated RISC-V one.
# Builds what it needs and runs the tests of the layers in each, and those of tests/mixed between them.
#
#   sh tests/mixed/run.sh [<preset>...]      by default linux32 aarch64 riscv64
#
# Builds in build/<preset>, or in $STRAIT_BUILD/<preset>, with precompiled headers on the native side too if $STRAIT_PRECOMPILE is ON;
# only the tests of the folders in $STRAIT_TEST_FOLDERS, a regular expression that has mixed in it, if that is set.
set -eu
exec </dev/null
cd "$(dirname "$0")/../.."
. cmake/dependencies.sh

[ $# -gt 0 ] || set -- linux32 aarch64 riscv64
folder=${STRAIT_BUILD:-$PWD/build}

strait_need_builder
strait_need_tests
for preset; do strait_need_cross "$preset"; done
strait_install
strait_choose_generator

# The native side: that program only.
cmake --preset dev -B "$folder/native" -DSTRAIT_TEST_FOLDERS=mixed -DSTRAIT_BUILD_BENCH=OFF -DSTRAIT_BUILD_EXAMPLES=OFF \
  ${STRAIT_PRECOMPILE:+"-DSTRAIT_PRECOMPILE=$STRAIT_PRECOMPILE"}
cmake --build "$folder/native" -j "$(strait_jobs)" --target strait-test-mixed

for preset; do
  cmake --preset "$preset" -B "$folder/$preset" -DSTRAIT_WARNINGS_AS_ERRORS="${STRAIT_WARNINGS_AS_ERRORS:-OFF}" \
    ${STRAIT_TEST_FOLDERS:+"-DSTRAIT_TEST_FOLDERS=$STRAIT_TEST_FOLDERS"}
  cmake --build "$folder/$preset" -j "$(strait_jobs)"
  ctest --test-dir "$folder/$preset" --output-on-failure --no-tests=error -j "$(strait_jobs)"

  other=$folder/$preset/tests/strait-test-mixed
  case $preset in
  aarch64 | riscv64) other="qemu-$preset -L /usr/$preset-linux-gnu $other" ;;
  esac
  echo "native with: $other"
  STRAIT_TEST_OTHER=$other timeout -k 10 600 sh cmake/require.sh "All tests passed" "$folder/native/tests/strait-test-mixed"
done
