#!/bin/sh
# Runs an example and compares what it prints.
# usage: example.sh EXPECTED PROGRAM...
set -eu
expected=$1
shift
"$@" | diff -u "$expected" -
