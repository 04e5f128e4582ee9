#!/bin/bash
# usage: real-programs.sh WASMRUN [CASE...]
#
# Runs the collection of compiled programs that may lie beside the repository (cases.sh with its
# cases and modules), by default the cases that need neither exceptions nor tail calls. Environment:
# REAL_PROGRAMS, its folder. Exits with 77, which ctest counts as skipped, when there is none.

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n 2p "$0" >&2; exit 2; }
wasmrun=$(realpath "$1") || exit 2
shift
[ $# -gt 0 ] || set -- bzip2-compress bzip2-file cmark-spec lz4-simd rust-wordfreq hello-argv
programs=${REAL_PROGRAMS:-$here/../../shared/real-programs}
[ -f "$programs/cases.sh" ] || { echo "real-programs.sh: no $programs/cases.sh"; exit 77; }
exec bash "$programs/cases.sh" "$wasmrun" "$@"
