#!/bin/sh
# Installs a build into a fresh folder, moves it, and builds and runs examples/embed.c from there: with the
# CMake package and with pkg-config, statically and shared. Then makes the Debian packages, and does the last of
# these once more with their contents.
# usage: run.sh BUILD-FOLDER C-COMPILER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$1" --prefix "$scratch/first" >/dev/null
mv "$scratch/first" "$scratch/prefix"
prefix=$scratch/prefix
"$prefix/bin/wasmrun" --version

run() {
    "$@" >"$scratch/out"
    diff -u "$here/expected" "$scratch/out"
    echo "ok: ${1##*/}"
}

cmake -S "$here" -B "$scratch/build" -G Ninja -DCMAKE_C_COMPILER="$2" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
ninja -C "$scratch/build" >/dev/null
run "$scratch/build/embed_static"
run "$scratch/build/embed_shared"

if command -v pkg-config >/dev/null; then
    pc=$(find "$prefix" -name wasmrun.pc)
    # shellcheck disable=SC2046 # a list of flags
    "$2" "$here/../../examples/embed.c" -o "$scratch/embed_pc" \
        $(PKG_CONFIG_PATH="${pc%/*}" pkg-config --cflags --libs wasmrun)
    lib=$(find "$prefix" -name libwasmrun.so)
    LD_LIBRARY_PATH=${lib%/*} run "$scratch/embed_pc"
fi

# Debian packages
command -v dpkg-deb >/dev/null || exit 0
(cd "$1" && cpack -G DEB -B "$scratch/debs" >/dev/null)
for package in "$scratch"/debs/*.deb; do
    dpkg-deb -f "$package" Package Version Depends
    dpkg-deb -x "$package" "$scratch/root"
done
[ -f "$scratch/root/usr/bin/wasmrun" ] && [ -f "$scratch/root/usr/include/wasm.h" ]
root=$scratch/root/usr
"$root/bin/wasmrun" --version
lib=$(find "$root" -name 'libwasmrun.so')
"$2" "$here/../../examples/embed.c" -o "$scratch/embed_deb" -I"$root/include" "$lib"
LD_LIBRARY_PATH=${lib%/*} run "$scratch/embed_deb"
