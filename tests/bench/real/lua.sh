# shellcheck shell=bash
# Lua 5.4, from Debian's source package, running lua.lua. WASI's C library has no setjmp; the script
# raises no errors, so that the macros by which Lua may be given another mechanism can be empty.

build() {
    local src files
    src=$(debian_source lua5.4)/src
    files=$(ls "$src"/l*.c | grep -v '/luac\.c')
    mkdir -p "$1/include"
    echo >"$1/include/setjmp.h" # ldo.c includes it in any case
    echo '#define DEB_HOST_MULTIARCH "any"' >"$1/include/lua5.4-deb-multiarch.h"
    cat >"$1/include/lua-wasi.h" <<'EOF'
#include <stdio.h>
#include <stdlib.h>
#define LUAI_THROW(L, c) abort()
#define LUAI_TRY(L, c, a) { a }
#define luai_jmpbuf int
#define tmpfile() NULL
#define tmpnam(name) NULL
#define L_tmpnam 20
#define system(command) (-1)
EOF
    # shellcheck disable=SC2086 # a list
    wasm_cc -I"$1/include" -include lua-wasi.h $files -o "$1/lua.wasm" "${WASM_LIBS[@]}"
    rm "$1/include/setjmp.h"
    # shellcheck disable=SC2086 # a list
    native_cc -I"$1/include" $files -o "$1/native" -lm
}

input() { cat "$BENCH/real/lua.lua"; }

args=(- '{100}')
