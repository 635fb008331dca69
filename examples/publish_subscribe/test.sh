#!/bin/sh
# test.sh PUBLISH SUBSCRIBE: two publishers, one lossless and one lossy subscriber; both get every line, and a late one the last three.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
topic=strait-example-topic-$$
fail() { echo "$*"; head -50 "$folder"/*; exit 1; }
ready() { until grep -q '^ready' "$folder/$1"; do sleep 0.05; done; }

timeout 60 "$2" "$topic" >"$folder/one" & one=$!
timeout 60 "$2" "$topic" lossy >"$folder/two" & two=$!
ready one
ready two
mkfifo "$folder/input"
timeout 60 "$1" "$topic" 2 <"$folder/input" 2>"$folder/first" & first=$!
exec 3>"$folder/input"
printf 'a1\na2\na3\na4\n' >&3
printf 'b1\nb2\n' | timeout 60 "$1" "$topic" 2 2>"$folder/second" || fail "the second publisher failed"
for log in one two; do
  until [ "$(grep -c '^[ab]' "$folder/$log")" = 6 ]; do sleep 0.05; done
done
timeout 60 "$2" "$topic" >"$folder/late" 3>&- & late=$!  # that holds the first publisher's input open otherwise
until grep -q '^a4' "$folder/late"; do sleep 0.05; done
exec 3>&-
wait "$first" || fail "the first publisher failed"
for process in $one $two $late; do wait "$process" || fail "a subscriber failed"; done
for log in one two; do
  [ "$(grep '^a' "$folder/$log" | tr '\n' ' ')" = "a1 a2 a3 a4 " ] || fail "$log: the first publisher's lines are not right"
  [ "$(grep '^b' "$folder/$log" | tr '\n' ' ')" = "b1 b2 " ] || fail "$log: the second publisher's lines are not right"
done
[ "$(grep '^a' "$folder/late" | tr '\n' ' ')" = "a2 a3 a4 " ] || fail "the late one did not get the last three lines"
if [ -d /dev/shm ] && ls /dev/shm | grep -F "$topic"; then fail "left in /dev/shm"; fi
