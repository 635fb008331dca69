#!/bin/sh
# test.sh CHAT: three people talk, one leaves and one is killed; the others see all of it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
topic=strait-example-chat-$$
fail() { echo "$*"; head -50 "$folder"/*.log; exit 1; }
sees() {  # who, line
  tries=0
  until grep -qxF -- "$2" "$folder/$1.log"; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || fail "$1 does not see: $2"
    sleep 0.05
  done
}
for who in ada ben cat; do mkfifo "$folder/$who"; done
"$1" ada "$topic" <"$folder/ada" >"$folder/ada.log" & ada=$!
exec 3>"$folder/ada"
"$1" ben "$topic" <"$folder/ben" >"$folder/ben.log" & ben=$!
exec 4>"$folder/ben"
sees ada "* ben is here"
sees ben "* ada is here"
echo "hello ben" >&3
sees ben "ada: hello ben"
echo "hello ada" >&4
sees ada "ben: hello ada"
"$1" cat "$topic" <"$folder/cat" >"$folder/cat.log" 3>&- 4>&- & cat=$!
exec 5>"$folder/cat"
sees cat "* ada is here"
sees cat "* ben is here"
echo "hello all" >&5
sees ada "cat: hello all"
sees ben "cat: hello all"
kill -9 $cat
wait $cat || true
exec 5>&-
sees ada "* cat has left"
sees ben "* cat has left"
exec 4>&-
wait $ben || fail "ben failed"
sees ada "* ben has left"
exec 3>&-
wait $ada || fail "ada failed"
if [ -d /dev/shm ] && ls /dev/shm | grep -F "$topic"; then fail "left in /dev/shm"; fi
