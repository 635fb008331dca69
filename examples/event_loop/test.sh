#!/bin/sh
# test.sh PROGRAM: one that loops, and others that write to it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "$*"; cat "$folder"/*; exit 1; }

timeout 60 "$1" > "$folder/loop" 2>&1 & loop=$!
until grep -q '^ready' "$folder/loop" 2> /dev/null; do
  kill -0 "$loop" 2> /dev/null || fail "the loop ended early"
  sleep 0.05
done
timeout 60 "$1" hello world || fail "the first writer failed"
until grep -q '^tick' "$folder/loop"; do sleep 0.05; done
timeout 60 "$1" again bye || fail "the second writer failed"
wait "$loop" || fail "the loop failed"
[ "$(grep -v '^tick' "$folder/loop")" = "ready
message: hello
message: world
message: again" ] || fail "the loop printed something else"
if [ -d /dev/shm ] && ls /dev/shm | grep -F strait-example-event-loop; then fail "left in /dev/shm"; fi
