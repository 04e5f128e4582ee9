# shellcheck shell=bash
# A C++ program of ours (unwind.cpp) that throws and jumps, in both encodings of exceptions. Debian's
# libraries for WASI are built without exceptions, so what carries them is built here (wasm_cxx_runtime).

build() {
    local form flags runtime
    for form in unwind unwind-legacy; do
        flags=(-fwasm-exceptions -mllvm -wasm-enable-sjlj)
        [ $form = unwind-legacy ] || flags+=(-mllvm -wasm-enable-exnref)
        runtime=$(wasm_cxx_runtime $form "${flags[@]}")
        wasm_cxx "${flags[@]}" "$REAL/programs/unwind.cpp" "$runtime"/*.o -o "$1/$form.wasm" "${WASM_LIBS[@]}"
    done
    need g++ g++
    g++ -std=c++20 -O1 -w "$REAL/programs/unwind.cpp" -o "$1/native"
}

prepare() { cp "$REAL/programs/unwind.txt" .; }

scenario() {
    # shellcheck disable=SC2034 # read by prog
    for MODULE in unwind unwind-legacy; do
        prog <unwind.txt; echo "status $?"
    done
}
