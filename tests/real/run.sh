#!/bin/bash
# usage: run.sh [--ci] [--engine KIND] [--build] WASMRUN [NAME...]
#
# Fetches real programs, compiles each for WASI preview 1 and for this machine, plays the same
# scenario with both, and compares everything that they print, return and leave behind. One line per
# program, then 'N passed, M failed'.
#   --ci      only the programs that are quick to build and run, and of them what is quick
#   --engine  as wasmrun takes it; what is compiled is kept in the cache directory
#   --build   build, do not run (WASMRUN is not given)
# Environment: REAL_CACHE, a directory for sources and builds (build/real); TIMEOUT, seconds for one
# run of a program (600); WASMRUN_FLAGS, further options of wasmrun; KEEP=1 keeps the scratch tree.
#
# A file programs/NAME.sh defines
#   build DIR   puts DIR/NAME.wasm and DIR/native, the program for both sides
#   scenario    plays: calls `prog ARGS` any number of times, in a directory that the guest sees as /
# and perhaps prepare (fills that directory first), guest_env (an array of K=V). A scenario may set
# MODULE: prog runs DIR/MODULE.wasm then. With --ci, `quick` is not empty.

REAL=$(cd "$(dirname "$0")" && pwd)
CI_PROGRAMS="bzip2 go jq rust sqlite unwind"
ALL_PROGRAMS="$CI_PROGRAMS esbuild lisp zstd"

quick="" build_only="" engine=interp
while :; do
    case $1 in
    --ci) quick=1 ;;
    --engine) engine=$2; shift ;;
    --build) build_only=1 ;;
    --help | -h) sed -n '2,19s/^# \{0,1\}//p' "$0"; exit ;;
    -*) echo "run.sh: unknown option $1" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done
if [ -z "$build_only" ]; then
    [ $# -ge 1 ] || { sed -n 2p "$0" >&2; exit 2; }
    WASMRUN=$(realpath "$1") || exit 2
    [ -x "$WASMRUN" ] || { echo "run.sh: $WASMRUN cannot be run" >&2; exit 2; }
    shift
fi
CACHE=${REAL_CACHE:-$REAL/../../build/real}
mkdir -p "$CACHE" && CACHE=$(cd "$CACHE" && pwd) || exit 2
WASMRUN_FLAGS="--engine $engine --cache-dir $CACHE/compiled $WASMRUN_FLAGS"
export LC_ALL=C TZ=UTC

. "$REAL/lib.sh"
SCRATCH=$(mktemp -d)
[ -n "$KEEP" ] || trap 'rm -rf "$SCRATCH"' EXIT

# build_program NAME: into $CACHE/build/NAME, unless what is there is newer than our sources.
build_program() {
    local dir=$CACHE/build/$1 newer
    newer=$(find "$REAL/lib.sh" "$REAL/shim" "$REAL/programs" -type f -newer "$dir/.built" 2>&1 |
        grep -E "lib\.sh|/shim/|/$1[./]|cannot|No such" | head -1)
    [ -e "$dir/.built" ] && [ -z "$newer" ] && return
    rm -rf "$dir" && mkdir -p "$dir" || return
    # A shell of its own, because set -e is without effect in the condition that called us.
    REAL=$REAL CACHE=$CACHE bash -ec '. "$REAL/lib.sh"; . "$REAL/programs/$1.sh"; build "$2"' \
        build "$1" "$dir" >"$dir/build.log" 2>&1 || { tail -n 15 "$dir/build.log" >&2; return 1; }
    touch "$dir/.built"
}

# The two meanings of `prog`. Relative paths mean the same to both: the guest's root is the directory.
native_prog() { env "${guest_env[@]}" timeout "${TIMEOUT:-600}" "$DIR/native" "$@"; }
wasm_prog() {
    local options=() pair
    for pair in "${guest_env[@]}"; do options+=(--env "$pair"); done
    timeout "${TIMEOUT:-600}" "$WASMRUN" run $WASMRUN_FLAGS --dir "$PWD::/" "${options[@]}" \
        "$DIR/${MODULE:-$NAME}.wasm" "$@"
}

# Every file of the current directory with its checksum, directories and links by name.
list_tree() {
    find . -type d -o -type l -printf '%p -> %l\n' | sort
    find . -type f -exec cksum {} + | sort -k3
}

# play SIDE: runs the scenario with native_prog or wasm_prog in a fresh tree; the record is SIDE.out.
play() {
    local tree=$SCRATCH/$NAME/$1/tree
    mkdir -p "$tree" && cd "$tree" || return
    if declare -F prepare >/dev/null; then prepare || return; fi
    eval "prog() { $1_prog \"\$@\"; }"
    { scenario; list_tree; } >"../record" 2>"../errors" </dev/null
}

# test_program NAME: in a subshell, so that the definitions of programs/NAME.sh end with it.
test_program() (
    NAME=$1 DIR=$CACHE/build/$1 guest_env=()
    . "$REAL/programs/$1.sh" || exit
    build_program "$1" || { say "$1: not built"; exit 1; }
    [ -z "$build_only" ] || exit 0
    (play native) && (play wasm) || { say "$1: scenario not prepared"; exit 1; }
    cd "$SCRATCH/$1" || exit
    cmp -s native/record wasm/record && exit
    diff -a native/record wasm/record | head -n 20 >&2
    tail -n 10 wasm/errors >&2
    exit 1
)

if [ $# = 0 ]; then
    if [ -n "$quick" ]; then set -- $CI_PROGRAMS; else set -- $ALL_PROGRAMS; fi
fi
passed=0 failed=0
for name; do
    start=$(date +%s%N)
    if test_program "$name"; then word=ok; passed=$((passed + 1)); else word=FAIL; failed=$((failed + 1)); fi
    ms=$((($(date +%s%N) - start) / 1000000))
    printf '%-4s %s %d.%ds\n' "$word" "$name" $((ms / 1000)) $((ms % 1000 / 100))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
