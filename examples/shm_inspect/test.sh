#!/bin/sh
# test.sh INSPECT SERVER CLIENT: a ring in use, its processes stopped, one killed, all killed, and the clean-up.
set -eu
inspect=$1 server=$2 client=$3
folder=$(mktemp -d)
ring=strait-test-inspect-$$
server_id= client_id=
clean_up() {
  for id in $server_id $client_id; do kill -9 "$id" 2> /dev/null || true; done
  rm -rf "$folder"
}
trap clean_up EXIT
fail() { echo "$*"; cat "$folder"/*; exit 1; }
look() { timeout 60 "$inspect" "$@" > "$folder/look" || fail "strait-inspect $* failed"; }
says() { grep -q -- "$1" "$folder/look" || fail "it does not say: $1"; }

if timeout 60 "$inspect" "$ring" > "$folder/look"; then fail "it found what is not there"; fi
says '^no Strait segments$'
if timeout 60 "$inspect" --no-such-option > "$folder/look" 2>&1; then fail "it took a wrong option"; fi
says '^usage: strait-inspect'

"$server" --ring "$ring" --seconds 100 > "$folder/server" 2>&1 < /dev/null & server_id=$!
"$client" --ring "$ring" > "$folder/client" 2>&1 < /dev/null & client_id=$!
until grep -q throughput "$folder/client"; do
  kill -0 "$client_id" 2> /dev/null || fail "the client ended early"
  sleep 0.05
done

# In use, and just as well while everybody stands still.
for how in CONT STOP; do
  kill -"$how" "$server_id" "$client_id"
  look --details --interval 1 "$ring"
  says "^$ring  ring, ready, 50.0 MiB, age .*, handles 2 of 64\$"
  says "seat 0 (pid $server_id .*), owner\$"
  says "seat 1 (pid $client_id "
  says 'messages [1-9].*/s'
  says 'nodes of 1.0 MiB wait to be read'
done
look --json "$ring"
says '^\[{"name":"'"$ring"'","kind":"ring","state":"ready",.*}\]$'
timeout 60 "$inspect" > "$folder/look"  # among all
says "^$ring  ring"
look --clean "$ring"  # it is alive
says '^0 dead segments removed$'
look "$ring"
says ', ready,'

kill -9 "$server_id"
wait "$server_id" 2> /dev/null || true
look --details "$ring"  # nobody has mended yet: the other one stands still
says 'handles 1 and 1 dead of 64'
says "seat 0 (pid $server_id, dead), owner\$"

kill -9 "$client_id"
wait "$client_id" 2> /dev/null || true
server_id= client_id=
look "$ring"
says "^$ring  ring, dead, "
look --clean "$ring"
says "^removed $ring\$"
says '^1 dead segment removed$'
if [ -d /dev/shm ] && ls /dev/shm | grep -F "$ring"; then fail "left in /dev/shm"; fi
