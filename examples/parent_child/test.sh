#!/bin/sh
# test.sh PARENT CHILD: the lines of each process, in its order; how the two interleave is theirs. Nothing may be left in /dev/shm.
set -eu
output=$(timeout 60 "$1" "$2" | tr -d '\r')
expect() {
  [ "$(echo "$output" | grep -F "$1")" = "$2" ] || { echo "unexpected output:"; echo "$output"; exit 1; }
}
expect '[Parent]' '[Parent] Process started
[Parent] Sending: hello world!
[Parent] Sending: terminate
[Parent] Process terminated'
expect '[Child]' '[Child] Process started
[Child] Received: hello world!
[Child] Received: terminate
[Child] Process terminated'
[ "$(echo "$output" | wc -l)" -eq 8 ] || { echo "unexpected output:"; echo "$output"; exit 1; }
if [ -d /dev/shm ] && ls /dev/shm | grep -F IpcDemo; then
  echo "left in /dev/shm"
  exit 1
fi
