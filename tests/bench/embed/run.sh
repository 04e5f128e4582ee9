#!/bin/sh
# What embedding costs: instances, calls, density, requests.
#
# usage: run.sh BUILD          BUILD is build/release. $WASMTIME_LIB and $WASM3_LIB name shared libraries
#                              to compare with; $SECONDS_OF_LOAD is for wrk [10]
#
# wasmtime's is in its wheel (pip download wasmtime), wasmtime/linux-x86_64/_libwasmtime.so; wasm3's is made by
#     cc -O3 -fomit-frame-pointer -fno-stack-check -DNDEBUG -shared -fPIC source/*.c -lm -o libwasm3.so
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
seconds=${SECONDS_OF_LOAD:-10}

"$build/tests/bench/embed/bench_instantiate" 5000
echo
"$build/tests/bench/embed/bench_calls"
echo
"$build/tests/bench/embed/bench_live" 100000
"$build/tests/bench/embed/bench_live" 100000 explicit

[ -x "$build/wasmrun-serve" ] && command -v wrk >/dev/null || exit 0
echo
folder=$(mktemp -d)
cp "$build/guests/serve_hello.wasm" "$folder/hello.wasm"
"$build/wasmrun-serve" --listen 127.0.0.1:0 "$folder" >"$folder/out" 2>"$folder/log" &
server=$!
trap 'kill $server; wait $server; rm -r "$folder"' EXIT
until grep -q http "$folder/out"; do sleep 0.1; done
url=$(sed -n 's/.*\(http:.*\)/\1/p' "$folder/out")hello
for connections in 2 16; do
    wrk --threads 1 --connections $connections --duration "${seconds}s" --script "$here/latency.lua" "$url"
done
