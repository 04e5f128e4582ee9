#!/bin/sh
# Builds the standard C API's own example programs, unmodified, and runs them with this library. Each one is
# built twice: against our wasm.h and against the standard's own, which shows that both agree at the link.
# The programs check themselves; what is asked here is that each ends well, reports no error, and gets to
# its end.
# hostref.wasm there is of a draft in which ref.null had no operand, and is no module today: that one is made
# from its text, with the operand. The programs are not touched.
# usage: originals.sh BUILD-FOLDER C-COMPILER WASM-C-API-FOLDER [FLAG...]
set -eu
build=$1 cc=$2 api=$3
shift 3
top=$(cd "$(dirname "$0")/../../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
mkdir "$scratch/modules"
cp "$api"/example/*.wasm "$scratch/modules"
sed 's/(ref\.null)/(ref.null extern)/' "$api/example/hostref.wat" >"$scratch/hostref.wat"
"$build/wasmrun" wat2wasm "$scratch/hostref.wat" -o "$scratch/modules/hostref.wasm"

# run NAME HEADERS LABEL FLAG...
run() {
    name=$1 headers=$2 label=$3
    shift 3
    "$cc" -std=c11 -D_DEFAULT_SOURCE -I"$headers" "$@" "$api/example/$name.c" -o "$scratch/$name" \
        "$build/libwasmrun.a" -lpthread -lm
    if ! (cd "$scratch/modules" && "$scratch/$name" >"$scratch/out" 2>&1); then
        echo "failed: $name ($label): exit status"
    elif grep -q '> Error' "$scratch/out"; then
        echo "failed: $name ($label): it reports an error"
    elif [ "$name" != threads ] && [ "$(tail -n 1 "$scratch/out")" != Done. ]; then
        echo "failed: $name ($label): it does not get to its end"
    elif [ "$name" = threads ] && [ "$(grep -c '^> Thread .* running' "$scratch/out")" != 30 ]; then
        echo "failed: $name ($label): not every thread has run three times"
    else
        echo "ok: $name ($label)"
        return
    fi
    failed=1
    cat "$scratch/out"
}

for source in "$api"/example/*.c; do
    name=$(basename "$source" .c)
    run "$name" "$top/embed/include" 'our header' "$@"
    run "$name" "$api/include" 'standard header' "$@"
done
exit $failed
