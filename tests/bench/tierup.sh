#!/bin/bash
# usage: tierup.sh WASMRUN BUILD [PASSES]
#
# What tier-up is worth (docs/aot.md): wall time in milliseconds of programs of four lengths, medians of PASSES (3), as
# rows of a table. BUILD is the folder in which bench has built its programs (./dev bench --build-dir BUILD). NODE and
# WASMTIME name those two, which compile each time; without them their columns stay empty.
#
# Each pass of auto has a new cache: its first run, the second, the third, and a first one on one processor. What a run has left
# its compiler to finish is waited for before the next one begins, as if a user had read what it printed.

set -e
wasmrun=${1:?usage: tierup.sh WASMRUN BUILD [PASSES]} build=${2:?usage: tierup.sh WASMRUN BUILD [PASSES]}
passes=${3:-3}
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
host='const { WASI } = require("node:wasi"); const args = process.argv.slice(1);
const wasi = new WASI({ version: "preview1", args, env: {}, preopens: {} });
const module = new WebAssembly.Module(require("node:fs").readFileSync(args[0]));
wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));'

settle() { while [ -n "$(find "$cache" -name '*.claim.part')" ]; do sleep 0.1; done; }
forget() { settle && rm -rf "$cache" && mkdir -m 700 "$cache"; }

# timed FILE COMMAND...: adds its milliseconds to a line each in FILE.
timed() {
    local file=$1 start
    shift
    start=$(date +%s%N)
    "$@" >/dev/null 2>&1 || true
    echo $((($(date +%s%N) - start) / 1000000)) >>"$file"
    settle
}
median() { [ ! -s "$1" ] || sort -n "$1" | sed -n "$(((passes + 1) / 2))p"; }

# row NAME MODULE [ARGUMENT]
row() {
    local name=$1 column all="interp cold warm first second third alone node wasmtime"
    shift
    results=$(mktemp -d)
    for _ in $(seq "$passes"); do
        timed "$results/interp" "$wasmrun" run --engine=interp "$@"
        forget
        timed "$results/cold" "$wasmrun" run --engine=aot --cache-dir "$cache" "$@"
        timed "$results/warm" "$wasmrun" run --engine=aot --cache-dir "$cache" "$@"
        forget
        for run in first second third; do
            timed "$results/$run" "$wasmrun" run --engine=auto --cache-dir "$cache" "$@"
        done
        forget
        timed "$results/alone" taskset -c 1 "$wasmrun" run --engine=auto --cache-dir "$cache" "$@"
        [ -z "$NODE" ] || timed "$results/node" "$NODE" --no-warnings -e "$host" -- "$@"
        [ -z "$WASMTIME" ] || timed "$results/wasmtime" "$WASMTIME" run "$@"
    done
    echo -n "| $name |"
    for column in $all; do echo -n " $(median "$results/$column") |"; done
    echo
    rm -rf "$results"
}

# shellcheck disable=SC2016 # Markdown's quotes
set -- program '`interp`' '`aot`, cold' '`aot`, warm' '`auto`, cold' '`auto`, second' '`auto`, third' \
    '`auto`, one core' node wasmtime
printf '|'
printf ' %s |' "$@"
echo
echo '|---|---|---|---|---|---|---|---|---|---|'
row 'hello world' "$build/hello.wasm"
row short "$build/O3/coreish.wasm" 100
row medium "$build/O3/coreish.wasm" 5500
row long "$build/O3/coreish.wasm" 60000
row sort "$build/O3/sort.wasm" 100%
