#!/bin/sh
# Puts plausible bugs back, one at a time, into a copy of the headers (and of what stands for them in the models), and sees that
# something turns red. Prints the survivors at the end.
#
#     sh tests/bugs/run.sh [name...]        all of them without a name, or those whose names begin so; 10 to 30 seconds each
#     sh tests/bugs/run.sh --applies        builds nothing: is each line of the tables, and its test, still about something that is there?
#
# models.txt: steps and re-checks, which the models of tests/model must notice. bounds.txt: bounds, checks of what others wrote and
# limits, which a test must notice. Memory orders are weakened one by one in tests/relacy, as part of those tests.
#
# Left out, because no schedule can show it: a mend that wakes nobody. A sleeper's own slice ends, and it mends and looks
# itself: the wake only saves it the rest of the slice. And followers that look too early, or that nobody wakes: relief is called where no
# follower was asleep, and receives for them. And an idle worker's look at the work: another one that ticks or was called looks at it, a tick later.
#
# A line: name | who must notice: a group of the models' scenarios, or test:FILE | file | sed program. Files in tests/model stand for the
# same lines of handle/ and wait/, which open segments and cannot be compiled there.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
compiler=${CXX:-g++}
survivors=
only_applies=
if [ "${1:-}" = --applies ]; then
  only_applies=yes
  shift
fi

chosen() {  # name, the names asked for
  name=$1
  shift
  [ $# -gt 0 ] || return 0
  for wanted; do
    case $name in "$wanted"*) return 0 ;; esac
  done
  return 1
}

# What every test is linked with, compiled once.
support() {
  [ ! -e "$work/support/done" ] || return 0
  mkdir -p "$work/support"
  for source in "$root"/tests/support/*.cpp "$root"/tests/support/posix/*.cpp; do
    "$compiler" -std=c++20 -O0 -w -I"$root/include" -I"$root/tests" -c "$source" -o "$work/support/$(basename "$source").o" || return 1
  done
  touch "$work/support/done"
}

# Ends with 3 where it cannot be compiled, with 0 where nothing is noticed.
build_and_run() {  # folder, who must notice
  case $2 in
  test:*)
    support || return 3
    libraries="-pthread -lrt"
    [ ! -e /usr/include/catch2/catch_all.hpp ] || libraries="-lCatch2 $libraries"
    # With pages around each mapping that nobody may touch.
    # shellcheck disable=SC2086 # words on purpose
    "$compiler" -std=c++20 -O0 -w -DSTRAIT_GUARD_PAGES -I"$1/include" -I"$1/tests" "$1/tests/${2#test:}" "$work"/support/*.o $libraries \
      -o "$1/mutant" 2>"$1/errors" || return 3
    code=0
    STRAIT_TEST_PATIENCE=1 timeout 150 "$1/mutant" >"$1/output" 2>&1 || code=$?
    [ $code -ne 124 ] || echo "CAUGHT by a hang" >>"$1/output"
    [ $code -ne 3 ] || code=1
    [ $code -ne 124 ] || code=1 ;;
  *)
    "$compiler" -std=c++20 -O1 -w -I"$1/include" -I"$1/tests" "$1/tests/bugs/models.cc" -o "$1/mutant" 2>"$1/errors" || return 3
    code=0
    timeout 120 "$1/mutant" "$2" >"$1/output" 2>&1 || code=$? ;;
  esac
  return $code
}

cat "$here/models.txt" "$here/bounds.txt" >"$work/table"
while IFS='|' read -r name group file program; do
  chosen "$name" "$@" || continue
  if sed "$program" "$root/$file" | cmp -s - "$root/$file"; then
    echo "NOT APPLIED  $name"
    survivors="$survivors $name"
    continue
  fi
  case $group in
  test:*)
    if [ ! -e "$root/tests/${group#test:}" ]; then
      echo "NO TEST      $name"
      survivors="$survivors $name"
      continue
    fi ;;
  esac
  [ -z "$only_applies" ] || continue
  copy="$work/copy"
  rm -rf "$copy"
  mkdir -p "$copy"
  cp -r "$root/include" "$root/tests" "$root/examples" "$copy"
  # A "|" in a sed program would end the table's column: read puts the rest into the last field, so it is whole.
  sed -i "$program" "$copy/$file"
  code=0
  build_and_run "$copy" "$group" || code=$?
  case $code in
    0) echo "SURVIVED     $name"; survivors="$survivors $name" ;;
    3) echo "NO COMPILE   $name"; head -5 "$copy/errors"; survivors="$survivors $name" ;;
    124) echo "TIMEOUT      $name"; survivors="$survivors $name" ;;
    *) echo "caught       $name   ($(grep -m1 '^CAUGHT\|^watchdog\|FAILED\|SIG' "$copy/output" | cut -c1-100 || true))" ;;
  esac
done <"$work/table"
if [ -n "$survivors" ]; then
  echo "Not caught:$survivors"
  exit 1
fi
