#!/bin/sh
# Prints the folder of WebAssembly/wasm-c-api, the standard C API with its examples: $WASM_C_API_DIR, else a
# clone at a commit, made once.
set -eu
pin=debd0908627e3028b1aa460a4934732c2c3b00a6
dir=${WASM_C_API_DIR:-}
if [ -z "$dir" ]; then
    dir=$(cd "$(dirname "$0")/../../.." && pwd)/build/wasm-c-api
    if [ "$(git -C "$dir" rev-parse HEAD 2>/dev/null || true)" != "$pin" ]; then
        rm -rf "$dir"
        git init -q "$dir"
        git -C "$dir" fetch -q --depth 1 https://github.com/WebAssembly/wasm-c-api "$pin" >&2
        git -C "$dir" checkout -q FETCH_HEAD
    fi
fi
[ -d "$dir/example" ] || { echo "fetch.sh: no examples in $dir" >&2; exit 1; }
(cd "$dir" && pwd)
