#!/bin/bash
# usage: real.sh NAME CACHE
#
# Builds the real program NAME for bench: CACHE/bench/NAME/NAME.wasm, native (with -O2), input (its
# standard input), args (a line for each argument; {N} in one stands for N times the scale) and ignore
# (a regular expression of output lines that differ from run to run), unless that is up to date.
# Sources come the way tests/real gets them, and are shared with it when CACHE is its cache.
#
# A file real/NAME.sh defines
#   build DIR    puts NAME.wasm and native there
#   input DIR    prints what the program reads
#   args, ignore

BENCH=$(cd "$(dirname "$0")" && pwd)
REAL=$BENCH/../real
NAME=$1
mkdir -p "$2" && CACHE=$(cd "$2" && pwd) || exit
DIR=$CACHE/bench/$NAME
export LC_ALL=C TZ=UTC

newer=$(find "$BENCH/real.sh" "$BENCH/real" "$REAL/lib.sh" "$REAL/shim" "$REAL/programs" -type f \
    -newer "$DIR/.built" 2>&1 | grep -E "lib\.sh|/real\.sh|/shim/|/${NAME}[./]|cannot|No such" | head -1)
[ -e "$DIR/.built" ] && [ -z "$newer" ] && exit

rm -rf "$DIR" && mkdir -p "$DIR" || exit
export BENCH REAL NAME CACHE DIR
# A shell of its own, because set -e is without effect in a condition.
bash -e >"$DIR/build.log" 2>&1 <<'EOF' || { tail -n 15 "$DIR/build.log" >&2; exit 1; }
. "$REAL/lib.sh"
native_cc() { "${NATIVE_CC:-clang-19}" -O2 -w -ffp-contract=off "$@"; }
args=() ignore=
. "$BENCH/real/$NAME.sh"
(build "$DIR")
input "$DIR" >"$DIR/input"
printf '%s\n' "${args[@]}" >"$DIR/args"
printf '%s' "$ignore" >"$DIR/ignore"
EOF
touch "$DIR/.built"
