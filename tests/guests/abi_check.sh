#!/bin/sh
# usage: abi_check.sh CC ABI_H
#
# Compares wasi/abi.h, our description of WASI preview 1, with wasi-libc's <wasi/api.h>: every
# constant, and the size of every type and the offset of every field as CC lays them out for wasm32.
# A name that one of the two lacks is an error, too. Prints what differs, then 'N passed, M failed'.

[ $# = 2 ] || { sed -n 2p "$0" >&2; exit 2; }
cc=$1
abi=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# The header, as the compiler finds it.
header=$(echo '#include <wasi/api.h>' | "$cc" --target=wasm32-wasi -E - |
    sed -n 's/^# [0-9]* "\(.*wasi\/api\.h\)".*/\1/p' | head -n 1)
[ -f "$header" ] || { echo "abi_check.sh: $cc finds no <wasi/api.h>" >&2; exit 2; }

# One line 'NAME VALUE' for each fact of the header: the name that abi.h should have for it, and the
# C expression that says it in the header's words.
facts() {
    awk '
    /^#define __WASI_[A-Z0-9_]+ / { name = substr($2, 3); print name, $2; next }
    /^typedef (struct|union) __wasi_/ { type = $3; kind = $2; next }
    /^typedef .* __wasi_[a-z0-9_]+;$/ {
        type = $NF; sub(/;/, "", type)
        print "WASI_" short(type) "_SIZE", "sizeof(" type ")"
        type = ""; next
    }
    type != "" && kind == "struct" && /^    [a-z_].*;$/ {
        field = $NF; sub(/;/, "", field); sub(/^\*/, "", field)
        name = "WASI_" short(type) "_" toupper(field)
        if (toupper(field) == "SIZE") name = name "_OFFSET"
        print name, "offsetof(" type "," field ")"
        next
    }
    /^} __wasi_/ || /^}/ {
        if (type != "" && kind == "struct") print "WASI_" short(type) "_SIZE", "sizeof(" type ")"
        type = ""
    }
    function short(t) { sub(/^__wasi_/, "", t); sub(/_t$/, "", t); return toupper(t) }
    ' "$header"
}

facts | sort -u >"$scratch/facts"
cut -d' ' -f1 "$scratch/facts" | sort >"$scratch/theirs"
"$cc" --target=wasm32-wasi -E -dD -P "$abi" | grep -o '\bWASI_[A-Z0-9_]*' | sort -u >"$scratch/ours"

# Names that the header has no counterpart for: sums of flags, and signals (gone from the header).
own='^WASI_(SIGNAL_[A-Z0-9]+|[A-Z]+_ALL)$'

{
    comm -23 "$scratch/theirs" "$scratch/ours" | sed 's/$/ is missing in abi.h/'
    comm -13 "$scratch/theirs" "$scratch/ours" | grep -Ev "$own" | sed 's/$/ is not in <wasi\/api.h>/'
    # An array of negative size where they differ: the compiler then names the line.
    {
        echo '#include <stddef.h>'
        echo '#include <wasi/api.h>'
        echo "#include \"$abi\""
        while read -r name value; do
            grep -qx "$name" "$scratch/ours" &&
                echo "_Static_assert((long long)($name) == (long long)($value), \"$name differs\");"
        done <"$scratch/facts"
        cat <<'EOF'
/* wasi_unstable, for which there is no header: the same, but for these. */
struct filestat0 {
    __wasi_device_t dev; __wasi_inode_t ino; __wasi_filetype_t filetype; uint32_t nlink;
    __wasi_filesize_t size; __wasi_timestamp_t atim, mtim, ctim;
};
struct clock0 {
    __wasi_userdata_t identifier; __wasi_clockid_t id; __wasi_timestamp_t timeout, precision;
    __wasi_subclockflags_t flags;
};
struct subscription0 { __wasi_userdata_t userdata; struct { uint8_t tag; struct clock0 clock; } u; };
#define SAME(name, value) _Static_assert(name == value, #name " differs");
SAME(WASI0_FILESTAT_DEV, offsetof(struct filestat0, dev))
SAME(WASI0_FILESTAT_INO, offsetof(struct filestat0, ino))
SAME(WASI0_FILESTAT_FILETYPE, offsetof(struct filestat0, filetype))
SAME(WASI0_FILESTAT_NLINK, offsetof(struct filestat0, nlink))
SAME(WASI0_FILESTAT_SIZE_OFFSET, offsetof(struct filestat0, size))
SAME(WASI0_FILESTAT_ATIM, offsetof(struct filestat0, atim))
SAME(WASI0_FILESTAT_MTIM, offsetof(struct filestat0, mtim))
SAME(WASI0_FILESTAT_CTIM, offsetof(struct filestat0, ctim))
SAME(WASI0_FILESTAT_SIZE, sizeof(struct filestat0))
SAME(WASI0_SUBSCRIPTION_CLOCK_IDENTIFIER, offsetof(struct clock0, identifier))
SAME(WASI0_SUBSCRIPTION_CLOCK_ID, offsetof(struct clock0, id))
SAME(WASI0_SUBSCRIPTION_CLOCK_TIMEOUT, offsetof(struct clock0, timeout))
SAME(WASI0_SUBSCRIPTION_CLOCK_PRECISION, offsetof(struct clock0, precision))
SAME(WASI0_SUBSCRIPTION_CLOCK_FLAGS, offsetof(struct clock0, flags))
SAME(WASI0_SUBSCRIPTION_CLOCK_SIZE, sizeof(struct clock0))
SAME(WASI0_SUBSCRIPTION_USERDATA, offsetof(struct subscription0, userdata))
SAME(WASI0_SUBSCRIPTION_U, offsetof(struct subscription0, u))
SAME(WASI0_SUBSCRIPTION_SIZE, sizeof(struct subscription0))
EOF
    } >"$scratch/check.c"
    "$cc" --target=wasm32-wasi -fsyntax-only -ferror-limit=0 "$scratch/check.c" 2>&1 |
        grep -E 'error:' | sed 's/.*: error: //'
} >"$scratch/wrong"

cat "$scratch/wrong"
failed=$(grep -c . "$scratch/wrong")
total=$(grep -c '_Static_assert(\|^SAME' "$scratch/check.c")
echo "$((total > failed ? total - failed : 0)) passed, $failed failed"
[ "$failed" = 0 ] && [ "$total" -gt 100 ]
