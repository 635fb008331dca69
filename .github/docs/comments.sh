#!/bin/sh
# comments.sh HEADER   prints the header as Doxygen should see it: what stands at its head is about the file, and in layout/ every
# comment is for the reader of the documentation.
set -eu
case $1 in */layout/*) layout=1 ;; *) layout=0 ;; esac
awk -v layout="$layout" '
  NR == 1 { print; next }
  NR == 2 && /^\/\/ / { print "/*! @file"; print "@verbatim"; head = 1 }
  head && /^\/\// { sub(/^\/\/ ?/, ""); print; next }
  head { print "@endverbatim */"; head = 0 }
  layout && /^ *\/\/ / { sub(/\/\/ /, "/// ") }
  layout && /[;,}] +\/\/ / { sub(/\/\/ /, "///< ") }
  { print }' "$1"
