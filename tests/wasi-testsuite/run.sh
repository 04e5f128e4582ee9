#!/bin/bash
# usage: run.sh WASMRUN [SUITE...]
#
# Runs the preview 1 tests of the official WASI test suite (WebAssembly/wasi-testsuite) with the
# suite's own runner and our adapter, wasmrun.py; SUITE is c, rust or assemblyscript (all three).
# The closing line is 'N passed, M failed'. No test is skipped and no failure is expected.
# Environment: WASI_TESTSUITE_DIR, a checkout of the suite's branch prod/testsuite-base, where
# compiled tests lie; without it that branch is fetched with git into build/wasi-testsuite.

COMMIT=9f80ca35444cfd9e63100725615140a346652e6c
SOURCE=https://github.com/WebAssembly/wasi-testsuite

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n 2p "$0" >&2; exit 2; }
command=$(realpath "$1") && [ -x "$command" ] || { echo "run.sh: $1 cannot be run" >&2; exit 2; }
shift
[ $# -gt 0 ] || set -- c rust assemblyscript

# fetch_suite DIR: the pinned commit alone, once.
fetch_suite() {
    [ "$(git -C "$1" rev-parse -q --verify HEAD 2>/dev/null)" = "$COMMIT" ] && return
    rm -rf "$1" && git init -q "$1" || return
    git -C "$1" fetch -q --depth 1 "$SOURCE" "$COMMIT" && git -C "$1" checkout -q FETCH_HEAD
}

suite=$WASI_TESTSUITE_DIR
if [ -z "$suite" ]; then
    suite=$here/../../build/wasi-testsuite
    mkdir -p "$(dirname "$suite")"
    fetch_suite "$suite" || { echo "run.sh: the suite cannot be fetched" >&2; exit 2; }
fi
[ -d "$suite/test-runner" ] || { echo "run.sh: no suite in $suite" >&2; exit 2; }
python3 -c 'import colorama' 2>/dev/null ||
    { echo "run.sh: the suite's runner needs python3-colorama" >&2; exit 2; }

# The tests write beneath their own folder, so they run in a copy.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$suite/test-runner" "$suite/tests" "$copy/" || exit 2
dirs=()
for name; do dirs+=("$copy/tests/$name/testsuite/wasm32-wasip1"); done
export PYTHONDONTWRITEBYTECODE=1 WASMRUN=$command${WASMRUN_FLAGS:+ $WASMRUN_FLAGS}
cd "$copy" && python3 "$here/runner.py" "$copy" --disable-colors \
    -r "$here/wasmrun.py" -t "${dirs[@]}"
