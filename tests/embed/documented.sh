#!/bin/sh
# Every function that wasmrun.h declares has a comment (its own, at the end of its line, or one for the group
# that it stands in without a blank line) and is named in docs/embedding.md; the guide names none that
# there is not.
# usage: documented.sh SOURCE-FOLDER
set -eu
header=$1/embed/include/wasmrun.h guide=$1/docs/embedding.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The name of each declaration that begins with WR_API, and whether it has a comment.
awk '
    /^$/ { commented = 0 }
    /^\/\*/ || /^ \*/ || /^typedef/ { commented = 1 }
    /^WR_API/ { text = ""; inside = 1 }
    inside {
        text = text " " $0
        if ($0 ~ /;/) {
            inside = 0
            own = text ~ /\/\*/
            sub(/\(.*/, "", text)
            n = split(text, words, /[ *]+/)
            print words[n], (commented || own ? "yes" : "no")
        }
    }' "$header" | sort >"$scratch/declared"

sed -n 's/ no$//p' "$scratch/declared" >"$scratch/bare"
sed 's/ .*//' "$scratch/declared" >"$scratch/names"
grep -o 'wr_[a-z0-9_]*()' "$guide" | tr -d '()' | sort -u >"$scratch/named"
comm -23 "$scratch/names" "$scratch/named" >"$scratch/missing"
comm -13 "$scratch/names" "$scratch/named" >"$scratch/unknown"

count=$(wc -l <"$scratch/names")
[ "$count" -gt 150 ] || { echo "only $count declarations found: has the header another form now?"; exit 1; }
status=0
for problem in bare missing unknown; do
    [ -s "$scratch/$problem" ] || continue
    status=1
    case $problem in
    bare) echo "without a comment in wasmrun.h:" ;;
    missing) echo "not in docs/embedding.md:" ;;
    unknown) echo "in docs/embedding.md, but not declared:" ;;
    esac
    sed 's/^/  /' "$scratch/$problem"
done
[ $status = 0 ] && echo "$count functions, all documented"
exit $status
