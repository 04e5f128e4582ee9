#!/bin/sh
# Builds a program in C++ with the static library, and runs it.
# usage: cpp.sh SOURCE INCLUDE-FOLDER LIBRARY COMPILER FLAG...
set -eu
source=$1 include=$2 library=$3
shift 3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$@" -x c++ -std=c++17 -fno-exceptions -fno-rtti -Wall -Wextra -Wpedantic -Werror "-I$include" "$source" -x none "$library" -lpthread -lm \
    -o "$scratch/program"
[ "$("$scratch/program")" = '42 in 1 call, then: unreachable' ]
