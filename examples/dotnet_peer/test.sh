#!/bin/sh
# test.sh PEER [MESSAGES [CALLS]]: a ring with a writer and a reader, and a channel with both its ends, each a process of its own.
set -eu
peer=$1
messages=${2:-100000}
calls=${3:-10000}
name=strait-test-dotnet-$$
folder=$(mktemp -d)
trap 'rm -rf "$folder"; for id in $owner $reader $server; do kill "$id" 2>/dev/null || true; done' EXIT
owner= reader= server=
fail() { echo "$*"; cat "$folder"/* 2>/dev/null; exit 1; }
# On Windows lines end in two characters.
says() { [ "$(tr -d '\r' <"$folder/$1" | tail -n 1)" = "$2" ]; }

: >"$folder/owner"
timeout 110 "$peer" create "$name" 64 128 100 >"$folder/owner" 2>&1 &
owner=$!
until says owner "created $name"; do sleep 0.05; done
timeout 100 "$peer" read "$name" "$messages" 30000 >"$folder/reader" 2>&1 &
reader=$!
timeout 100 "$peer" write "$name" "$messages" 30000 >"$folder/writer" 2>&1 || fail "the writer failed"
wait "$reader" || fail "the reader failed"
reader=
says reader "read $messages bad=0 outOfOrder=0" || fail "the reader said something else"
if timeout 60 "$peer" read "$name" 1 50 >"$folder/nothing" 2>&1; then fail "there was a message too many"; fi
says nothing "read 0 bad=0 outOfOrder=0" || fail "the last reader said something else"
kill "$owner" || true
wait "$owner" || true
owner=

timeout 100 "$peer" rpcserve "$name" "$calls" 30000 >"$folder/server" 2>&1 &
server=$!
timeout 100 "$peer" rpccall "$name" "$calls" 256 5 >"$folder/caller" 2>&1 || fail "the caller failed"
says caller "called $calls bad=0" || fail "the caller said something else"
wait "$server" || fail "the server failed"
server=
says server "served $calls" || fail "the server said something else"

# The ring's owner was killed: the ring's own name stays until it is used again.
timeout 60 "$peer" create "$name" 2 16 0 >"$folder/again" 2>&1 || fail "the name was not free"
if [ -d /dev/shm ] && ls /dev/shm | grep -F "$name"; then fail "left in /dev/shm"; fi
