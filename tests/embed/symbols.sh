#!/bin/sh
# The names that the shared library exports: every function of the standard C API (capi/names.txt), every
# function that wasmrun.h declares, whatever was exported before (exports.txt: a name that goes breaks
# programs; every one is listed), all with a version, and no others.
# usage: symbols.sh SOURCE-FOLDER LIBRARY
set -eu
here=$1/tests/embed
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

complain() { # FILE WHAT
    [ -s "$1" ] || return 0
    status=1
    echo "$2:"
    sed 's/^/  /' "$1"
}

nm -D --defined-only "$2" | awk '$2 != "A" { print $3 }' >"$scratch/versioned"
sed 's/@.*//' "$scratch/versioned" | sort -u >"$scratch/exported"
awk '
    /^WR_API/ { text = ""; inside = 1 }
    inside {
        text = text " " $0
        if ($0 ~ /;/) {
            inside = 0
            sub(/\(.*/, "", text)
            n = split(text, words, /[ *]+/)
            print words[n]
        }
    }' "$1/embed/include/wasmrun.h" | sort >"$scratch/declared"

grep -v '@@WASMRUN_[0-9.]*$' "$scratch/versioned" >"$scratch/bare" || true
complain "$scratch/bare" "exported without a version"
comm -23 "$here/capi/names.txt" "$scratch/exported" >"$scratch/standard"
complain "$scratch/standard" "not exported, of the standard C API"
comm -23 "$scratch/declared" "$scratch/exported" >"$scratch/missing"
complain "$scratch/missing" "declared, but not exported"
comm -23 "$here/exports.txt" "$scratch/exported" >"$scratch/gone"
complain "$scratch/gone" "not exported any more"
comm -13 "$here/exports.txt" "$scratch/exported" >"$scratch/new"
complain "$scratch/new" "not listed in tests/embed/exports.txt"
grep -v '^wasm_' "$scratch/exported" | comm -23 - "$scratch/declared" >"$scratch/foreign"
complain "$scratch/foreign" "exported, but not declared"
[ $status = 0 ] && echo "$(wc -l <"$scratch/exported") names exported"
exit $status
