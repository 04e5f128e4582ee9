# shellcheck shell=bash
# bzip2 1.0, from Debian's source package: compresses text.

build() {
    . "$REAL/programs/bzip2.sh"
    build "$1"
}

input() { "$1/corpus" 300000; }

args=(-9 -c)
