#!/bin/sh
# usage: revision.sh PYTHON revision.py FOLDER
# The number that tells compilers apart (aot/revision.py) is the same for the same sources and version, wherever they lie,
# and another one for others.
set -eu
python=$1 program=$2 sources=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

number() { # TEXT FILE...
    "$python" "$program" "$scratch/header.h" "$@"
    sed -n 's/^#define WR_COMPILER_REVISION \(0x[0-9a-f]*\)u$/\1/p' "$scratch/header.h"
}

mkdir "$scratch/copy"
cp "$sources"/*.[ch] "$scratch/copy"
first=$(number 'LLVM 19' "$sources"/*.[ch])
[ -n "$first" ]
[ "$(number 'LLVM 19' "$scratch"/copy/*)" = "$first" ]
[ "$(number 'LLVM 20' "$scratch"/copy/*)" != "$first" ]
echo >>"$scratch/copy/lower.c"
[ "$(number 'LLVM 19' "$scratch"/copy/*)" != "$first" ]
