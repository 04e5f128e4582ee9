# shellcheck shell=bash
# A Go program of ours (treesum.go) for GOOS=wasip1: goroutines, timers and a file walk.

# A Go that has the wasip1 port (1.21), from the machine or from Debian's backports.
go_with_wasip1() {
    local go root
    for go in go /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
        $go tool dist list 2>/dev/null | grep -q '^wasip1/wasm$' && { echo "$go"; return; }
    done
    root=$(debian_binary golang-1.23-go golang-1.23-src) || return
    echo "$root/usr/lib/go-1.23/bin/go"
}

build() {
    local go
    go=$(go_with_wasip1)
    export GO111MODULE=off GOFLAGS="" GOTOOLCHAIN=local GOCACHE=$CACHE/go-cache
    GOOS=wasip1 GOARCH=wasm $go build -trimpath -o "$1/go.wasm" "$REAL/programs/treesum.go"
    $go build -trimpath -o "$1/native" "$REAL/programs/treesum.go"
}

guest_env=(GREETING='hello, guest')

prepare() {
    mkdir -p tree/a/b/c tree/empty tree/many
    for i in $(seq 1 40); do seq 1 $((i * 50)) >"tree/many/file$i"; done
    head -c 300000 /dev/zero >tree/a/zeros
    printf 'no newline' >tree/a/b/short
    : >tree/a/b/c/nothing
    echo >tree/a/b/nil.panic
    ln -s ../a/b/short tree/empty/link
}

scenario() {
    prog tree; echo "status $?"
    prog; echo "no arguments: status $?"
    prog tree/none; echo "no directory: status $?"
}
