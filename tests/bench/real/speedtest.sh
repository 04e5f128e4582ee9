# shellcheck shell=bash
# SQLite's own speed test, from Debian's source package, on a database in memory.

build() {
    local src flags
    src=$(debian_source sqlite3)
    need tclsh tcl
    need make make
    cd "$1"
    CC=${NATIVE_CC:-clang-19} "$src/configure" --disable-tcl --disable-readline >/dev/null
    make -s sqlite3.c >/dev/null
    flags="-DSQLITE_THREADSAFE=0 -DLONGDOUBLE_TYPE=double -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL
        -DSQLITE_DEFAULT_UNIX_VFS=\"unix-none\" -I."
    native_cc $flags sqlite3.c "$src/test/speedtest1.c" -o native -lm &
    wasm_cc $flags sqlite3.c "$src/test/speedtest1.c" -o speedtest.wasm "${WASM_LIBS[@]}"
    wait $!
}

input() { :; }

# Each line of output ends in a time, and only the last one is a result.
args=(--memdb --verify --size '{3}')
ignore='TOTAL|[0-9]\.[0-9]+s'
