#!/bin/sh
# test.sh SEND RECEIVE: one writer, two receivers; both must be told of the last message. Nothing may be left in /dev/shm.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "$*"; cat "$folder"/*; exit 1; }

timeout 60 "$2" >"$folder/one" & one=$!
timeout 60 "$2" >"$folder/two" & two=$!
for log in one two; do
  until grep -q '^ready' "$folder/$log"; do sleep 0.05; done
done
printf 'hello\nbye\n' | timeout 60 "$1" || fail "the writer failed"
wait "$one" || fail "the first receiver failed"
wait "$two" || fail "the second receiver failed"
for log in one two; do
  [ "$(tail -n 1 "$folder/$log" | tr -d '\r')" = "received: bye" ] || fail "the last message was missed"
done
if [ -d /dev/shm ] && ls /dev/shm | grep -F strait-example-notify; then fail "left in /dev/shm"; fi
