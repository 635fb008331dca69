#!/bin/sh
# Builds the documentation in build/docs/docs/html (or $STRAIT_BUILD/docs/docs/html); installs what is missing first. Any warning fails.
set -eu
exec </dev/null
cd "$(dirname "$0")/../.."
. cmake/dependencies.sh

strait_need_builder
strait_need doxygen strait_command doxygen
strait_install
strait_choose_generator

build=${STRAIT_BUILD:-$PWD/build}/docs
cmake -S . -B "$build" -DSTRAIT_BUILD_TESTS=OFF -DSTRAIT_BUILD_BENCH=OFF -DSTRAIT_BUILD_EXAMPLES=OFF
cmake --build "$build" --target docs
echo "$build/docs/html/index.html"
