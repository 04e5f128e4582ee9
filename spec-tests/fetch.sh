#!/bin/sh
# Prints the folder of the official test suite: $WASM_TESTSUITE_DIR, else ../shared/wasm-testsuite
# beside the sources, else a clone at the pinned commit, made once.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
pin=$(cat "$top/spec-tests/pin")
dir=${WASM_TESTSUITE_DIR:-$top/../shared/wasm-testsuite}
if [ ! -d "$dir" ]; then
    [ -z "${WASM_TESTSUITE_DIR:-}" ] || { echo "fetch.sh: no folder $dir" >&2; exit 1; }
    dir=$top/build/wasm-testsuite
    if [ "$(git -C "$dir" rev-parse HEAD 2>/dev/null || true)" != "$pin" ]; then
        rm -rf "$dir"
        git init -q "$dir"
        git -C "$dir" fetch -q --depth 1 https://github.com/WebAssembly/testsuite "$pin" >&2
        git -C "$dir" checkout -q FETCH_HEAD
    fi
fi
(cd "$dir" && pwd)
