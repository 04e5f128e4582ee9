#!/bin/sh
# Compares the manual page with the option table: every option is described, and no other.
# usage: check-manual.sh MANUAL WASMRUN...
manual=$1
shift
table=$(mktemp)
described=$(mktemp)
trap 'rm -f "$table" "$described"' EXIT

for command in $("$@" __complete | cut -f1); do
    [ "$command" = help ] || "$@" __complete "$command" || exit 2
done | sed 's/^--\([a-z0-9-]*\).*/\1/' | sort -u >"$table"
sed -n 's/^\.It .*Fl -\([a-z0-9-][a-z0-9-]*\).*/\1/p' "$manual" | sort -u >"$described"

[ -s "$table" ] || { echo "the command lists no options"; exit 1; }
diff -u "$table" "$described" && echo "manual: ok"
