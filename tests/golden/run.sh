#!/bin/sh
# Runs golden files: commands and what they must print.
#
# usage: run.sh [-r] WASMRUN GUESTS FILE...      -r rewrites the expectations from what happens
#
# A golden file consists of sections; a section's text lasts until the next line with `;;; WORD:`.
#
#     text before the first section says what is shown
#     ;;; FILE: NAME      a text file for the commands to find
#     ;;; HEX: NAME       a binary file: bytes in hex; a `;` starts a comment
#     ;;; RUN: COMMAND    run by sh in a fresh folder; `wasmrun` is the program under test, $GUESTS the
#                         folder of compiled guests
#     ;;; STATUS: N       exit status of the last RUN, when it is not 0
#     ;;; STDOUT:         what it must print (nothing, when left out)
#     ;;; STDERR:
#     ;;; NOTE: TEXT      for the reader
set -u

rebase=0
if [ "${1:-}" = -r ]; then
    rebase=1
    shift
fi
[ $# -ge 3 ] || { echo "usage: run.sh [-r] WASMRUN GUESTS FILE..." >&2; exit 2; }
WASMRUN=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
GUESTS=$2
export WASMRUN GUESTS
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Splits FILE into steps/N.{run,status,stdout,stderr} and the files that the commands find in work/.
split() {
    rm -rf "$scratch/steps" "$scratch/work"
    mkdir -p "$scratch/steps" "$scratch/work"
    awk -v steps="$scratch/steps" -v work="$scratch/work" '
    function begin(path) { out = path; printf "" >out }
    /^;;; [A-Z]+:/ {
        word = substr($2, 1, length($2) - 1)
        rest = $0; sub(/^;;; [A-Z]+: */, "", rest)
        if (out != "") close(out)
        out = ""
        if (word == "FILE") begin(work "/" rest)
        else if (word == "HEX") begin(steps "/hex." rest)
        else if (word == "RUN") {
            step = sprintf("%s/%03d", steps, ++n)
            print rest >(step ".run"); close(step ".run")
            print 0 >(step ".status"); close(step ".status")
            begin(step ".stderr"); close(step ".stderr"); begin(step ".stdout"); close(step ".stdout"); out = ""
        }
        else if (word == "STATUS") { print rest >(step ".status"); close(step ".status") }
        else if (word == "STDOUT") begin(step ".stdout")
        else if (word == "STDERR") begin(step ".stderr")
        else if (word != "NOTE") { print "unknown section " word >"/dev/stderr"; exit 2 }
        next
    }
    out != "" { print >out }' "$1" || return 2
    for hex in "$scratch"/steps/hex.*; do
        [ -f "$hex" ] && unhex "$hex" >"$scratch/work/${hex##*/hex.}"
    done
    return 0
}

# Hex digits, with blanks and comments, to bytes.
unhex() {
    sed 's/;.*//' "$1" | tr -d ' \t\n' | awk '
    function digit(c) { return index("0123456789abcdef", tolower(c)) - 1 }
    { for (i = 1; i < length($0); i += 2)
        printf "\\0%03o", 16 * digit(substr($0, i, 1)) + digit(substr($0, i + 1, 1)) }' |
        while IFS= read -r octal || [ -n "$octal" ]; do printf '%b' "$octal"; done
}

# Runs step $1; leaves got.{status,stdout,stderr}.
run_step() {
    (
        cd "$scratch/work" || exit 127
        wasmrun() { "$WASMRUN" "$@"; }
        eval "$(cat "$1.run")"
    ) </dev/null >"$1.got.stdout" 2>"$1.got.stderr"
    echo $? >"$1.got.status"
}

check_step() {
    same=0
    for part in status stdout stderr; do
        cmp -s "$1.$part" "$1.got.$part" && continue
        same=1
        echo "$file: $part of: $(cat "$1.run")"
        diff -u "$1.$part" "$1.got.$part" | sed 1,2d
    done
    return $same
}

# Prints the file again, with each RUN followed by what happened.
rewrite() {
    awk -v steps="$scratch/steps" '
    function copy(path,   line) { while ((getline line <path) > 0) print line; close(path) }
    function expect(step,   line) {
        getline line <(step ".got.status")
        if (line != 0) print ";;; STATUS: " line
        if ((getline line <(step ".got.stdout")) > 0) {
            print ";;; STDOUT:"; close(step ".got.stdout"); copy(step ".got.stdout")
        }
        if ((getline line <(step ".got.stderr")) > 0) {
            print ";;; STDERR:"; close(step ".got.stderr"); copy(step ".got.stderr")
        }
    }
    /^;;; (STATUS|STDOUT|STDERR):/ { skip = 1; next }
    /^;;; [A-Z]+:/ { skip = 0 }
    skip { next }
    { print }
    /^;;; RUN:/ { expect(sprintf("%s/%03d", steps, ++n)) }' "$1"
}

failed=0
for file; do
    split "$file" || exit 2
    ran=0
    for step in "$scratch"/steps/*.run; do
        [ -f "$step" ] || continue
        ran=1
        run_step "${step%.run}"
        [ $rebase = 1 ] || check_step "${step%.run}" || failed=1
    done
    [ $ran = 1 ] || { echo "$file: no RUN section"; failed=1; }
    if [ $rebase = 1 ]; then
        rewrite "$file" >"$scratch/new" && cp "$scratch/new" "$file"
    fi
done
exit $failed
