# shellcheck shell=bash
# zstd, from Debian's source package: compresses text at level 9.

build() {
    . "$REAL/programs/zstd.sh"
    build "$1"
}

input() { "$1/corpus" 700000; }

args=(-9 -c --no-progress)
