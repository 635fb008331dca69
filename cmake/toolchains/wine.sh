#!/bin/sh
# wine.sh PROGRAM [ARGUMENT...]   runs a Windows program under Wine, in a prefix of this build's own
# wine.sh --start                 makes the prefix and keeps its server up: a program then starts in 0.05 s instead of 3
# wine.sh --stop                  ends the server
set -eu
: "${WINEPREFIX:=/tmp/strait-wine-$(id -u)}"
: "${WINEDEBUG:=-all}"
export WINEPREFIX WINEDEBUG
# Debian keeps the server beside the loader.
server=$(command -v wineserver || echo /usr/lib/wine/wineserver)
case ${1:-} in
--start)
  mkdir -p "$WINEPREFIX"
  "$server" -p >/dev/null 2>&1 </dev/null || true  # one that runs already is as good
  wine wineboot --init </dev/null >/dev/null 2>&1 ;;
--stop) "$server" -k >/dev/null 2>&1 </dev/null || true ;;
*) exec wine "$@" ;;
esac
