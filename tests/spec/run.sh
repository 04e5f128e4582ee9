#!/bin/sh
# usage: run.sh WASMRUN FOLDER OPTION... - runs the scripts that lie in FOLDER of the official suite (. for
# its own folder; those below are FOLDERs of their own).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
command=$1 folder=$2
shift 2
suite=$("$top/spec-tests/fetch.sh")
exec "$command" wast "$@" "$suite/$folder"/*.wast
