#!/bin/sh
# The shared library exports every function that the standard header declares (names.txt), and nothing
# but wasm_* and wr_*.
# usage: symbols.sh LIBRARY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exported=$(nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//' | sort -u)
missing=$(printf '%s\n' "$exported" | comm -23 "$here/names.txt" -)
foreign=$(printf '%s\n' "$exported" | grep -v -E '^(wasm_|wr_|WASMRUN_)' || true)
[ -z "$missing" ] || echo "not exported: $missing"
[ -z "$foreign" ] || echo "exported without reason: $foreign"
[ -z "$missing$foreign" ] && echo "$(wc -l <"$here/names.txt") standard functions exported"
