#!/bin/sh
# Runs an example and compares what it prints.
# usage: example.sh PROGRAM EXPECTED
set -eu
"$1" | diff -u "$2" -
