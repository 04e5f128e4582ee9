# shellcheck shell=bash
# zstd, from Debian's source package: a round trip of 50 MB, levels, dictionaries, damaged input.

build() {
    local src
    src=$(debian_source libzstd)
    cd "$src"
    local files="lib/common/*.c lib/compress/*.c lib/decompress/*.c lib/dictBuilder/*.c
        programs/zstdcli.c programs/util.c programs/timefn.c programs/fileio.c
        programs/fileio_asyncio.c programs/benchfn.c programs/benchzstd.c programs/datagen.c
        programs/dibio.c programs/zstdcli_trace.c"
    local flags="-Ilib -Ilib/common -DZSTD_DISABLE_ASM -DZSTD_LEGACY_SUPPORT=0 -DXXH_NAMESPACE=ZSTD_
        -DPLATFORM_POSIX_VERSION=200112L -DZSTD_SETPRIORITY_SUPPORT=0"
    wasm_cc $flags $files -o "$1/zstd.wasm" "${WASM_LIBS[@]}"
    native_cc $flags $files -o "$1/native"
    native_cc -O2 "$REAL/programs/corpus.c" -o "$1/corpus"
}

prepare() {
    "$DIR/corpus" 50000000 >big
    mkdir samples
    for i in $(seq 1 60); do "$DIR/corpus" 3000 "$i" >"samples/$i"; done
}

scenario() {
    prog -q -k big; echo "compress: $?"
    prog -q -d big.zst -o back; echo "decompress: $?"
    cmp big back; echo "compare: $?"
    rm back
    head -c 1000000 big >small
    prog -q -k -17 small -o small.17.zst; echo "level 17: $?"
    prog -q --fast=3 <small | prog -q -dc | cksum
    prog -q -l small.17.zst | sed 1d
    prog -q --train samples/* --maxdict=4096 -o dict; echo "train: $?"
    prog -q -D dict samples/7 -o 7.zst && prog -q -D dict -dc 7.zst | cmp - samples/7; echo "dictionary: $?"
    head -c 100000 small.17.zst >cut.zst
    prog -q -t cut.zst; echo "truncated: $?"
    prog -q -r samples; echo "recursive: $?"
    prog -q -d missing.zst; echo "missing: $?"
}
