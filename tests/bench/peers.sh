#!/bin/bash
# usage: peers.sh OUT
#
# Builds the engines that bench compares with, from sources that lie on this machine, into the folder OUT,
# and prints the variables by which bench finds them. What has no source is left out.
#   WASM3_SOURCE      github.com/wasm3/wasm3
#   WAMR_SOURCE       github.com/bytecodealliance/wasm-micro-runtime: iwasm with its fast interpreter
#   TOYWASM_SOURCE    github.com/yamt/toywasm
#   PEERS_NPM=1       node 24 and bun, by npm; bun twice: with its compilers, and as IPInt alone
#   PEERS_CARGO=1     wasmi, by cargo
# Each is built by clang 19 with -O3 for this machine's processor: as fast as it gets. wasm3 is given room
# for functions larger than its default, or else it refuses most real programs.

set -e
out=$(mkdir -p "${1:?usage: peers.sh OUT}" && cd "$1" && pwd)
exec 3>&1 >&2
say() { echo "$*" >&3; }
cc="-DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_BUILD_TYPE=Release -G Ninja"

if [ -n "$WASM3_SOURCE" ]; then
    # shellcheck disable=SC2086 # a list
    cmake -S "$WASM3_SOURCE" -B "$out/wasm3-build" $cc -DBUILD_WASI=simple \
        -DCMAKE_C_FLAGS="-O3 -DNDEBUG -march=native -Dd_m3MaxFunctionStackHeight=16000"
    cmake --build "$out/wasm3-build"
    say "export WASM3=$out/wasm3-build/wasm3"
fi
if [ -n "$WAMR_SOURCE" ]; then
    # Its build downloads SIMDe: Debian's is used instead.
    mkdir -p "$out/simde" && ln -sfn /usr/include/simde "$out/simde/simde"
    # shellcheck disable=SC2086 # a list
    cmake -S "$WAMR_SOURCE/product-mini/platforms/linux" -B "$out/wamr-build" $cc \
        -DCMAKE_C_FLAGS_RELEASE="-O3 -DNDEBUG -march=native" -DWAMR_BUILD_AOT=0 -DWAMR_BUILD_INTERP=1 \
        -DWAMR_BUILD_FAST_INTERP=1 -DWAMR_BUILD_LIBC_BUILTIN=0 -DWAMR_BUILD_LIBC_WASI=1 -DWAMR_BUILD_SIMD=1 \
        -DWAMR_BUILD_LIB_SIMDE=1 -DWAMR_BUILD_TAIL_CALL=1 -DWAMR_BUILD_BULK_MEMORY=1 -DWAMR_BUILD_REF_TYPES=1 \
        -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DFETCHCONTENT_SOURCE_DIR_SIMDE="$out/simde"
    cmake --build "$out/wamr-build" --target iwasm
    say "export IWASM=$out/wamr-build/iwasm"
fi
if [ -n "$TOYWASM_SOURCE" ]; then
    # shellcheck disable=SC2086 # a list
    cmake -S "$TOYWASM_SOURCE" -B "$out/toywasm-build" $cc -DBUILD_TESTING=OFF -DTOYWASM_BUILD_UNITTEST=OFF \
        -DTOYWASM_ENABLE_WASM_TAILCALL=ON -DTOYWASM_ENABLE_WASM_EXTENDED_CONST=ON \
        -DTOYWASM_ENABLE_WASM_EXCEPTION_HANDLING=ON -DTOYWASM_EXTRA_CFLAGS=-march=native
    cmake --build "$out/toywasm-build"
    say "export TOYWASM=$out/toywasm-build/toywasm"
fi
if [ -n "$PEERS_NPM" ]; then
    npm install --no-fund --no-audit --prefix "$out/npm" node@24 bun
    say "export NODE=$out/npm/node_modules/.bin/node BUN=$out/npm/node_modules/.bin/bun"
fi
if [ -n "$PEERS_CARGO" ]; then
    cargo install --root "$out/cargo" wasmi_cli
    say "export WASMI=$out/cargo/bin/wasmi" # the program of wasmi_cli
fi
