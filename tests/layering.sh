#!/bin/sh
# Checks which layer includes which: runtime knows no engine, wasi and cli live on the public API.
# usage: layering.sh [source folder]
cd "${1:-$(dirname "$0")/..}" || exit 2
bad=0

# layer FOLDER ALLOWED...: quoted includes in FOLDER may name headers of ALLOWED (and its own) only.
layer() {
    folder=$1
    shift
    allowed=" $folder $* "
    for file in "$folder"/*.c "$folder"/*.h "$folder"/*.inc "$folder"/include/*.h; do
        [ -f "$file" ] || continue
        for name in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file"); do
            home=$(home_of "$name" "$folder")
            case $allowed in
            *" $home "*) ;;
            *)
                echo "$file: includes \"$name\" of $home, which $folder may not"
                bad=1
                ;;
            esac
        done
    done
    return 0
}

# The layer that a header belongs to. Generated headers have no source: they are the includer's own.
home_of() {
    base=${1##*/}
    for dir in "$2" runtime interpreter wasi cli aot spec-tests; do
        [ -f "$dir/$base" ] && { echo "$dir"; return; }
    done
    [ -f "embed/include/$base" ] && { echo public; return; }
    [ -f "embed/$base" ] && { echo embed; return; }
    echo "$2"
}

# Everybody may know the public header: its error kinds and trap codes are the library's own.
layer runtime public
layer interpreter public runtime
layer aot public runtime
layer aot/compiler public runtime aot
layer embed public runtime interpreter aot
layer wasi public
layer spec-tests public runtime aot
layer cli public runtime aot spec-tests

layer embed/examples/serve public
layer tests/bench/embed public

[ $bad = 0 ] && echo "layering: ok"
exit $bad
