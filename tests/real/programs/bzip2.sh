# shellcheck shell=bash
# bzip2 1.0, from Debian's source package: files, pipes, damaged input.

build() {
    local src
    src=$(debian_source bzip2)
    cd "$src"
    local files="blocksort.c huffman.c crctable.c randtable.c compress.c decompress.c bzlib.c bzip2.c"
    wasm_cc $files -o "$1/bzip2.wasm" "${WASM_LIBS[@]}"
    native_cc $files -o "$1/native"
    native_cc -O2 "$REAL/programs/corpus.c" -o "$1/corpus"
}

prepare() { "$DIR/corpus" 1000000 >big; }

scenario() {
    prog -k -9 big; echo "compress: $?"
    prog -dc big.bz2 | cmp - big; echo "decompress: $?"
    prog -1 <big | prog -d -s | cksum
    prog -t -v big.bz2; echo "test: $?"
    head -c 80000 big.bz2 >cut.bz2
    prog -t cut.bz2; echo "truncated: $?"
    { head -c 50000 big.bz2; echo damage; tail -c +50008 big.bz2; } >bad.bz2
    prog -dk bad.bz2; echo "damaged: $?"
    prog -d big.bz2; echo "in the way: $?"
    prog missing; echo "missing: $?"
    rm big && prog -d big.bz2; echo "replaced: $?"
}
