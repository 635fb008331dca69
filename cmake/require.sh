#!/bin/sh
# require.sh TEXT PROGRAM [ARGUMENT...]   the program must end with 0 and print the text: under an emulator one that cannot
# start may print nothing and end with 0.
set -u
text=$1
shift
printed=$("$@")
code=$?
printf '%s\n' "$printed"
[ "$code" -eq 0 ] || { echo "ended with $code" >&2; exit 1; }
case $printed in *"$text"*) ;; *) echo "did not print: $text" >&2; exit 1 ;; esac
