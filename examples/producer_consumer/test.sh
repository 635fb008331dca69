#!/bin/sh
# test.sh CASE PRODUCE CONSUME: runs the two programs against each other. What arrives is compared with cmp, everything that
# could hang has a timeout, and no object of the ring may be left in /dev/shm.
set -eu
case_name=$1 produce=$2 consume=$3
folder=$(mktemp -d)
ring=strait-test-$$
trap 'rm -rf "$folder"' EXIT
cd "$folder"

produce() { timeout 60 "$produce" --ring "$ring" "$@"; }
consume() { timeout 60 "$consume" --ring "$ring" "$@"; }
fail() { echo "$case_name: $*"; cat ./*.log 2>/dev/null || true; exit 1; }
must_fail() { # PID LOG TEXT: the process ends with 1 and says TEXT
  code=0; wait "$1" || code=$?
  [ "$code" -eq 1 ] || fail "ended with $code, expected 1"
  grep -q "$3" "$2" || fail "$2 does not say \"$3\""
}

# 64 MiB and some bytes: more than the ring holds, and the last message is not full.
head -c 67108901 /dev/urandom > sent

case $case_name in
  producer_first)
    produce sent 2> produce.log & producer=$!
    until grep -q '^ring' produce.log; do sleep 0.05; done
    consume received 2> consume.log || fail "the consumer failed"
    wait "$producer" || fail "the producer failed"
    cmp sent received
    # Both print the same size and checksum.
    [ "$(grep -o '67108901 bytes, CRC-32C [0-9a-f]*' produce.log)" = "$(grep -o '67108901 bytes, CRC-32C [0-9a-f]*' consume.log)" ] ||
      fail "the two checksums differ" ;;
  consumer_first)
    consume received 2> consume.log & consumer=$!
    until grep -q '^ring' consume.log; do sleep 0.05; done
    produce sent 2> produce.log || fail "the producer failed"
    wait "$consumer" || fail "the consumer failed"
    cmp sent received ;;
  pipes)
    consume - 2> consume.log > received & consumer=$!
    cat sent | produce - 2> produce.log || fail "the producer failed"
    wait "$consumer" || fail "the consumer failed"
    cmp sent received ;;
  back_to_back)
    : > empty
    for file in "$produce" empty sent; do
      consume received 2> consume.log & consumer=$!
      produce "$file" 2> produce.log || fail "the producer failed"
      wait "$consumer" || fail "the consumer failed"
      cmp "$file" received
    done ;;
  dead_producer)
    consume received 2> consume.log & consumer=$!
    mkfifo endless
    "$produce" --ring "$ring" endless 2> produce.log & producer=$!
    exec 3> endless
    cat sent >&3
    kill -9 "$producer"
    must_fail "$consumer" consume.log 'the producer is gone'
    exec 3>&-
    wait "$producer" || true ;;
  dead_consumer)
    mkfifo stuck
    "$consume" --ring "$ring" stuck 2> consume.log & consumer=$!
    produce sent 2> produce.log & producer=$!
    head -c 1000000 stuck > received  # then nobody reads the pipe: the ring fills up
    kill -9 "$consumer" 2>/dev/null || true
    must_fail "$producer" produce.log 'the consumer is gone'
    wait "$consumer" || true ;;
  second_consumer)
    mkfifo slow
    consume slow 2> consume.log & consumer=$!
    produce sent 2> produce.log & producer=$!
    exec 3< slow
    head -c 1000 <&3 > received  # from here on the first consumer has the ring
    consume other 2> second.log & must_fail $! second.log 'too many participants'
    cat <&3 >> received
    exec 3<&-
    wait "$consumer" || fail "the consumer failed"
    wait "$producer" || fail "the producer failed"
    cmp sent received ;;
  nobody_comes)
    produce --wait 0 sent 2> produce.log & must_fail $! produce.log 'nobody else opened'
    consume --wait 0 received 2> consume.log & must_fail $! consume.log 'not found' ;;
  *) fail "no such case" ;;
esac

# The name of a ring is the name of its object, or its beginning.
if [ -d /dev/shm ] && ls /dev/shm | grep -F "$ring"; then fail "left in /dev/shm"; fi
