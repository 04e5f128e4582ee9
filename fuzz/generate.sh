#!/bin/sh
# generate.sh FOLDER COUNT WASMRUN: new modules each time: loops over arrays (loops.py), programs with all else that the
# language has (programs.py), and what the generators that are installed make of random bytes: binaryen's `wasm-opt -ttf` and `wasm-tools smith`. Those with which wasmrun can do nothing
# are passed over later.
set -eu
folder=$1
count=$2
wasmrun=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
random=$folder/random

bytes() {
    head -c "$1" /dev/urandom >"$random"
}

# What binaryen 108 has in the encoding of today; every third module is optimised.
from_binaryen() {
    level=
    [ $(($1 % 3)) != 0 ] || level=-O2
    # shellcheck disable=SC2086 # perhaps none
    wasm-opt "$random" -ttf --denan $level --enable-sign-ext --enable-threads --enable-mutable-globals \
        --enable-nontrapping-float-to-int --enable-simd --enable-bulk-memory --enable-exception-handling \
        --enable-tail-call -o "$folder/binaryen-$1.wasm" 2>/dev/null || rm -f "$folder/binaryen-$1.wasm"
}

from_smith() {
    wasm-tools smith -c "$here/smith.json" -o "$folder/smith-$1.wasm" "$random" 2>/dev/null ||
        rm -f "$folder/smith-$1.wasm"
}

"$here/loops.py" "$folder" "$count"
"$here/programs.py" "$folder" "$count"
for text in "$folder"/*.wat; do
    "$wasmrun" wat2wasm --no-names -o "${text%.wat}.wasm" "$text"
done

i=0
while [ "$i" -lt "$count" ]; do
    if command -v wasm-opt >/dev/null; then
        bytes $((2000 + i % 10 * 3000))
        from_binaryen "$i"
    fi
    if command -v wasm-tools >/dev/null; then
        bytes $((10000 + i % 10 * 10000))
        from_smith "$i"
    fi
    i=$((i + 1))
done
rm -f "$random"
