#!/bin/sh
# Fuzzes what reads shared memory: tests/fuzz/README.md.
#
#   sh tests/fuzz/run.sh [<seconds for each target> [<target>...]]
#
# Builds in build/fuzz, or $STRAIT_BUILD/fuzz. New inputs are kept there, in corpus-<target>; findings too, as crash-*, timeout-*.
set -eu
exec </dev/null
cd "$(dirname "$0")/../.."
. cmake/dependencies.sh
seconds=${1:-30}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- open scribble packets topics dotnet dotnet-packets
build=${STRAIT_BUILD:-$PWD/build}/fuzz
mkdir -p "$build"

strait_need clang strait_command clang++
strait_need libboost-dev strait_header boost/interprocess/shared_memory_object.hpp
strait_need libclang-rt-14-dev strait_fuzzer
strait_install

# Each access outside of a mapping ends the program (STRAIT_GUARD_PAGES): sanitizers do not see where a mapping ends.
flags="-std=c++20 -O1 -g1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DSTRAIT_GUARD_PAGES -Iinclude"
for source in main kinds topics dotnet targets; do
  # shellcheck disable=SC2086 # words on purpose
  echo "clang++ $flags -c tests/fuzz/$source.cpp -o $build/$source.o"
done | xargs -P "$(strait_jobs)" -I{} sh -c '{}'
# shellcheck disable=SC2086
clang++ $flags "$build/main.o" "$build/kinds.o" "$build/topics.o" "$build/dotnet.o" "$build/targets.o" -o "$build/strait-fuzz" -pthread

result=0
for target in "$@"; do
  echo "---- $target"
  mkdir -p "$build/corpus-$target"
  # A second thread scribbles faster than sanitized code runs: its time-outs are generous. Half-made messages are bounded by what
  # arrives, their memory by what is touched.
  (cd "$build" && ./strait-fuzz --target="$target" -max_total_time="$seconds" -timeout=60 -max_len=400 -malloc_limit_mb=4096 -rss_limit_mb=4096 \
    -print_final_stats=1 -verbosity=1 "corpus-$target" "$OLDPWD/tests/fuzz/corpus/$target") >"$build/$target.log" 2>&1 || result=1
  tail -n 12 "$build/$target.log"
done
exit $result
