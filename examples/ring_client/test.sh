#!/bin/sh
# test.sh SERVER CLIENT: a short run of both, and what is left if the server is killed.
set -eu
server=$1 client=$2
folder=$(mktemp -d)
ring=strait-test-$$
trap 'rm -rf "$folder"' EXIT
lines() { tr -d '\r' < "$1"; }  # on Windows they end in two characters
fail() { echo "$*"; cat "$folder"/*.log; exit 1; }

timeout 60 "$client" --ring "$ring" > "$folder/client.log" 2>&1 < /dev/null & client_id=$!
timeout 60 "$server" --ring "$ring" --seconds 1 > "$folder/server.log" 2>&1 < /dev/null || fail "the server failed"
wait "$client_id" || fail "the client failed"
[ "$(lines "$folder/client.log" | grep -c '^Completed\.$')" -eq 2 ] || fail "the client did not complete both phases"
lines "$folder/client.log" | grep -q "^Buffer $ring opened, NodeBufferSize: 1048576, NodeCount: 50$" || fail "the client opened something else"

# Logs of their own: until a log is truncated, it still says what the run before printed.
"$server" --ring "$ring" --seconds 60 > "$folder/killed.log" 2>&1 < /dev/null & server_id=$!
timeout 60 "$client" --ring "$ring" > "$folder/lost.log" 2>&1 < /dev/null & client_id=$!
until grep -q 'throughput' "$folder/lost.log"; do
  kill -0 "$client_id" 2> /dev/null || fail "the client ended early"
  sleep 0.05
done
kill -9 "$server_id"
code=0; wait "$client_id" || code=$?
[ "$code" -eq 1 ] || fail "the client ended with $code, expected 1"
grep -q 'the server is gone' "$folder/lost.log" || fail "the client did not say why"
wait "$server_id" || true

if [ -d /dev/shm ] && ls /dev/shm | grep -F "$ring"; then fail "left in /dev/shm"; fi
