# shellcheck shell=bash
# A Rust program of ours (ledger.rs), built by Debian's rustc for its wasm32-wasi target.

# Debian's compiler has the target (libstd-rust-dev-wasm32); one that rustup installed may come first.
rustc_with_wasi() {
    local rustc
    for rustc in /usr/bin/rustc rustc; do
        for target in wasm32-wasip1 wasm32-wasi; do
            [ -d "$($rustc --print target-libdir --target $target 2>/dev/null)" ] &&
                { echo "$rustc --target $target"; return; }
        done
    done
    return 1
}

build() {
    local rustc source=$REAL/programs/ledger.rs
    rustc=$(rustc_with_wasi) || {
        install_packages rustc libstd-rust-dev-wasm32
        rustc=$(rustc_with_wasi)
    }
    $rustc --edition 2021 -O "$source" -o "$1/rust.wasm"
    ${rustc%% *} --edition 2021 -O "$source" -o "$1/native"
}

prepare() {
    mkdir -p books/2024/q1 books/2024/q2 books/2025
    awk 'BEGIN { for (i = 0; i < 20000; i++) {
        s = (s * 16807 + 11 + i) % 2147483647
        printf "%s:%d %s%d.%02d entry %d\n", (s % 3 ? "assets" : "costs"), s % 41, (s % 5 ? "" : "-"),
            s % 9973, s % 100, i } }' >books/2024/q1/january.txt
    printf '# opening\n\nassets:cash 100.00\nassets:cash -0.50 tip\n' >books/2024/q2/april.txt
    printf 'costs:rent 900.00\nnot an entry\ncosts:food 1.00\n' >books/2025/broken.txt
    printf 'assets:\303\274ber 7.25\n' >books/utf8.txt
    echo ignored >books/readme.md
}

scenario() {
    prog books; echo "status $?"
    prog books | tail -n 3; echo "again"
    prog; echo "no arguments: status $?"
    prog nowhere; echo "no directory: status $?"
}
