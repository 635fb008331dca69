#!/bin/sh
# Shows Strait's main job: one program streams a file through shared memory, another writes what arrives, and the two files
# are compared. Installs what is missing and builds first.
#
#   sh examples/run.sh [<file>]      by default the streaming program's own binary
#
# Builds in build/examples, or in $STRAIT_BUILD/examples.
set -eu
exec </dev/null

file=
if [ $# -gt 0 ]; then
  file=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
fi
cd "$(dirname "$0")/.."
. cmake/dependencies.sh

strait_need_builder
strait_install
strait_choose_generator

build=${STRAIT_BUILD:-$PWD/build}/examples
cmake --preset examples -B "$build"
cmake --build "$build" -j "$(strait_jobs)" --target strait-produce strait-consume

produce=$build/examples/strait-produce
consume=$build/examples/strait-consume
: "${file:=$produce}"

copy=$(mktemp "${TMPDIR:-/tmp}/strait-copy.XXXXXX")
consumer=
clean_up() {
  if [ -n "$consumer" ]; then
    kill "$consumer" 2>/dev/null || true
  fi
  rm -f "$copy"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Two processes that share nothing but the ring's name. Either may be started first.
ring=strait-example-$$
echo
echo "Streaming $file through shared memory:"
"$consume" --ring "$ring" "$copy" &
consumer=$!
"$produce" --ring "$ring" "$file"
wait "$consumer"
consumer=

if cmp "$file" "$copy"; then
  echo "The copy is identical: $(($(wc -c <"$copy"))) bytes."
else
  echo "The copy differs." >&2
  exit 1
fi
