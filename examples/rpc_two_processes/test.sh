#!/bin/sh
# test.sh SERVICE CLIENT LOAD [killed]: a calculation, one that fails, a short load, and a service that is killed and started again.
# `killed`: it is always killed, because no signal asks it to end.
set -eu
service=$1 client=$2 load=$3 always_killed=${4:-}
folder=$(mktemp -d)
channel=strait-test-rpc-$$
service_id=
trap 'rm -rf "$folder"; [ -z "$service_id" ] || kill "$service_id" 2> /dev/null || true' EXIT
fail() { echo "$*"; cat "$folder"/* 2> /dev/null; exit 1; }
start() { timeout 100 "$service" --channel "$channel" > "$folder/service.log" 2>&1 & service_id=$!; }
# (`timeout` would not pass a SIGKILL on.)
start_to_be_killed() { "$service" --channel "$channel" > "$folder/killed.log" 2>&1 & service_id=$!; }
kill_it() { kill -9 "$service_id"; wait "$service_id" 2> /dev/null || true; }
calculate() { timeout 60 "$client" --channel "$channel" "$1" | tr -d '\r'; }

if [ -n "$always_killed" ]; then start_to_be_killed; else start; fi
[ "$(calculate "6 * 7")" = 42 ] || fail "6 * 7 was not 42"
if timeout 60 "$client" --channel "$channel" "1 / 0" > "$folder/error" 2>&1; then fail "1 / 0 was calculated"; fi
grep -q "division by zero" "$folder/error" || fail "the error's text was lost"
timeout 60 "$load" --channel "$channel" --threads 4 --size 1024 --calls 2000 > "$folder/load" || fail "the load failed"
grep -q "^2000 in .* requests / sec, p50 .* p99 .* failed 0.\{0,1\}$" "$folder/load" || fail "the load's last line is wrong"
timeout 60 "$load" --channel "$channel" --threads 2 --size 300000 --calls 50 > "$folder/load" || fail "the load of large messages failed"

if [ -z "$always_killed" ]; then
  kill -TERM "$service_id"
  wait "$service_id" || fail "the service did not end well"
  grep -q "^Served 2054 requests, 1 of them in vain$" "$folder/service.log" || fail "the service counted something else"
  start_to_be_killed
  [ "$(calculate "6 * 7")" = 42 ] || fail "6 * 7 was not 42 the second time"
fi

# Killed and started again; a client that came while nobody served waits for the next one.
kill_it
timeout 60 "$client" --channel "$channel" "2 * 3" > "$folder/answer" 2>&1 & client_id=$!
if [ -n "$always_killed" ]; then start_to_be_killed; else start; fi
wait "$client_id" || fail "the client found no new service"
[ "$(tr -d '\r' < "$folder/answer")" = 6 ] || fail "2 * 3 was not 6"
if [ -n "$always_killed" ]; then
  kill_it
else
  kill -TERM "$service_id"
  wait "$service_id" || fail "the second service did not end well"
fi
service_id=

if [ -d /dev/shm ] && ls /dev/shm | grep -F "$channel"; then fail "left in /dev/shm"; fi
