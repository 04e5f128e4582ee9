#!/bin/bash
# usage: run.sh [--update] WASMRUN GUESTDIR [NAME...]
#
# Runs guest programs (GUESTDIR/NAME.wasm, compiled from NAME.c) and compares what they print with
# NAME.expect. One line per guest that fails, then 'N passed, M failed'.
#
# How a guest is run stands in its head comment, as shell lines that begin with ' * $ '. They are run
# by bash in a fresh directory with these words:
#   guest [ARGS]    runs it, with the options in the array `options`: at first --dir root::/
#   root            a directory, still empty, beside which lies nothing of value
#   other NAME      like guest, for another guest program
# The transcript is their standard output, then 'status N' if the last one failed. Without such lines
# the program is run once. Environment: WASMRUN_FLAGS, further options of wasmrun; TIMEOUT, seconds
# for one guest (600); KEEP=1 keeps the directories; EDIT, a line of sed for what is expected.

here=$(cd "$(dirname "$0")" && pwd)
update=
[ "$1" = --update ] && { update=1; shift; }
[ $# -ge 2 ] || { sed -n 2p "$0" >&2; exit 2; }
export WASMRUN GUESTS HERE=$here
WASMRUN=$(realpath "$1") && GUESTS=$(realpath "$2") || exit 2
shift 2
[ $# -gt 0 ] || set -- $(cd "$here" && ls -- *.expect | sed 's/\.expect$//')
scratch=$(mktemp -d) || exit 2
[ -n "$KEEP" ] || trap 'chmod -R u+rwx "$scratch"; rm -rf "$scratch"' EXIT
export LC_ALL=C TZ=UTC

words='
options=(--dir root::/)
other() {
    local module=$GUESTS/$1.wasm
    shift
    "$WASMRUN" run $WASMRUN_FLAGS "${options[@]}" "$module" "$@"
}
guest() { other "$NAME" "$@"; }
'

# transcript NAME: runs its lines in a fresh directory; the transcript goes to $scratch/NAME/out.
transcript() (
    mkdir -p "$scratch/$1/dir/root" && cd "$scratch/$1/dir" || exit
    lines=$(sed -n '/^ \*\/$/q; s/^ \* \$ //p' "$here/$1.c")
    export NAME=$1
    timeout "${TIMEOUT:-600}" bash -c "$words"$'\n'"${lines:-guest}" \
        guest >../out 2>../err </dev/null
    status=$?
    [ "$status" = 0 ] || echo "status $status" >>../out
)

passed=0 failed=0
for name; do
    transcript "$name"
    [ -z "$update" ] || cp "$scratch/$name/out" "$here/$name.expect"
    if sed "${EDIT:-}" "$here/$name.expect" | cmp -s - "$scratch/$name/out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $name (expected <, printed >)"
        diff -a "$here/$name.expect" "$scratch/$name/out" | head -n ${DIFF_LINES:-40}
        head -n 10 "$scratch/$name/err"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
