#!/bin/sh
# usage: gdb.sh WASMRUN calls.wat
set -eu
command -v gdb >/dev/null || { echo "skipped: there is no gdb"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

gdb_runs() { gdb -batch -nx -iex 'set debuginfod enabled off' "$@" 2>&1 </dev/null; }
if ! gdb_runs -ex run --args true | grep -q 'exited normally'; then
    echo "skipped: gdb may not run programs here"
    exit 77
fi

gdb_runs -ex 'set breakpoint pending on' -ex 'break leaf' -ex run -ex 'continue' -ex bt \
    --args "$1" --engine=aot -O0 --no-cache --debug-info "$2" >"$scratch/all"
# the names of the frames from the second time in $leaf on, one a line; what is behind the way in has no tables for
# unwinding in release builds
sed -n 's/^#[0-9]* *\(0x[0-9a-f]* in \)\{0,1\}\([^ ]*\) (.*/\2/p' "$scratch/all" >"$scratch/names"
cat >"$scratch/first" <<EOF
leaf
middle
outer
middle
outer
_start
wasm-entry[1]
wr_switch_enter
EOF
head -n 8 "$scratch/names" | diff "$scratch/first" - && exit 0
cat "$scratch/all"
exit 1
